using System.Runtime.ConstrainedExecution;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Ferry.Config;

namespace Ferry.Transport.Tls;

/// <summary>A certificate, its intermediate authorities and its key, in OpenSSL's memory.</summary>
internal sealed unsafe class TlsCertificate : CriticalFinalizerObject, IDisposable
{
    private const int LongestChain = 32;

    private nint _chain;

    private TlsCertificate(nint certificate)
    {
        Certificate = certificate;
        Der = Encode(certificate);
        using var read = X509CertificateLoader.LoadCertificate(Der);
        NotBefore = read.NotBefore.ToUniversalTime();
        NotAfter = read.NotAfter.ToUniversalTime();
        Name = read.GetNameInfo(X509NameType.DnsName, forIssuer: false);
    }

    ~TlsCertificate() => Free();

    /// <summary>The X509.</summary>
    public nint Certificate { get; private set; }

    /// <summary>The EVP_PKEY.</summary>
    public nint Key { get; private set; }

    /// <summary>The kind of key; a server offers one certificate of each.</summary>
    public int KeyType { get; private set; }

    public byte[] Der { get; }

    public DateTimeOffset NotBefore { get; }

    public DateTimeOffset NotAfter { get; }

    /// <summary>The first name that it is good for; empty where it has none.</summary>
    public string Name { get; }

    /// <summary>Loads a pair; null, and why, where it cannot be used.</summary>
    /// <param name="config">The files.</param>
    /// <param name="passwords">The file of passphrases; null: there is none.</param>
    /// <param name="passwordDirective">What names that file.</param>
    /// <param name="findings">Gets what is wrong.</param>
    public static TlsCertificate? TryLoad(TlsCertificateConfig config, PlacedText? passwords, string passwordDirective, TlsFindings findings)
    {
        var loaded = TryLoadChain(config.CertificateFile, findings);
        var key = KeyFile.TryLoad(config.KeyFile, passwords, passwordDirective, findings);
        if (loaded is null || key == 0)
        {
            OpenSsl.EVP_PKEY_free(key);
            loaded?.Dispose();
            return null;
        }
        loaded.Key = key;
        loaded.KeyType = OpenSsl.EVP_PKEY_get_base_id(key);
        if (OpenSsl.X509_check_private_key(loaded.Certificate, key) == 1)
            return loaded;
        OpenSsl.ERR_clear_error();
        findings.Error(config.KeyFile, $"the key in \"{config.KeyFile.Value}\" does not belong to the certificate in \"{config.CertificateFile.Value}\"");
        loaded.Dispose();
        return null;
    }

    /// <summary>What a context takes without a name to choose by.</summary>
    public bool TryUse(SafeSslContextHandle context) => OpenSsl.SSL_CTX_use_cert_and_key(context, Certificate, Key, _chain, 1) == 1;

    /// <summary>What one connection takes.</summary>
    public bool TryUse(nint ssl) => OpenSsl.SSL_use_cert_and_key(ssl, Certificate, Key, _chain, 1) == 1;

    /// <summary>Whether it is good for a host (RFC 6125, wildcards as OpenSSL has them).</summary>
    public bool IsFor(ReadOnlySpan<byte> host)
    {
        fixed (byte* name = host)
            return host.Length > 0 && OpenSsl.X509_check_host(Certificate, name, (nuint)host.Length, 0, 0) == 1;
    }

    /// <summary>Whether it is good for the first name of another one, of whose wildcard any name will do.</summary>
    public bool SharesNameOf(TlsCertificate other)
    {
        var name = other.Name.StartsWith("*.", StringComparison.Ordinal) ? "any" + other.Name[1..] : other.Name;
        return IsFor(Encoding.UTF8.GetBytes(name));
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private static TlsCertificate? TryLoadChain(PlacedText file, TlsFindings findings)
    {
        if (PemFile.TryOpen(file, "certificate", findings) is not { } pem)
            return null;
        using (pem)
        {
            var first = OpenSsl.PEM_read_bio_X509_AUX(pem.Bio, 0, 0, 0);
            if (first == 0)
            {
                findings.Error(file, OpenSsl.TakeEndOfPem()
                    ? $"there is no certificate in \"{file.Value}\" (PEM begins with -----BEGIN CERTIFICATE-----)"
                    : $"the certificate in \"{file.Value}\" cannot be read: {OpenSsl.TakeErrors()}");
                return null;
            }
            TlsCertificate loaded;
            try
            {
                loaded = new TlsCertificate(first);
            }
            catch (CryptographicException e)
            {
                OpenSsl.X509_free(first);
                findings.Error(file, $"the certificate in \"{file.Value}\" cannot be read: {e.Message}");
                return null;
            }
            if (loaded.TryLoadIssuers(pem, file, findings))
                return loaded;
            loaded.Dispose();
            return null;
        }
    }

    private bool TryLoadIssuers(PemFile pem, PlacedText file, TlsFindings findings)
    {
        _chain = OpenSsl.OPENSSL_sk_new_null();
        for (var i = 0; i < LongestChain; i++)
        {
            var next = OpenSsl.PEM_read_bio_X509(pem.Bio, 0, 0, 0);
            if (next != 0)
            {
                _ = OpenSsl.OPENSSL_sk_push(_chain, next);
                continue;
            }
            if (OpenSsl.TakeEndOfPem())
                return true;
            findings.Error(file, $"certificate {i + 2} in \"{file.Value}\" cannot be read: {OpenSsl.TakeErrors()}");
            return false;
        }
        findings.Error(file, $"\"{file.Value}\" holds more than {LongestChain} certificates; a chain is the certificate and its intermediate authorities");
        return false;
    }

    /// <summary>An X509 as DER.</summary>
    public static byte[] Encode(nint certificate)
    {
        var der = new byte[OpenSsl.i2d_X509(certificate, null)];
        fixed (byte* start = der)
        {
            var output = start;
            _ = OpenSsl.i2d_X509(certificate, &output);
        }
        return der;
    }

    private void Free()
    {
        OpenSsl.X509_free(Certificate);
        OpenSsl.EVP_PKEY_free(Key);
        Certificate = Key = 0;
        if (_chain == 0)
            return;
        while (OpenSsl.OPENSSL_sk_pop(_chain) is var issuer && issuer != 0)
            OpenSsl.X509_free(issuer);
        OpenSsl.OPENSSL_sk_free(_chain);
        _chain = 0;
    }
}
