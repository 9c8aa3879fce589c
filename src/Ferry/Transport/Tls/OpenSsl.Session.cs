using System.Runtime.InteropServices;

namespace Ferry.Transport.Tls;

/// <summary>Sessions and peers.</summary>
internal static unsafe partial class OpenSsl
{
    [LibraryImport(Ssl)]
    public static partial int SSL_session_reused(nint ssl);

    [LibraryImport(Ssl)]
    public static partial nint SSL_get_session(nint ssl);

    [LibraryImport(Ssl)]
    public static partial nint SSL_get1_session(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_set_session(nint ssl, nint session);

    [LibraryImport(Ssl)]
    public static partial nint SSL_SESSION_dup(nint session);

    [LibraryImport(Ssl)]
    public static partial int SSL_SESSION_is_resumable(nint session);

    [LibraryImport(Ssl)]
    public static partial int SSL_SESSION_get_protocol_version(nint session);

    [LibraryImport(Ssl)]
    public static partial void SSL_SESSION_get0_ticket(nint session, out byte* ticket, out nuint length);

    [LibraryImport(Ssl)]
    public static partial void SSL_SESSION_free(nint session);

    [LibraryImport(Ssl)]
    public static partial byte* SSL_SESSION_get_id(nint session, out uint length);

    [LibraryImport(Ssl)]
    public static partial int SSL_SESSION_get0_ticket_appdata(nint session, out byte* data, out nuint length);

    [LibraryImport(Ssl)]
    public static partial nint SSL_get_verify_result(nint ssl);

    [LibraryImport(Crypto)]
    public static partial nint X509_verify_cert_error_string(nint error);

    [LibraryImport(Ssl)]
    public static partial nint SSL_get1_peer_certificate(nint ssl);

    [LibraryImport(Ssl, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SSL_set1_host(nint ssl, string name);

    [LibraryImport(Ssl)]
    public static partial nint SSL_get0_param(nint ssl);

    [LibraryImport(Crypto)]
    public static partial int X509_VERIFY_PARAM_set1_ip(nint param, byte* address, nuint length);

    [LibraryImport(Crypto)]
    public static partial nint BIO_s_mem();

    [LibraryImport(Crypto)]
    public static partial int BIO_read(nint bio, byte* buffer, int length);

    [LibraryImport(Crypto)]
    public static partial nint X509_get_subject_name(nint certificate);

    [LibraryImport(Crypto)]
    public static partial int X509_NAME_print_ex(nint bio, nint name, int indent, nuint flags);
}
