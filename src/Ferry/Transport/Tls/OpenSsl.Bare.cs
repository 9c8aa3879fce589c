using System.Runtime.InteropServices;
using System.Text;

namespace Ferry.Transport.Tls;

// Until OpenSsl.cs and OpenSsl.Session.cs are here: drop this file at the merge.
internal static unsafe partial class OpenSsl
{
    public const string Ssl = "libssl.so.3";
    public const string Crypto = "libcrypto.so.3";
    public const int SSL_VERIFY_NONE = 0;
    public const int TLSEXT_NAMETYPE_host_name = 0;

    public static string TakeErrors()
    {
        var text = new StringBuilder();
        while (ERR_get_error() is var code && code != 0)
            text.Append(text.Length > 0 ? "; " : "").Append(Marshal.PtrToStringUTF8(ERR_reason_error_string(code)));
        return text.ToString();
    }

    [LibraryImport(Ssl)]
    public static partial nint SSL_get_session(nint ssl);

    [LibraryImport(Ssl)]
    public static partial nint SSL_get_servername(nint ssl, int type);

    [LibraryImport(Crypto)]
    public static partial void ERR_clear_error();

    [LibraryImport(Crypto)]
    private static partial nuint ERR_get_error();

    [LibraryImport(Crypto)]
    private static partial nint ERR_reason_error_string(nuint code);
}
