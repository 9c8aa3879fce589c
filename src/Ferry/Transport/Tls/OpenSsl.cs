using System.Runtime.InteropServices;
using System.Text;

namespace Ferry.Transport.Tls;

/// <summary>The system's OpenSSL 3, by its own names. Macros of its headers are calls of SSL_ctrl here.</summary>
internal static unsafe partial class OpenSsl
{
    public const string Ssl = "libssl.so.3";
    public const string Crypto = "libcrypto.so.3";

    public const int SSL_ERROR_NONE = 0;
    public const int SSL_ERROR_SSL = 1;
    public const int SSL_ERROR_WANT_READ = 2;
    public const int SSL_ERROR_WANT_WRITE = 3;
    public const int SSL_ERROR_SYSCALL = 5;
    public const int SSL_ERROR_ZERO_RETURN = 6;

    public const int SSL_CB_LOOP = 1;

    public const int SSL_SENT_SHUTDOWN = 1;
    public const int SSL_RECEIVED_SHUTDOWN = 2;

    public const int SSL_CTRL_SET_TLSEXT_HOSTNAME = 55;
    public const int TLSEXT_NAMETYPE_host_name = 0;

    public const long X509_V_OK = 0;
    public const int SSL_VERIFY_NONE = 0;

    private const int MostErrors = 8;

    [LibraryImport(Ssl)]
    public static partial nint SSL_new(SafeSslContextHandle ctx);

    [LibraryImport(Ssl)]
    public static partial void SSL_free(nint ssl);

    [LibraryImport(Ssl)]
    public static partial void SSL_set_bio(nint ssl, nint rbio, nint wbio);

    [LibraryImport(Ssl)]
    public static partial void SSL_set_accept_state(nint ssl);

    [LibraryImport(Ssl)]
    public static partial void SSL_set_connect_state(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_do_handshake(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_read(nint ssl, byte* buffer, int length);

    [LibraryImport(Ssl)]
    public static partial int SSL_write(nint ssl, byte* buffer, int length);

    [LibraryImport(Ssl)]
    public static partial int SSL_shutdown(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_get_shutdown(nint ssl);

    [LibraryImport(Ssl)]
    public static partial void SSL_set_shutdown(nint ssl, int mode);

    [LibraryImport(Ssl)]
    public static partial int SSL_get_error(nint ssl, int result);

    [LibraryImport(Ssl)]
    public static partial nint SSL_ctrl(nint ssl, int command, nint number, byte* pointer);

    [LibraryImport(Ssl)]
    public static partial int SSL_set_num_tickets(nint ssl, nuint count);

    [LibraryImport(Ssl)]
    public static partial nint SSL_get_rbio(nint ssl);

    [LibraryImport(Ssl)]
    public static partial void SSL_set_info_callback(nint ssl, delegate* unmanaged<nint, int, int, void> callback);

    [LibraryImport(Ssl)]
    public static partial int SSL_new_session_ticket(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_has_pending(nint ssl);

    [LibraryImport(Ssl)]
    public static partial byte* SSL_rstate_string(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_set_ex_data(nint ssl, int index, nint data);

    [LibraryImport(Ssl)]
    public static partial nint SSL_get_version(nint ssl);

    [LibraryImport(Ssl)]
    public static partial nint SSL_get_current_cipher(nint ssl);

    [LibraryImport(Ssl)]
    public static partial nint SSL_CIPHER_get_name(nint cipher);

    [LibraryImport(Ssl)]
    public static partial nint SSL_get_servername(nint ssl, int type);

    /// <summary>What the calling thread's error queue says, in OpenSSL's words, oldest first; empties it. An empty text where it says nothing.</summary>
    public static string TakeErrors()
    {
        StringBuilder? text = null;
        string? first = null;
        for (var i = 0; i < MostErrors; i++)
        {
            var code = ERR_get_error();
            if (code == 0)
                break;
            var reason = Marshal.PtrToStringUTF8(ERR_reason_error_string(code)) ?? $"OpenSSL error {code:x8}";
            if (first is null)
                first = reason;
            else if (reason != first)
                (text ??= new StringBuilder(first)).Append("; ").Append(reason);
        }
        ERR_clear_error();
        return text?.ToString() ?? first ?? "";
    }

    /// <summary>Empties the calling thread's error queue, which SSL_get_error(3) asks for before each call: it takes what it finds there for that call's.</summary>
    public static void ForgetErrors()
    {
        // A look costs far less.
        if (ERR_peek_error() != 0)
            ERR_clear_error();
    }

    [LibraryImport(Crypto)]
    public static partial void ERR_clear_error();

    [LibraryImport(Crypto)]
    private static partial nuint ERR_peek_error();

    [LibraryImport(Crypto)]
    private static partial nuint ERR_get_error();

    [LibraryImport(Crypto)]
    private static partial nint ERR_reason_error_string(nuint code);
}
