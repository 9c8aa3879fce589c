using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Ferry.Transport.Tls;

/// <summary>The certificate that a peer has shown.</summary>
internal static unsafe class PeerCertificate
{
    /// <summary>What is cut off of a subject is beyond so many characters.</summary>
    public const int MostSubject = 1024;

    /// <summary>XN_FLAG_RFC2253, the form of nginx's $ssl_client_s_dn.</summary>
    private const uint Rfc2253 = 0x1110317;

    /// <summary>When it expires; null where the peer has shown none that can be read.</summary>
    public static DateTimeOffset? Expires(nint ssl)
    {
        var certificate = OpenSsl.SSL_get1_peer_certificate(ssl);
        if (certificate == 0)
            return null;
        try
        {
            using var read = X509CertificateLoader.LoadCertificate(TlsCertificate.Encode(certificate));
            return read.NotAfter.ToUniversalTime();
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return null;
        }
        finally
        {
            OpenSsl.X509_free(certificate);
            OpenSsl.ERR_clear_error();
        }
    }

    /// <summary>The subject's distinguished name, at most 1024 bytes of it; null where the peer has shown no certificate.</summary>
    public static string? Subject(nint ssl)
    {
        var certificate = OpenSsl.SSL_get1_peer_certificate(ssl);
        if (certificate == 0)
            return null;
        var bio = OpenSsl.BIO_new(OpenSsl.BIO_s_mem());
        try
        {
            if (bio == 0 || OpenSsl.X509_NAME_print_ex(bio, OpenSsl.X509_get_subject_name(certificate), 0, Rfc2253) < 0)
                return "";
            Span<byte> text = stackalloc byte[MostSubject];
            fixed (byte* start = text)
                return Encoding.UTF8.GetString(text[..Math.Max(0, OpenSsl.BIO_read(bio, start, MostSubject))]);
        }
        finally
        {
            if (bio != 0)
                _ = OpenSsl.BIO_free(bio);
            OpenSsl.X509_free(certificate);
            OpenSsl.ERR_clear_error();
        }
    }
}
