namespace Ferry.FunctionalTests.Harness;

/// <summary>The one TLS version that an end of a connection speaks.</summary>
public enum TlsVersion
{
    /// <summary>What it speaks of itself.</summary>
    Any,

    /// <summary>With all its ciphers, however weak.</summary>
    Tls10,
    Tls12,
    Tls13,
}

/// <summary>How a <see cref="RealServer"/> speaks TLS. As it stands: explicit, on demand, with data connections that must resume the control's session where the server can ask for that.</summary>
internal sealed record RealServerTls
{
    /// <summary>TLS from the first byte on; pure-ftpd cannot.</summary>
    public bool Implicit { get; init; }

    /// <summary>Nobody logs in without TLS.</summary>
    public bool LoginRequired { get; init; }

    /// <summary>No data connection without TLS; pure-ftpd asks for TLS at login too.</summary>
    public bool DataRequired { get; init; }

    /// <summary>vsftpd's require_ssl_reuse, and ProFTPD without NoSessionReuseRequired; the others never ask for it.</summary>
    public bool ReuseRequired { get; init; } = true;

    /// <summary>vsftpd's strict_ssl_read_eof: an upload that ends without close_notify has failed.</summary>
    public bool StrictEnd { get; init; }

    public TlsVersion Version { get; init; }

    /// <summary>vsftpd and ProFTPD let only clients in that have a certificate of this authority.</summary>
    public TestAuthority? ClientAuthority { get; init; }

    /// <summary>Null is <see cref="TestCertificate.Shared"/>; whoever gives another one disposes it.</summary>
    public TestCertificate? Certificate { get; init; }

    /// <summary>OpenSSL's configuration for programs that have no setting for the version.</summary>
    public string OpenSslConfiguration => Version == TlsVersion.Any ? "" : $"""
        openssl_conf = all
        [all]
        ssl_conf = ssl
        [ssl]
        system_default = defaults
        [defaults]
        MinProtocol = {VersionName}
        MaxProtocol = {VersionName}
        {(Version == TlsVersion.Tls10 ? "CipherString = ALL:@SECLEVEL=0" : "")}

        """;

    public string VersionName => Version switch
    {
        TlsVersion.Tls10 => "TLSv1",
        TlsVersion.Tls12 => "TLSv1.2",
        TlsVersion.Tls13 => "TLSv1.3",
        _ => "",
    };
}
