using System.IO;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ferry.Daemon.Demo;

/// <summary>A certificate that nobody vouches for, and its key, made for one run of the demo and deleted with it. Never in the folder that is served.</summary>
internal sealed class DemoCertificate : IDisposable
{
    // More than the two weeks at which a certificate is told to expire; a key that somebody kept is soon of no use.
    private static readonly TimeSpan Validity = TimeSpan.FromDays(30);

    private readonly string _folder;

    private DemoCertificate(string folder)
    {
        _folder = folder;
        CertificateFile = Path.Combine(folder, "ferry-demo.crt");
        KeyFile = Path.Combine(folder, "ferry-demo.key");
    }

    public string CertificateFile { get; }

    /// <summary>Its user alone can read it.</summary>
    public string KeyFile { get; }

    public static DemoCertificate Create(TimeProvider time)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Sign(key, time.GetUtcNow());
        var made = new DemoCertificate(Directory.CreateTempSubdirectory("ferry-demo-tls-").FullName);
        try
        {
            Write(made.CertificateFile, certificate.ExportCertificatePem());
            Write(made.KeyFile, key.ExportPkcs8PrivateKeyPem());
            return made;
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        try
        {
            Directory.Delete(_folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Report.Error($"the folder {_folder} could not be deleted: {e.Message}");
        }
    }

    private static X509Certificate2 Sign(ECDsa key, DateTimeOffset now)
    {
        var request = new CertificateRequest("CN=Ferry demo", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false)); // a server's (RFC 5280 §4.2.1.12)
        // An hour earlier, for clients whose clock is behind.
        return request.CreateSelfSigned(now.AddHours(-1), now + Validity);
    }

    private static void Write(string file, string pem)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new StreamWriter(file, options);
        writer.WriteLine(pem);
    }
}
