using System.Collections.Immutable;

namespace Ferry.Config;

/// <summary>Versions of TLS (<c>ssl_protocols</c>, <c>proxy_ssl_protocols</c>).</summary>
[Flags]
public enum TlsProtocols
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>TLSv1 (RFC 2246); needs a security level of 0, which is set where it is named.</summary>
    Tls10 = 1,

    /// <summary>TLSv1.1 (RFC 4346); as <see cref="Tls10"/>.</summary>
    Tls11 = 2,

    /// <summary>TLSv1.2 (RFC 5246).</summary>
    Tls12 = 4,

    /// <summary>TLSv1.3 (RFC 8446).</summary>
    Tls13 = 8,
}

/// <summary>Whether clients of a plain listener may turn TLS on with AUTH (<c>starttls</c>).</summary>
public enum StartTls
{
    /// <summary>AUTH is refused.</summary>
    Off,

    /// <summary>AUTH is offered.</summary>
    On,

    /// <summary>AUTH is offered, and nobody logs in without it.</summary>
    Only,
}

/// <summary>Whether a client's data connection resumes the TLS session of its control connection (<c>ftp_tls_session_reuse</c>).</summary>
public enum TlsSessionReuse
{
    /// <summary>Sessions are never resumed.</summary>
    Off,

    /// <summary>Sessions are resumed where the client offers it.</summary>
    Optional,

    /// <summary>A data connection that does not resume its own control connection's session is refused (522).</summary>
    Required,
}

/// <summary>Whether clients show a certificate (<c>ssl_verify_client</c>).</summary>
public enum ClientVerification
{
    /// <summary>None is asked for.</summary>
    Off,

    /// <summary>One that verifies is required.</summary>
    On,

    /// <summary>One is asked for, and verified where it is shown.</summary>
    Optional,

    /// <summary>One is asked for, and may be of an unknown authority.</summary>
    OptionalNoCa,
}

/// <summary>How Ferry speaks TLS to a server (<c>proxy_ssl</c>, <c>proxy_starttls</c>).</summary>
public enum UpstreamTls
{
    /// <summary>Not at all.</summary>
    Off,

    /// <summary>From the first byte (<c>proxy_ssl on</c>).</summary>
    Implicit,

    /// <summary>With AUTH TLS, before the client has seen the greeting (<c>proxy_starttls on</c>).</summary>
    Explicit,

    /// <summary>With AUTH TLS, where the client speaks TLS (<c>proxy_starttls match</c>).</summary>
    Match,
}

/// <summary>The protection of a server's data connections (<c>proxy_ftp_prot</c>). Without TLS on the server's control connection they are always clear.</summary>
public enum UpstreamProtection
{
    /// <summary>The client's own PROT; P for a client that speaks no TLS, which cannot say.</summary>
    Match,

    /// <summary>PROT P.</summary>
    Private,

    /// <summary>PROT C.</summary>
    Clear,
}

/// <summary>What is taken for the end of a TLS stream (<c>ftp_tls_truncation</c>).</summary>
public enum TlsTruncation
{
    /// <summary>Only a close_notify; a connection that ends without it has been cut off, and is passed on so.</summary>
    Strict,

    /// <summary>A plain FIN, too.</summary>
    Allow,
}

/// <summary>A value and where it stands, for what only the machine can judge: files, ciphers.</summary>
/// <param name="Value">The value; a file's name is absolute.</param>
/// <param name="Position">Where it is.</param>
public sealed record PlacedText(string Value, ConfigPosition Position = default);

/// <summary>A certificate chain and its key, in PEM.</summary>
/// <param name="CertificateFile">The certificate, then those of its intermediate authorities.</param>
/// <param name="KeyFile">The private key; may be the same file.</param>
public sealed record TlsCertificateConfig(PlacedText CertificateFile, PlacedText KeyFile);

/// <summary>One <c>ssl_conf_command</c>: an OpenSSL command (SSL_CONF_cmd(3)).</summary>
/// <param name="Name">The command, such as Ciphersuites or Options.</param>
/// <param name="Value">Its value.</param>
/// <param name="Position">Where it is.</param>
public sealed record TlsCommandConfig(string Name, string Value, ConfigPosition Position = default);

/// <summary>TLS towards clients.</summary>
public sealed record ClientTlsConfig
{
    /// <summary>What sessions are good for by default: as long as a control connection that works through the night. vsftpd's never end; nginx's 5 minutes would leave a long session's data connections nothing to resume.</summary>
    public static readonly TimeSpan DefaultSessionTimeout = TimeSpan.FromDays(1);

    internal const string DefaultCiphers = "HIGH:!aNULL:!MD5";

    internal const string DefaultCurves = "auto";

    /// <summary>Certificates and keys (<c>ssl_certificate</c>, <c>ssl_certificate_key</c>); at least one. The client's SNI picks among several; without one the first is used.</summary>
    public required ImmutableArray<TlsCertificateConfig> Certificates { get; init; }

    /// <summary>Whether AUTH is offered on listeners without <c>ssl</c> (<c>starttls</c>). Default off.</summary>
    public StartTls StartTls { get; init; }

    /// <summary>The passphrases of the keys, one a line (<c>ssl_password_file</c>); null: keys are not encrypted.</summary>
    public PlacedText? PasswordFile { get; init; }

    /// <summary>The versions offered (<c>ssl_protocols</c>). Default TLSv1.2 and TLSv1.3, as nginx.</summary>
    public TlsProtocols Protocols { get; init; } = TlsProtocols.Tls12 | TlsProtocols.Tls13;

    /// <summary>The suites of TLS 1.2 and before, in OpenSSL's words (<c>ssl_ciphers</c>); null: HIGH:!aNULL:!MD5, as nginx.</summary>
    public PlacedText? Ciphers { get; init; }

    /// <summary>Ferry's order of suites wins over the client's (<c>ssl_prefer_server_ciphers</c>). Default off, as nginx.</summary>
    public bool PreferServerCiphers { get; init; }

    /// <summary>The groups of the key exchange, in OpenSSL's words (<c>ssl_ecdh_curve</c>); null: OpenSSL's own.</summary>
    public PlacedText? Curves { get; init; }

    /// <summary>Parameters of DHE suites, in PEM (<c>ssl_dhparam</c>); null: no DHE, as nginx.</summary>
    public PlacedText? DhParamFile { get; init; }

    /// <summary>OpenSSL's own commands, applied last (<c>ssl_conf_command</c>).</summary>
    public ImmutableArray<TlsCommandConfig> Commands { get; init; } = [];

    /// <summary>How long a session may be resumed (<c>ssl_session_timeout</c>), 1 s to 7 days (RFC 8446 §4.6.1).</summary>
    public TimeSpan SessionTimeout { get; init; } = DefaultSessionTimeout;

    /// <summary>Sessions are kept by the clients, in tickets (<c>ssl_session_tickets</c>). Default on, as nginx.</summary>
    public bool SessionTickets { get; init; } = true;

    /// <summary>Keys of 48 or 80 bytes shared with other machines; the first encrypts (<c>ssl_session_ticket_key</c>). Empty: keys of this process's own.</summary>
    public ImmutableArray<PlacedText> TicketKeyFiles { get; init; } = [];

    /// <summary>Whether data connections resume their control connection's session (<c>ftp_tls_session_reuse</c>). Default optional.</summary>
    public TlsSessionReuse SessionReuse { get; init; } = TlsSessionReuse.Optional;

    /// <summary>Whether clients show a certificate (<c>ssl_verify_client</c>). Default off, as nginx.</summary>
    public ClientVerification VerifyClient { get; init; }

    /// <summary>The authorities of client certificates, whose names clients are told (<c>ssl_client_certificate</c>).</summary>
    public PlacedText? ClientCertificateFile { get; init; }

    /// <summary>More authorities, whose names clients are not told (<c>ssl_trusted_certificate</c>).</summary>
    public PlacedText? TrustedCertificateFile { get; init; }

    /// <summary>Revoked certificates (<c>ssl_crl</c>).</summary>
    public PlacedText? CrlFile { get; init; }

    /// <summary>Most intermediate authorities of a client's chain (<c>ssl_verify_depth</c>). Default 1, as nginx.</summary>
    public int VerifyDepth { get; init; } = 1;

    /// <summary>The bound of a handshake (<c>ssl_handshake_timeout</c>). Default 60 s, as nginx.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(60);
}

/// <summary>TLS towards servers.</summary>
public sealed record UpstreamTlsConfig
{
    internal const string DefaultCiphers = "DEFAULT";

    /// <summary>When TLS begins (<c>proxy_ssl</c>, <c>proxy_starttls</c>). Default off.</summary>
    public UpstreamTls Mode { get; init; }

    /// <summary>The protection of data connections (<c>proxy_ftp_prot</c>). Default match.</summary>
    public UpstreamProtection Protection { get; init; }

    /// <summary>The versions offered (<c>proxy_ssl_protocols</c>). Default TLSv1.2 and TLSv1.3, as nginx.</summary>
    public TlsProtocols Protocols { get; init; } = TlsProtocols.Tls12 | TlsProtocols.Tls13;

    /// <summary>The suites of TLS 1.2 and before, in OpenSSL's words (<c>proxy_ssl_ciphers</c>); null: DEFAULT, as nginx.</summary>
    public PlacedText? Ciphers { get; init; }

    /// <summary>OpenSSL's own commands, applied last (<c>proxy_ssl_conf_command</c>).</summary>
    public ImmutableArray<TlsCommandConfig> Commands { get; init; } = [];

    /// <summary>What Ferry shows servers that ask (<c>proxy_ssl_certificate</c>, <c>proxy_ssl_certificate_key</c>); null: nothing.</summary>
    public TlsCertificateConfig? Certificate { get; init; }

    /// <summary>The passphrases of the key, one a line (<c>proxy_ssl_password_file</c>).</summary>
    public PlacedText? PasswordFile { get; init; }

    /// <summary>A server's certificate must verify and carry the name (<c>proxy_ssl_verify</c>). Default off, as nginx.</summary>
    public bool Verify { get; init; }

    /// <summary>The authorities of <see cref="Verify"/> (<c>proxy_ssl_trusted_certificate</c>).</summary>
    public PlacedText? TrustedCertificateFile { get; init; }

    /// <summary>Revoked certificates (<c>proxy_ssl_crl</c>).</summary>
    public PlacedText? CrlFile { get; init; }

    /// <summary>Most intermediate authorities of a server's chain (<c>proxy_ssl_verify_depth</c>). Default 1, as nginx.</summary>
    public int VerifyDepth { get; init; } = 1;

    /// <summary>The name that a certificate must carry, and that SNI tells (<c>proxy_ssl_name</c>); null: the host in <c>proxy_pass</c> (an upstream's name counts as one), as nginx.</summary>
    public string? Name { get; init; }

    /// <summary>The name is sent as SNI (<c>proxy_ssl_server_name</c>). Default off, as nginx.</summary>
    public bool SendServerName { get; init; }

    /// <summary>Data connections resume their control connection's session, which many servers require, and control connections the last one with their server (<c>proxy_ssl_session_reuse</c>). Default on, as nginx.</summary>
    public bool SessionReuse { get; init; } = true;
}
