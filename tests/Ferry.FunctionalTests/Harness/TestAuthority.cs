using System.IO;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ferry.FunctionalTests.Harness;

/// <summary>A certificate authority of a test: a root of its own, or one that another vouches for.</summary>
internal sealed class TestAuthority : IDisposable
{
    private const string Server = "1.3.6.1.5.5.7.3.1";
    private const string Client = "1.3.6.1.5.5.7.3.2";

    private readonly TestAuthority? _issuer;
    private int _lists;

    public TestAuthority(string name = "Ferry Test Root", TestAuthority? issuer = null)
    {
        _issuer = issuer;
        using var key = TestCertificate.NewKey(TestKey.Ecdsa);
        var request = TestCertificate.Request($"CN={name}", key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var (from, to) = (TestCertificate.Now.AddDays(-10), TestCertificate.Now.AddDays(60));
        Certificate = issuer is null ? request.CreateSelfSigned(from, to) : issuer.Sign(request, key, from, to);
    }

    /// <summary>With its private key.</summary>
    public X509Certificate2 Certificate { get; }

    public string CertificatePem => Certificate.ExportCertificatePem() + "\n";

    /// <summary>The certificates between a leaf of this authority and the root.</summary>
    private string IntermediatesPem => _issuer is null ? "" : CertificatePem + _issuer.IntermediatesPem;

    /// <summary>A server's certificate; without names it is for <see cref="TestCertificate.LocalNames"/>.</summary>
    public TestCertificate Issue(TestKey key = TestKey.Rsa, params string[] names) => Issue(key, names, Server, -1, 30);

    /// <summary>A server's certificate whose time is over.</summary>
    public TestCertificate IssueExpired(params string[] names) => Issue(TestKey.Rsa, names, Server, -9, -1);

    /// <summary>A client's certificate.</summary>
    public TestCertificate IssueClient(string name = "client", TestKey key = TestKey.Ecdsa) => Issue(key, [name], Client, -1, 30);

    /// <summary>A list of revoked certificates of this authority as PEM, each time with a higher number.</summary>
    public string Crl(params TestCertificate[] revoked)
    {
        var builder = new CertificateRevocationListBuilder();
        foreach (var one in revoked)
            builder.AddEntry(one.Certificate);
        return PemEncoding.WriteString("X509 CRL", builder.Build(Certificate, ++_lists, TestCertificate.Now.AddDays(7), HashAlgorithmName.SHA256)) + "\n";
    }

    /// <summary>Writes the authority's own certificate, or the CRL, to a file and tells its path.</summary>
    public string WriteTo(string folder, string name = "ca") => Write(folder, name + ".crt", CertificatePem);

    public string WriteCrlTo(string folder, params TestCertificate[] revoked) => Write(folder, "ca.crl", Crl(revoked));

    public void Dispose() => Certificate.Dispose();

    private static string Write(string folder, string name, string text)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    private TestCertificate Issue(TestKey kind, string[] names, string purpose, int fromDays, int toDays)
    {
        using var key = TestCertificate.NewKey(kind);
        var request = TestCertificate.LeafRequest(key, names, purpose);
        return new TestCertificate(Sign(request, key, TestCertificate.Now.AddDays(fromDays), TestCertificate.Now.AddDays(toDays)), IntermediatesPem);
    }

    private X509Certificate2 Sign(CertificateRequest request, AsymmetricAlgorithm key, DateTimeOffset from, DateTimeOffset to)
    {
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Certificate, true, false));
        using var own = Certificate.GetECDsaPrivateKey()!;
        // Positive as an ASN.1 integer, whatever its first byte.
        byte[] serial = [0x40, .. RandomNumberGenerator.GetBytes(15)];
        using var signed = request.Create(Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(own), from, to, serial);
        return TestCertificate.WithKey(signed, key);
    }
}
