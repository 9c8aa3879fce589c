using System.Runtime.InteropServices;
using System.Text;

namespace Ferry.Transport.Tls;

/// <summary>The certificate that a peer has shown.</summary>
internal static unsafe partial class PeerCertificate
{
    private const int MostSubject = 1024;

    /// <summary>XN_FLAG_RFC2253, the form of nginx's $ssl_client_s_dn.</summary>
    private const uint Rfc2253 = 0x1110317;

    /// <summary>The subject's distinguished name, at most 1024 bytes of it; null where the peer has shown no certificate.</summary>
    public static string? Subject(nint ssl)
    {
        var certificate = OpenSsl.SSL_get1_peer_certificate(ssl);
        if (certificate == 0)
            return null;
        var bio = BIO_new(BIO_s_mem());
        try
        {
            if (bio == 0 || X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, Rfc2253) < 0)
                return "";
            Span<byte> text = stackalloc byte[MostSubject];
            fixed (byte* start = text)
                return Encoding.UTF8.GetString(text[..Math.Max(0, BIO_read(bio, start, MostSubject))]);
        }
        finally
        {
            if (bio != 0)
                _ = BIO_free(bio);
            X509_free(certificate);
            OpenSsl.ERR_clear_error();
        }
    }

    [LibraryImport(OpenSsl.Crypto)]
    private static partial nint BIO_s_mem();

    [LibraryImport(OpenSsl.Crypto)]
    private static partial nint BIO_new(nint method);

    [LibraryImport(OpenSsl.Crypto)]
    private static partial int BIO_read(nint bio, byte* buffer, int length);

    [LibraryImport(OpenSsl.Crypto)]
    private static partial int BIO_free(nint bio);

    [LibraryImport(OpenSsl.Crypto)]
    private static partial nint X509_get_subject_name(nint certificate);

    [LibraryImport(OpenSsl.Crypto)]
    private static partial int X509_NAME_print_ex(nint bio, nint name, int indent, nuint flags);

    [LibraryImport(OpenSsl.Crypto)]
    private static partial void X509_free(nint certificate);
}
