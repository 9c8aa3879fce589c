using Ferry.Config;

namespace Ferry.Transport.Tls;

/// <summary>Puts a configuration into an SSL_CTX. It goes on after an error, so that all of them are told at once.</summary>
internal sealed partial class TlsContextBuilder : IDisposable
{
    private readonly SafeSslContextHandle _context;
    private readonly bool _isServer;
    private readonly TlsFindings _findings;
    private readonly DateTimeOffset _now;

    public TlsContextBuilder(SafeSslContextHandle context, bool isServer, TlsFindings findings, DateTimeOffset now)
    {
        _context = context;
        _isServer = isServer;
        _findings = findings;
        _now = now;
    }

    /// <summary>When the first certificate expires.</summary>
    public DateTimeOffset? Expires { get; private set; }

    public void Apply(ClientTlsConfig config, string name)
    {
        SetOptions(config.PreferServerCiphers ? OpenSsl.SSL_OP_CIPHER_SERVER_PREFERENCE : 0);
        var place = config.Ciphers ?? (config.Certificates.IsDefaultOrEmpty ? null : config.Certificates[0].CertificateFile);
        SetProtocols(config.Protocols, place);
        // As nginx; before the certificates, because the list's security level judges them.
        SetCiphers(config.Ciphers, "HIGH:!aNULL:!MD5", config.Protocols, place);
        SetCurves(config.Curves);
        SetDhParameters(config.DhParamFile);
        SetCertificates(config);
        SetClientVerification(config);
        SetSessions(config, name);
        RunCommands(config.Commands);
    }

    public void Apply(UpstreamTlsConfig config)
    {
        SetOptions(0);
        SetProtocols(config.Protocols, config.Ciphers);
        SetCiphers(config.Ciphers, "DEFAULT", config.Protocols, config.Ciphers); // as nginx
        SetCertificate(config);
        SetServerVerification(config);
        // The session to resume is that of the control connection, handed over by hand. A cache, even an empty one, would mark each session of TLS 1.3
        // that is resumed once as spent, and the second data connection could not.
        _ = OpenSsl.SSL_CTX_ctrl(_context, OpenSsl.SSL_CTRL_SET_SESS_CACHE_MODE, OpenSsl.SSL_SESS_CACHE_OFF, 0);
        RunCommands(config.Commands);
    }

    public void Dispose() => _identity.Dispose();

    private void SetOptions(ulong more)
    {
        // No SSL_OP_IGNORE_UNEXPECTED_EOF: an end without close_notify must be seen. No SSL_OP_ENABLE_KTLS: it needs OpenSSL's own socket BIO.
        _ = OpenSsl.SSL_CTX_set_options(_context, OpenSsl.SSL_OP_NO_COMPRESSION | OpenSsl.SSL_OP_NO_RENEGOTIATION | more);
        // No SSL_MODE_ENABLE_PARTIAL_WRITE: it would end each write after one record, and a batch is to be one call.
        const int Modes = OpenSsl.SSL_MODE_RELEASE_BUFFERS | OpenSsl.SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | OpenSsl.SSL_MODE_AUTO_RETRY;
        _ = OpenSsl.SSL_CTX_ctrl(_context, OpenSsl.SSL_CTRL_MODE, Modes, 0);
    }

    private void SetProtocols(TlsProtocols protocols, PlacedText? place)
    {
        var lowest = 0;
        var highest = 0;
        var holes = 0UL;
        ReadOnlySpan<(TlsProtocols Protocol, int Version, ulong Off)> all =
        [
            (TlsProtocols.Tls10, OpenSsl.TLS1_VERSION, 0), // the lowest and the highest are never holes
            (TlsProtocols.Tls11, OpenSsl.TLS1_1_VERSION, OpenSsl.SSL_OP_NO_TLSv1_1),
            (TlsProtocols.Tls12, OpenSsl.TLS1_2_VERSION, OpenSsl.SSL_OP_NO_TLSv1_2),
            (TlsProtocols.Tls13, OpenSsl.TLS1_3_VERSION, 0),
        ];
        foreach (var (protocol, version, off) in all)
        {
            if (protocols.HasFlag(protocol))
            {
                lowest = lowest == 0 ? version : lowest;
                highest = version;
            }
            else
            {
                holes |= off;
            }
        }
        if (lowest == 0)
        {
            _findings.Error(place, "no version of TLS is left to offer");
            return;
        }
        _ = OpenSsl.SSL_CTX_ctrl(_context, OpenSsl.SSL_CTRL_SET_MIN_PROTO_VERSION, lowest, 0);
        _ = OpenSsl.SSL_CTX_ctrl(_context, OpenSsl.SSL_CTRL_SET_MAX_PROTO_VERSION, highest, 0);
        _ = OpenSsl.SSL_CTX_set_options(_context, holes);
    }
}
