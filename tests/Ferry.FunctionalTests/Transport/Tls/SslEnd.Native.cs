using System.Runtime.InteropServices;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Transport.Tls;

internal sealed unsafe partial class SslEnd
{
    private const string Ssl = "libssl.so.3";
    private const string Crypto = "libcrypto.so.3";

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int mkfifo(string path, uint mode);

    [LibraryImport(Ssl)]
    public static partial void SSL_SESSION_free(nint session);

    [LibraryImport(Ssl)]
    private static partial void SSL_SESSION_get0_ticket(nint session, out nint ticket, out nuint length);

    [LibraryImport(Ssl)]
    private static partial nint SSL_SESSION_set_time(nint session, nint seconds);

    [LibraryImport(Ssl)]
    private static partial nint SSL_new(SafeSslContextHandle ctx);

    [LibraryImport(Ssl)]
    private static partial void SSL_free(nint ssl);

    [LibraryImport(Ssl)]
    private static partial void SSL_set_accept_state(nint ssl);

    [LibraryImport(Ssl)]
    private static partial void SSL_set_connect_state(nint ssl);

    [LibraryImport(Crypto)]
    private static partial int BIO_new_bio_pair(out nint one, nuint size, out nint other, nuint otherSize);

    [LibraryImport(Ssl)]
    private static partial void SSL_set_bio(nint ssl, nint read, nint write);

    [LibraryImport(Ssl)]
    private static partial int SSL_do_handshake(nint ssl);

    [LibraryImport(Ssl)]
    private static partial int SSL_is_init_finished(nint ssl);

    [LibraryImport(Ssl)]
    private static partial int SSL_get_error(nint ssl, int result);

    [LibraryImport(Ssl)]
    private static partial int SSL_renegotiate(nint ssl);

    [LibraryImport(Ssl)]
    private static partial int SSL_renegotiate_pending(nint ssl);

    [LibraryImport(Ssl)]
    private static partial int SSL_read(nint ssl, void* buffer, int length);

    [LibraryImport(Ssl)]
    private static partial int SSL_session_reused(nint ssl);

    [LibraryImport(Ssl)]
    private static partial nint SSL_get_version(nint ssl);

    [LibraryImport(Ssl)]
    private static partial nint SSL_get_current_cipher(nint ssl);

    [LibraryImport(Ssl)]
    private static partial nint SSL_CIPHER_get_name(nint cipher);

    [LibraryImport(Ssl)]
    private static partial nint SSL_get_verify_result(nint ssl);

    [LibraryImport(Ssl)]
    private static partial nint SSL_get_session(nint ssl);

    [LibraryImport(Ssl)]
    private static partial nint SSL_get1_session(nint ssl);

    [LibraryImport(Ssl)]
    private static partial int SSL_set_session(nint ssl, nint session);

    [LibraryImport(Ssl)]
    private static partial int SSL_SESSION_get0_ticket_appdata(nint session, out void* data, out nuint length);

    [LibraryImport(Ssl)]
    private static partial nint SSL_get1_peer_certificate(nint ssl);

    [LibraryImport(Ssl)]
    private static partial nint SSL_get_peer_cert_chain(nint ssl);

    [LibraryImport(Ssl)]
    private static partial nint SSL_get_client_CA_list(nint ssl);

    [LibraryImport(Crypto)]
    private static partial int OPENSSL_sk_num(nint stack);

    [LibraryImport(Ssl)]
    private static partial nint SSL_ctrl(nint ssl, int command, nint number, void* pointer);

    [LibraryImport(Ssl, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SSL_set_cipher_list(nint ssl, string list);

    [LibraryImport(Ssl)]
    private static partial int SSL_set_num_tickets(nint ssl, nuint count);

    [LibraryImport(Ssl)]
    private static partial ulong SSL_clear_options(nint ssl, ulong options);

    [LibraryImport(Ssl)]
    private static partial ulong SSL_set_options(nint ssl, ulong options);

    [LibraryImport(Ssl)]
    private static partial int SSL_set_ex_data(nint ssl, int index, nint data);

    [LibraryImport(Ssl)]
    private static partial void SSL_set_shutdown(nint ssl, int mode);

    [LibraryImport(Ssl)]
    private static partial void SSL_set_msg_callback(nint ssl, delegate* unmanaged<int, int, int, byte*, nuint, nint, nint, void> callback);
}
