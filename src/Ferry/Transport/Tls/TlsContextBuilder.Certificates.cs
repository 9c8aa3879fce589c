using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using Ferry.Config;

namespace Ferry.Transport.Tls;

// Who we are, and whom we trust.
internal sealed partial class TlsContextBuilder
{
    private static readonly TimeSpan ExpiryNotice = TimeSpan.FromDays(14);

    // What sessions belong to, beside the server's name: another certificate or other authorities are another context.
    private readonly IncrementalHash _identity = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    private void SetCertificates(ClientTlsConfig config)
    {
        if (config.Certificates.IsDefaultOrEmpty)
        {
            _findings.Error(null, "TLS towards clients needs a certificate (ssl_certificate and ssl_certificate_key)");
            return;
        }
        var loaded = ImmutableArray.CreateBuilder<TlsCertificate>();
        foreach (var pair in config.Certificates)
        {
            if (TlsCertificate.TryLoad(pair, config.PasswordFile, "ssl_password_file", _findings) is not { } certificate)
                continue;
            loaded.Add(certificate);
            Judge(certificate, pair.CertificateFile);
        }
        if (loaded.Count < config.Certificates.Length)
        {
            foreach (var certificate in loaded)
                certificate.Dispose();
            return;
        }
        var certificates = new ServerCertificates(loaded.ToImmutable());
        foreach (var certificate in certificates.ByDefault)
            Use(_context, certificate, config.Certificates[loaded.IndexOf(certificate)].CertificateFile);
        TryOthers(certificates, loaded, config.Certificates);
        if (certificates.AreSeveral)
            State.Certificates = certificates; // the connections' from now on, and freed with the context
        else
            certificates.Dispose(); // the context has its own references
    }

    /// <summary>Certificates that only some name picks are tried beside the context, so that none is found bad by its first client.</summary>
    private void TryOthers(ServerCertificates certificates, ImmutableArray<TlsCertificate>.Builder loaded, ImmutableArray<TlsCertificateConfig> configs)
    {
        if (certificates.ByDefault.Length == loaded.Count)
            return;
        using var trial = new SafeSslContextHandle(OpenSsl.SSL_CTX_new(OpenSsl.TLS_server_method()));
        OpenSsl.SSL_CTX_set_security_level(trial, OpenSsl.SSL_CTX_get_security_level(_context));
        for (var i = 0; i < loaded.Count; i++)
        {
            if (!certificates.ByDefault.Contains(loaded[i]))
                Use(trial, loaded[i], configs[i].CertificateFile);
        }
    }

    private void SetCertificate(UpstreamTlsConfig config)
    {
        if (config.Certificate is not { } pair || TlsCertificate.TryLoad(pair, config.PasswordFile, "proxy_ssl_password_file", _findings) is not { } certificate)
            return;
        using (certificate)
        {
            Judge(certificate, pair.CertificateFile);
            Use(_context, certificate, pair.CertificateFile);
        }
    }

    private void Use(SafeSslContextHandle context, TlsCertificate certificate, PlacedText file)
    {
        if (!certificate.TryUse(context))
            _findings.Error(file, $"OpenSSL does not take the certificate in \"{file.Value}\": {OpenSsl.TakeErrors()}");
    }

    private void Judge(TlsCertificate certificate, PlacedText file)
    {
        if (Expires is null || certificate.NotAfter < Expires)
            Expires = certificate.NotAfter;
        _identity.AppendData(certificate.Der);
        if (certificate.NotAfter < _now)
            _findings.Warning(file, $"the certificate in \"{file.Value}\" expired on {Day(certificate.NotAfter)}");
        else if (certificate.NotBefore > _now)
            _findings.Warning(file, $"the certificate in \"{file.Value}\" is not valid before {Day(certificate.NotBefore)}");
        else if (certificate.NotAfter < _now + ExpiryNotice)
            _findings.Warning(file, $"the certificate in \"{file.Value}\" expires on {Day(certificate.NotAfter)}");
    }

    private static string Day(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private unsafe void SetClientVerification(ClientTlsConfig config)
    {
        if (config.ClientCertificateFile is { } told)
            Trust(told, isTold: true);
        if (config.TrustedCertificateFile is { } trusted)
            Trust(trusted, isTold: false);
        Revoke(config.CrlFile);
        if (config.VerifyClient == ClientVerification.Off)
            return;
        if (config.VerifyClient != ClientVerification.OptionalNoCa && config.ClientCertificateFile is null && config.TrustedCertificateFile is null)
            _findings.Error(null, "ssl_verify_client needs the authorities of client certificates (ssl_client_certificate)");
        // As nginx: the handshake goes on whatever comes out, so that the client can be told in FTP why it is turned away.
        OpenSsl.SSL_CTX_set_verify(_context, OpenSsl.SSL_VERIFY_PEER, &AcceptWhateverComesOut);
        OpenSsl.SSL_CTX_set_verify_depth(_context, config.VerifyDepth);
    }

    private unsafe void SetServerVerification(UpstreamTlsConfig config)
    {
        if (!config.Verify)
        {
            OpenSsl.SSL_CTX_set_verify(_context, OpenSsl.SSL_VERIFY_NONE, null);
            return;
        }
        if (config.TrustedCertificateFile is { } trusted)
            Trust(trusted, isTold: false);
        else
            _ = OpenSsl.SSL_CTX_set_default_verify_paths(_context);
        Revoke(config.CrlFile);
        OpenSsl.SSL_CTX_set_verify(_context, OpenSsl.SSL_VERIFY_PEER, null);
        OpenSsl.SSL_CTX_set_verify_depth(_context, config.VerifyDepth);
    }

    private void Trust(PlacedText file, bool isTold)
    {
        if (PemFile.TryOpen(file, "certificates of authorities", _findings) is not { } pem)
            return;
        using (pem)
        {
            _identity.AppendData(SHA256.HashData(pem.Content));
            var store = OpenSsl.SSL_CTX_get_cert_store(_context);
            var count = 0;
            while (OpenSsl.PEM_read_bio_X509_AUX(pem.Bio, 0, 0, 0) is var authority && authority != 0)
            {
                count++;
                _ = OpenSsl.X509_STORE_add_cert(store, authority); // one that is there already is fine
                if (isTold)
                    _ = OpenSsl.SSL_CTX_add_client_CA(_context, authority);
                OpenSsl.X509_free(authority);
            }
            if (!OpenSsl.TakeEndOfPem())
                _findings.Error(file, $"certificate {count + 1} in \"{file.Value}\" cannot be read: {OpenSsl.TakeErrors()}");
            else if (count == 0)
                _findings.Error(file, $"there is no certificate in \"{file.Value}\" (PEM begins with -----BEGIN CERTIFICATE-----)");
        }
    }

    private void Revoke(PlacedText? file)
    {
        if (file is null || PemFile.TryOpen(file, "lists of revoked certificates", _findings) is not { } pem)
            return;
        using (pem)
        {
            var store = OpenSsl.SSL_CTX_get_cert_store(_context);
            var count = 0;
            while (OpenSsl.PEM_read_bio_X509_CRL(pem.Bio, 0, 0, 0) is var revoked && revoked != 0)
            {
                count++;
                _ = OpenSsl.X509_STORE_add_crl(store, revoked);
                OpenSsl.X509_CRL_free(revoked);
            }
            if (!OpenSsl.TakeEndOfPem())
                _findings.Error(file, $"list {count + 1} in \"{file.Value}\" cannot be read: {OpenSsl.TakeErrors()}");
            else if (count == 0)
                _findings.Error(file, $"there is no list of revoked certificates in \"{file.Value}\" (PEM begins with -----BEGIN X509 CRL-----)");
            _ = OpenSsl.X509_STORE_set_flags(store, OpenSsl.X509_V_FLAG_CRL_CHECK | OpenSsl.X509_V_FLAG_CRL_CHECK_ALL); // as nginx
        }
    }
}
