using System.IO;
using System.Linq;
using System.Security.Cryptography;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.Tests;

namespace Ferry.FunctionalTests.Transport.Tls;

public sealed class TlsContextCertificateTests : IDisposable
{
    private const string Passphrase = "open sesame";

    private readonly TlsContexts _made = new();

    public void Dispose() => _made.Dispose();

    [Fact]
    public void Certificate_and_key_may_be_in_one_file()
    {
        using var certificate = TestCertificate.SelfSigned(TestKey.Rsa);
        var both = new PlacedText(certificate.WriteTo(_made.Folder.Path).Both);

        var server = _made.Server(c => c with { Certificates = [new TlsCertificateConfig(both, both)] });

        Assert.Equal(certificate.Certificate.RawData, _made.Meet(_made.Client(), server).Client.PeerCertificate);
    }

    [Fact]
    public void Intermediate_authorities_are_shown_with_the_certificate()
    {
        using var root = new TestAuthority();
        using var middle = new TestAuthority("Middle", root);
        var server = _made.Server(c => c with { Certificates = [_made.Write(middle.Issue())] });

        Assert.Equal(2, _made.Meet(_made.Client(), server).Client.PeerChainLength);
    }

    [Fact]
    public void Files_that_are_not_there_or_hold_nothing_of_use_are_errors()
    {
        var good = _made.Write(TestCertificate.SelfSigned());
        var text = _made.Write("text.pem", "no PEM at all\n");
        var empty = _made.Write("empty.pem", "");
        var broken = _made.Write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        var absent = new PlacedText(_made.Folder["absent.pem"], TlsContexts.At(9));

        Assert.Null(_made.TryServer(_made.ServerConfig() with
        {
            Certificates =
            [
                good with { CertificateFile = absent }, good with { CertificateFile = text }, good with { CertificateFile = empty }, good with { CertificateFile = broken },
                good with { KeyFile = absent }, good with { KeyFile = text },
            ],
        }));

        Assert.Collection(
            _made.Found,
            f => Assert.Equal($"cannot read the certificate from \"{absent.Value}\": there is no such file", f.Message),
            f => Assert.Contains("there is no certificate in", f.Message, StringComparison.Ordinal),
            f => Assert.Contains("is empty; it should hold the certificate", f.Message, StringComparison.Ordinal),
            f => Assert.Contains("broken.pem\" cannot be read: ", f.Message, StringComparison.Ordinal),
            f => Assert.Equal($"cannot read the private key from \"{absent.Value}\": there is no such file", f.Message),
            f => Assert.Contains("there is no private key in", f.Message, StringComparison.Ordinal));
        Assert.Equal((TlsContexts.At(9), absent.Value.Length), (_made.Found[0].Position, _made.Found[0].Length));
    }

    [Fact]
    public void A_pipe_that_nobody_writes_to_is_an_error_and_no_wait()
    {
        var pipe = new PlacedText(_made.Folder["pipe"]);
        Assert.Equal(0, SslEnd.mkfifo(pipe.Value, 0x180)); // 0600

        Assert.Null(_made.TryServer(_made.ServerConfig(c => c with { Certificates = [c.Certificates[0] with { KeyFile = pipe }] })));

        Assert.Equal([$"cannot read the private key from \"{pipe.Value}\": it is no regular file"], _made.Errors);
    }

    [Fact]
    public void A_key_of_another_certificate_is_an_error_that_names_both_files()
    {
        var one = _made.Write(TestCertificate.SelfSigned(TestKey.Ecdsa), "one");
        var other = _made.Write(TestCertificate.SelfSigned(TestKey.Ecdsa), "other");

        Assert.Null(_made.TryServer(_made.ServerConfig() with { Certificates = [one with { KeyFile = other.KeyFile }] }));

        Assert.Equal([$"the key in \"{other.KeyFile.Value}\" does not belong to the certificate in \"{one.CertificateFile.Value}\""], _made.Errors);
    }

    [Fact]
    public void No_certificate_at_all_is_an_error()
    {
        Assert.Null(_made.TryServer(_made.ServerConfig() with { Certificates = [] }));

        Assert.Contains("needs a certificate", Assert.Single(_made.Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-40, "is not valid before")]
    [InlineData(0, null)]
    [InlineData(15, null)]
    [InlineData(17, "expires on")]
    [InlineData(31, "expired on")]
    public void Dates_that_matter_are_warned_of(int days, string? warning)
    {
        var now = new ManualTimeProvider(TimeProvider.System.GetUtcNow().AddDays(days)); // the certificate is good from yesterday for 31 days

        Assert.NotNull(_made.TryServer(_made.ServerConfig(), now));

        if (warning is null)
            Assert.Empty(_made.Warnings);
        else
            Assert.Contains(warning, Assert.Single(_made.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_is_too_short_for_the_security_level_is_an_error_in_OpenSSLs_words()
    {
        using var key = RSA.Create(1024);
        var weak = new TestCertificate(TestCertificate.LeafRequest(key, ["weak.example"], "1.3.6.1.5.5.7.3.1").CreateSelfSigned(TestCertificate.Now, TestCertificate.Now.AddDays(30)));
        var pair = _made.Write(weak);

        var strict = new PlacedText("DEFAULT:@SECLEVEL=2");

        Assert.Null(_made.TryServer(_made.ServerConfig() with { Certificates = [pair], Ciphers = strict }));
        Assert.EndsWith(": ee key too small", Assert.Single(_made.Errors), StringComparison.Ordinal);
        Assert.NotNull(_made.TryServer(_made.ServerConfig() with { Certificates = [pair], Ciphers = new PlacedText("DEFAULT:@SECLEVEL=0") }));
        // One that only a name would pick is tried, too.
        Assert.Null(_made.TryServer(_made.ServerConfig() with { Certificates = [_made.Write(TestCertificate.SelfSigned(), "first"), pair], Ciphers = strict }));
        Assert.EndsWith(": ee key too small", Assert.Single(_made.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void An_encrypted_key_opens_with_any_of_the_passphrases()
    {
        var pair = Encrypted();
        var passwords = _made.Write("passwords", $"wrong\n\n{Passphrase}\n");

        var server = _made.Server(c => c with { Certificates = [pair], PasswordFile = passwords });

        Assert.Null(_made.Meet(_made.Client(), server).Client.Failure);
    }

    [Fact]
    public void An_encrypted_key_without_its_passphrase_is_an_error_that_tells_no_secret()
    {
        var pair = Encrypted();

        Assert.Null(_made.TryServer(_made.ServerConfig() with { Certificates = [pair] }));
        Assert.Contains("is encrypted; name the file of its passphrase with ssl_password_file", Assert.Single(_made.Errors), StringComparison.Ordinal);
        Assert.Null(_made.TryServer(_made.ServerConfig() with { Certificates = [pair], PasswordFile = _made.Write("passwords", "wrong\nwronger\n") }));
        Assert.StartsWith("none of the passphrases in", Assert.Single(_made.Errors), StringComparison.Ordinal);
        Assert.DoesNotContain("wrong", _made.Errors[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "a")]
    [InlineData("a.example", "a")]
    [InlineData("b.example", "b")]
    [InlineData("x.c.example", "c")]
    [InlineData("c.example", "a")]
    [InlineData("unknown.example", "a")]
    public void The_name_that_a_client_asks_for_picks_the_certificate(string? asked, string shown)
    {
        var certificates = new Dictionary<string, TestCertificate>
        {
            ["a"] = TestCertificate.SelfSigned(TestKey.Ecdsa, "a.example"),
            ["b"] = TestCertificate.SelfSigned(TestKey.Ecdsa, "b.example"),
            ["c"] = TestCertificate.SelfSigned(TestKey.Ecdsa, "*.c.example"),
        };
        var server = _made.Server(c => c with { Certificates = [.. certificates.Select(p => _made.Write(p.Value, p.Key))] });

        foreach (var protocol in (TlsProtocols[])[TlsProtocols.Tls12, TlsProtocols.Tls13])
        {
            var (c, s) = _made.Meet(_made.Client(c => c with { Protocols = protocol }), server, new Meeting { ServerName = asked });

            Assert.Null(c.Failure ?? s.Failure);
            Assert.Equal(certificates[shown].Certificate.RawData, c.PeerCertificate);
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("a.example")]
    [InlineData("b.example")]
    public void One_certificate_of_each_kind_of_key_serves_a_name(string? asked)
    {
        var server = _made.Server(c => c with
        {
            Certificates =
            [
                _made.Write(TestCertificate.SelfSigned(TestKey.Ecdsa, "a.example"), "ae"), _made.Write(TestCertificate.SelfSigned(TestKey.Ecdsa, "b.example"), "be"),
                _made.Write(TestCertificate.SelfSigned(TestKey.Rsa, "b.example"), "br"), _made.Write(TestCertificate.SelfSigned(TestKey.Rsa, "a.example"), "ar"),
            ],
        });
        var shown = (asked ?? "a.example")[..1];

        foreach (var (suite, kind) in (ReadOnlySpan<(string, string)>)[("ECDHE-RSA-AES128-GCM-SHA256", "r"), ("ECDHE-ECDSA-AES128-GCM-SHA256", "e")])
        {
            var client = _made.Client(c => c with { Protocols = TlsProtocols.Tls12, Ciphers = new PlacedText(suite) });
            var (c, s) = _made.Meet(client, server, new Meeting { ServerName = asked });

            Assert.Null(c.Failure ?? s.Failure);
            Assert.Equal(File.ReadAllText(_made.Folder[$"{shown}{kind}.crt"]), PemEncoding.WriteString("CERTIFICATE", c.PeerCertificate!) + "\n");
        }
    }

    [Fact]
    public void A_key_of_another_kind_for_another_name_is_not_shown_to_who_asks_for_none()
    {
        var server = _made.Server(c => c with
        {
            Certificates = [_made.Write(TestCertificate.SelfSigned(TestKey.Ecdsa, "a.example"), "a"), _made.Write(TestCertificate.SelfSigned(TestKey.Rsa, "b.example"), "b")],
        });
        var client = _made.Client(c => c with { Protocols = TlsProtocols.Tls12, Ciphers = new PlacedText("ECDHE-RSA-AES128-GCM-SHA256") });

        Assert.Equal("no shared cipher", _made.Meet(client, server).Server.Failure);
        Assert.Null(_made.Meet(client, server, new Meeting { ServerName = "b.example" }).Server.Failure);
    }

    [Fact]
    public void Certificates_to_choose_among_live_as_long_as_a_connection_needs_them()
    {
        var server = _made.Server(c => c with
        {
            Certificates = [_made.Write(TestCertificate.SelfSigned(TestKey.Ecdsa, "a.example"), "a"), _made.Write(TestCertificate.SelfSigned(TestKey.Ecdsa, "b.example"), "b")],
        });

        var (c, s) = _made.Meet(_made.Client(), server, new Meeting { ServerName = "b.example", BeforeHandshake = server.Dispose });

        Assert.Null(c.Failure ?? s.Failure);
        Assert.Equal(File.ReadAllText(_made.Folder["b.crt"]), PemEncoding.WriteString("CERTIFICATE", c.PeerCertificate!) + "\n");
    }

    private TlsCertificateConfig Encrypted()
    {
        using var certificate = TestCertificate.SelfSigned(TestKey.Rsa);
        using var key = System.Security.Cryptography.X509Certificates.RSACertificateExtensions.GetRSAPrivateKey(certificate.Certificate)!;
        var encrypted = key.ExportEncryptedPkcs8PrivateKeyPem(Passphrase, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000));
        return new TlsCertificateConfig(_made.Write("encrypted.crt", certificate.CertificatePem), _made.Write("encrypted.key", encrypted + "\n"));
    }
}
