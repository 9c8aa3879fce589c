using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Transport.Tls;

public sealed class TlsContextVerificationTests : IDisposable
{
    // x509_vfy.h
    private const long X509_V_OK = 0;
    private const long X509_V_ERR_UNABLE_TO_GET_CRL = 3;
    private const long X509_V_ERR_CERT_HAS_EXPIRED = 10;
    private const long X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY = 20;
    private const long X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE = 21;
    private const long X509_V_ERR_CERT_REVOKED = 23;

    private readonly TlsContexts _made = new();
    private readonly TestAuthority _root = new();
    private readonly TestAuthority _other = new("Other Root");

    public void Dispose()
    {
        _root.Dispose();
        _other.Dispose();
        _made.Dispose();
    }

    [Theory]
    [InlineData(ClientVerification.Off, false)]
    [InlineData(ClientVerification.On, true)]
    [InlineData(ClientVerification.Optional, true)]
    [InlineData(ClientVerification.OptionalNoCa, true)]
    public void A_client_is_asked_for_its_certificate_where_that_is_configured(ClientVerification verify, bool isAsked)
    {
        using var own = _root.IssueClient();
        var client = _made.Client(c => c with { Certificate = _made.Write(own, "client") });
        var server = _made.Server(c => c with { VerifyClient = verify, ClientCertificateFile = Authority(_root) });

        var (_, s) = _made.Meet(client, server);

        Assert.Null(s.Failure);
        Assert.Equal(isAsked ? own.Certificate.RawData : null, s.PeerCertificate);
        Assert.Equal(X509_V_OK, s.VerifyResult);
    }

    [Fact]
    public void A_handshake_goes_on_whatever_the_clients_certificate_is_and_the_result_says_it()
    {
        var server = _made.Server(c => c with { VerifyClient = ClientVerification.On, ClientCertificateFile = Authority(_root) });
        using var foreign = _other.IssueClient();
        using var expired = _root.IssueExpired();

        // 20, whose issuer is unknown, is followed by 21.
        Assert.Equal(X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, ResultOf(foreign));
        Assert.Equal(X509_V_ERR_CERT_HAS_EXPIRED, ResultOf(expired));

        // None at all is no result: the end asks for the certificate itself.
        var (c, s) = _made.Meet(_made.Client(), server);
        Assert.Null(c.Failure ?? s.Failure);
        Assert.Null(s.PeerCertificate);

        long ResultOf(TestCertificate certificate)
        {
            var (c, s) = _made.Meet(_made.Client(c => c with { Certificate = _made.Write(certificate, "client") }), server);
            Assert.Null(c.Failure ?? s.Failure);
            return s.VerifyResult;
        }
    }

    [Fact]
    public void The_result_is_remembered_by_a_resumed_session()
    {
        using var foreign = _other.IssueClient();
        var server = _made.Server(c => c with { VerifyClient = ClientVerification.On, ClientCertificateFile = Authority(_root) });
        var client = _made.Client(c => c with { Certificate = _made.Write(foreign, "client") });
        var session = _made.Meet(client, server).Client.Session();

        var (_, s) = _made.Meet(client, server, new Meeting { Resume = session });
        SslEnd.SSL_SESSION_free(session);

        Assert.True(s.IsResumed);
        Assert.Equal(X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, s.VerifyResult);
    }

    [Fact]
    public void Clients_are_told_the_names_of_client_authorities_but_not_of_those_trusted_beside()
    {
        using var own = _other.IssueClient();
        var server = _made.Server(c => c with
        {
            VerifyClient = ClientVerification.On,
            ClientCertificateFile = Authority(_root),
            TrustedCertificateFile = _made.Write("trusted.crt", _other.CertificatePem),
        });

        var (c, s) = _made.Meet(_made.Client(c => c with { Certificate = _made.Write(own, "client") }), server);

        Assert.Equal(1, c.ToldAuthorities);
        Assert.Equal(X509_V_OK, s.VerifyResult);
    }

    [Theory]
    [InlineData(0, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY)]
    [InlineData(1, X509_V_OK)]
    public void A_chain_may_be_as_long_as_configured(int depth, long result)
    {
        using var middle = new TestAuthority("Middle", _root);
        using var own = middle.IssueClient();
        var server = _made.Server(c => c with { VerifyClient = ClientVerification.On, ClientCertificateFile = Authority(_root), VerifyDepth = depth });

        var (_, s) = _made.Meet(_made.Client(c => c with { Certificate = _made.Write(own, "client") }), server);

        Assert.Equal(result, s.VerifyResult);
    }

    [Fact]
    public void Revoked_certificates_are_found_in_the_list()
    {
        using var good = _root.IssueClient("good");
        using var revoked = _root.IssueClient("revoked");
        var list = _made.Write("ca.crl", _root.Crl(revoked));
        var server = _made.Server(c => c with { VerifyClient = ClientVerification.On, ClientCertificateFile = Authority(_root), CrlFile = list });
        // As nginx: with lists there must be one of every authority.
        var unlisted = _made.Server(c => c with { VerifyClient = ClientVerification.On, ClientCertificateFile = Authority(_root), CrlFile = _made.Write("other.crl", _other.Crl()) });

        Assert.Equal(X509_V_OK, ResultOf(good, server));
        Assert.Equal(X509_V_ERR_CERT_REVOKED, ResultOf(revoked, server));
        Assert.Equal(X509_V_ERR_UNABLE_TO_GET_CRL, ResultOf(good, unlisted));

        long ResultOf(TestCertificate certificate, TlsContext at) =>
            _made.Meet(_made.Client(c => c with { Certificate = _made.Write(certificate, "client") }), at).Server.VerifyResult;
    }

    [Fact]
    public void Authorities_and_lists_that_hold_none_are_errors()
    {
        var text = _made.Write("text.pem", "nothing\n");

        Assert.Null(_made.TryServer(_made.ServerConfig() with { VerifyClient = ClientVerification.On, ClientCertificateFile = text, CrlFile = text }));

        Assert.Collection(
            _made.Errors,
            e => Assert.StartsWith("there is no certificate in", e, StringComparison.Ordinal),
            e => Assert.StartsWith("there is no list of revoked certificates in", e, StringComparison.Ordinal));
    }

    [Fact]
    public void Clients_cannot_be_verified_without_authorities()
    {
        Assert.Null(_made.TryServer(_made.ServerConfig() with { VerifyClient = ClientVerification.Optional }));
        Assert.Contains("ssl_client_certificate", Assert.Single(_made.Errors), StringComparison.Ordinal);
        Assert.NotNull(_made.TryServer(_made.ServerConfig() with { VerifyClient = ClientVerification.OptionalNoCa }));
    }

    [Theory]
    [InlineData(false, false, null)]
    [InlineData(true, false, "certificate verify failed")]
    [InlineData(true, true, null)]
    public void A_server_must_be_trusted_where_that_is_configured(bool verify, bool isTrusted, string? failure)
    {
        var server = _made.Server(c => c with { Certificates = [_made.Write(_root.Issue())] });
        var client = _made.Client(c => c with { Verify = verify, TrustedCertificateFile = Authority(isTrusted ? _root : _other) });

        Assert.Equal(failure, _made.Meet(client, server).Client.Failure);
    }

    [Fact]
    public void A_servers_certificate_may_be_revoked()
    {
        var leaf = _root.Issue();
        var server = _made.Server(c => c with { Certificates = [_made.Write(leaf)] });
        var client = _made.Client(c => c with { Verify = true, TrustedCertificateFile = Authority(_root), CrlFile = _made.Write("ca.crl", _root.Crl(leaf)) });

        var (c, _) = _made.Meet(client, server);

        Assert.Equal("certificate verify failed", c.Failure);
        Assert.Equal(X509_V_ERR_CERT_REVOKED, c.VerifyResult);
    }

    [Theory]
    [InlineData(0, "certificate verify failed")]
    [InlineData(1, null)]
    public void A_servers_chain_may_be_as_long_as_configured(int depth, string? failure)
    {
        using var middle = new TestAuthority("Middle", _root);
        var server = _made.Server(c => c with { Certificates = [_made.Write(middle.Issue())] });

        var (c, _) = _made.Meet(_made.Client(c => c with { Verify = true, VerifyDepth = depth, TrustedCertificateFile = Authority(_root) }), server);

        Assert.Equal(failure, c.Failure);
    }

    [Fact]
    public void A_key_towards_servers_may_be_encrypted_and_a_wrong_one_is_an_error()
    {
        using var own = _root.IssueClient();
        var pair = _made.Write(own, "client");
        var other = _made.Write(_root.IssueClient("other"), "other");

        Assert.Null(_made.TryClient(new UpstreamTlsConfig { Certificate = pair with { KeyFile = other.KeyFile } }));
        Assert.Contains("does not belong to the certificate", Assert.Single(_made.Errors), StringComparison.Ordinal);

        using var key = System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions.GetECDsaPrivateKey(own.Certificate)!;
        var encrypted = key.ExportEncryptedPkcs8PrivateKeyPem("secret", new(System.Security.Cryptography.PbeEncryptionAlgorithm.Aes256Cbc, System.Security.Cryptography.HashAlgorithmName.SHA256, 1000));
        pair = pair with { KeyFile = _made.Write("encrypted.key", encrypted + "\n") };
        Assert.Null(_made.TryClient(new UpstreamTlsConfig { Certificate = pair }));
        Assert.Contains("proxy_ssl_password_file", Assert.Single(_made.Errors), StringComparison.Ordinal);
        Assert.NotNull(_made.TryClient(new UpstreamTlsConfig { Certificate = pair, PasswordFile = _made.Write("passwords", "secret") }));
    }

    private PlacedText Authority(TestAuthority authority) => _made.Write(authority == _root ? "root.crt" : "other.crt", authority.CertificatePem);
}
