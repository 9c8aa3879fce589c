using System.IO;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ferry.FunctionalTests.Harness;

/// <summary>The kinds of keys that a test certificate may have.</summary>
public enum TestKey
{
    Rsa,
    Ecdsa,
}

/// <summary>Where the parts of a certificate lie: the chain (leaf first), the key, and both in one file, as vsftpd and pure-ftpd want them.</summary>
internal sealed record TestCertificateFiles(string Chain, string Key, string Both);

/// <summary>A certificate with its private key, made for a test and valid only around now.</summary>
internal sealed class TestCertificate : IDisposable
{
    /// <summary>The names by which a test reaches a server on this machine.</summary>
    public static readonly string[] LocalNames = ["localhost", "127.0.0.1", "::1"];

    private static readonly Lazy<TestCertificate> Common = new(() => SelfSigned());

    /// <summary>A CA's certificates, from the leaf's issuer upwards without the root, which a client has by itself.</summary>
    private readonly string _intermediates;

    internal TestCertificate(X509Certificate2 certificate, string intermediates = "")
    {
        Certificate = certificate;
        _intermediates = intermediates;
    }

    /// <summary>A self-signed one for <see cref="LocalNames"/>, for whoever does not care; nobody disposes it.</summary>
    public static TestCertificate Shared => Common.Value;

    /// <summary>With its private key.</summary>
    public X509Certificate2 Certificate { get; }

    public string CertificatePem => Certificate.ExportCertificatePem() + "\n";

    public string ChainPem => CertificatePem + _intermediates;

    /// <summary>PKCS #8, without a passphrase.</summary>
    public string KeyPem
    {
        get
        {
            using AsymmetricAlgorithm key = (AsymmetricAlgorithm?)Certificate.GetRSAPrivateKey() ?? Certificate.GetECDsaPrivateKey()!;
            return key.ExportPkcs8PrivateKeyPem() + "\n";
        }
    }

    /// <summary>A certificate that nobody vouches for; without names it is for <see cref="LocalNames"/>.</summary>
    public static TestCertificate SelfSigned(TestKey key = TestKey.Rsa, params string[] names)
    {
        using var pair = NewKey(key);
        return new TestCertificate(LeafRequest(pair, names, "1.3.6.1.5.5.7.3.1").CreateSelfSigned(Now.AddDays(-1), Now.AddDays(30)));
    }

    /// <summary>Writes <c>NAME.crt</c>, <c>NAME.key</c> and <c>NAME.pem</c>.</summary>
    public TestCertificateFiles WriteTo(string folder, string name = "server")
    {
        var files = new TestCertificateFiles(Path.Combine(folder, name + ".crt"), Path.Combine(folder, name + ".key"), Path.Combine(folder, name + ".pem"));
        File.WriteAllText(files.Chain, ChainPem);
        foreach (var (path, text) in ((string, string)[])[(files.Key, KeyPem), (files.Both, ChainPem + KeyPem)])
        {
            // ProFTPD refuses a key that others may read. A file that is there already is replaced as a whole, as certificate tools do it.
            var fresh = path + ".new";
            File.WriteAllText(fresh, text);
            File.SetUnixFileMode(fresh, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            File.Move(fresh, path, overwrite: true);
        }
        return files;
    }

    public void Dispose() => Certificate.Dispose();

    internal static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    internal static AsymmetricAlgorithm NewKey(TestKey key) => key == TestKey.Rsa ? RSA.Create(2048) : ECDsa.Create(ECCurve.NamedCurves.nistP256);

    internal static CertificateRequest Request(string subject, AsymmetricAlgorithm key) => key is RSA rsa
        ? new CertificateRequest(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
        : new CertificateRequest(subject, (ECDsa)key, HashAlgorithmName.SHA256);

    internal static X509Certificate2 WithKey(X509Certificate2 certificate, AsymmetricAlgorithm key) =>
        key is RSA rsa ? certificate.CopyWithPrivateKey(rsa) : certificate.CopyWithPrivateKey((ECDsa)key);

    /// <summary>A request for an end of a connection, with one purpose: 1.3.6.1.5.5.7.3.1 server, .2 client (RFC 5280 §4.2.1.12).</summary>
    internal static CertificateRequest LeafRequest(AsymmetricAlgorithm key, string[] names, string purpose)
    {
        if (names.Length == 0)
            names = LocalNames;
        var request = Request($"CN={names[0]}", key);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
                alternatives.AddIpAddress(address);
            else
                alternatives.AddDnsName(name);
        }
        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request;
    }
}
