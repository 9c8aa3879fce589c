using System.Runtime.InteropServices;

namespace Ferry.Transport.Tls;

/// <summary>What SSL_CTX takes (SSL_CTX_new(3) and its neighbours).</summary>
internal static unsafe partial class OpenSsl
{
    public const int TLS1_VERSION = 0x0301;
    public const int TLS1_1_VERSION = 0x0302;
    public const int TLS1_2_VERSION = 0x0303;
    public const int TLS1_3_VERSION = 0x0304;

    // Macros in ssl.h: SSL_CTX_ctrl with these numbers.
    public const int SSL_CTRL_MODE = 33;
    public const int SSL_CTRL_SET_SESS_CACHE_SIZE = 42;
    public const int SSL_CTRL_SET_SESS_CACHE_MODE = 44;
    public const int SSL_CTRL_SET_GROUPS_LIST = 92;
    public const int SSL_CTRL_SET_MIN_PROTO_VERSION = 123;
    public const int SSL_CTRL_SET_MAX_PROTO_VERSION = 124;

    public const ulong SSL_OP_NO_TICKET = 1UL << 14;
    public const ulong SSL_OP_NO_COMPRESSION = 1UL << 17;
    public const ulong SSL_OP_CIPHER_SERVER_PREFERENCE = 1UL << 22;
    public const ulong SSL_OP_NO_TLSv1_2 = 1UL << 27;
    public const ulong SSL_OP_NO_TLSv1_1 = 1UL << 28;
    public const ulong SSL_OP_NO_RENEGOTIATION = 1UL << 30;

    public const int SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER = 2;
    public const int SSL_MODE_AUTO_RETRY = 4;
    public const int SSL_MODE_RELEASE_BUFFERS = 16;

    public const int SSL_SESS_CACHE_OFF = 0;
    public const int SSL_SESS_CACHE_SERVER = 2;

    public const int SSL_VERIFY_PEER = 1;

    public const uint SSL_CONF_FLAG_FILE = 0x2;
    public const uint SSL_CONF_FLAG_CLIENT = 0x4;
    public const uint SSL_CONF_FLAG_SERVER = 0x8;
    public const uint SSL_CONF_FLAG_CERTIFICATE = 0x20;

    public const int SSL_TICKET_SUCCESS = 5;
    public const int SSL_TICKET_SUCCESS_RENEW = 6;
    public const int SSL_TICKET_RETURN_IGNORE_RENEW = 2;
    public const int SSL_TICKET_RETURN_USE = 3;
    public const int SSL_TICKET_RETURN_USE_RENEW = 4;

    public const int CRYPTO_EX_INDEX_SSL = 0;
    public const int CRYPTO_EX_INDEX_SSL_CTX = 1;

    [LibraryImport(Ssl)]
    public static partial nint TLS_server_method();

    [LibraryImport(Ssl)]
    public static partial nint TLS_client_method();

    [LibraryImport(Ssl)]
    public static partial nint SSL_CTX_new(nint method);

    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_free(nint ctx);

    [LibraryImport(Ssl)]
    public static partial nint SSL_CTX_ctrl(SafeSslContextHandle ctx, int cmd, nint larg, nint parg);

    [LibraryImport(Ssl, EntryPoint = nameof(SSL_CTX_ctrl), StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint SSL_CTX_ctrl(SafeSslContextHandle ctx, int cmd, nint larg, string parg);

    [LibraryImport(Ssl)]
    public static partial ulong SSL_CTX_set_options(SafeSslContextHandle ctx, ulong op);

    [LibraryImport(Ssl, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SSL_CTX_set_cipher_list(SafeSslContextHandle ctx, string str);

    [LibraryImport(Ssl, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SSL_CTX_set_ciphersuites(SafeSslContextHandle ctx, string str);

    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_set_security_level(SafeSslContextHandle ctx, int level);

    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_get_security_level(SafeSslContextHandle ctx);

    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_set0_tmp_dh_pkey(SafeSslContextHandle ctx, nint dhpkey);

    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_set_verify(SafeSslContextHandle ctx, int mode, delegate* unmanaged<int, nint, int> callback);

    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_set_verify_depth(SafeSslContextHandle ctx, int depth);

    [LibraryImport(Ssl)]
    public static partial nint SSL_CTX_get_cert_store(SafeSslContextHandle ctx);

    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_set_default_verify_paths(SafeSslContextHandle ctx);

    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_add_client_CA(SafeSslContextHandle ctx, nint x509);

    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_set_session_id_context(SafeSslContextHandle ctx, byte* sidCtx, uint length);

    [LibraryImport(Ssl)]
    public static partial nint SSL_CTX_set_timeout(SafeSslContextHandle ctx, nint seconds);

    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_set_num_tickets(SafeSslContextHandle ctx, nuint tickets);

    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_set_session_ticket_cb(
        SafeSslContextHandle ctx,
        delegate* unmanaged<nint, nint, int> generate,
        delegate* unmanaged<nint, nint, byte*, nuint, int, nint, int> decrypted,
        nint arg);

    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_set_tlsext_ticket_key_evp_cb(
        SafeSslContextHandle ctx, delegate* unmanaged<nint, byte*, byte*, nint, nint, int, int> callback);

    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_set_cert_cb(SafeSslContextHandle ctx, delegate* unmanaged<nint, nint, int> callback, nint arg);

    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_set_ex_data(SafeSslContextHandle ctx, int idx, nint data);

    [LibraryImport(Ssl)]
    public static partial nint SSL_CTX_get_ex_data(nint ctx, int idx);

    // Of one connection, for the callbacks, which are handed the bare SSL.

    [LibraryImport(Ssl)]
    public static partial nint SSL_get_SSL_CTX(nint ssl);

    [LibraryImport(Ssl)]
    public static partial nint SSL_get_ex_data(nint ssl, int idx);

    [LibraryImport(Ssl)]
    public static partial int SSL_version(nint ssl);

    [LibraryImport(Ssl)]
    public static partial void SSL_certs_clear(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_SESSION_set1_ticket_appdata(nint session, void* data, nuint length);

    [LibraryImport(Ssl)]
    public static partial nint SSL_SESSION_get_time(nint session);

    [LibraryImport(Ssl)]
    public static partial nint SSL_SESSION_get_timeout(nint session);

    // SSL_CONF_cmd(3)

    [LibraryImport(Ssl)]
    public static partial nint SSL_CONF_CTX_new();

    [LibraryImport(Ssl)]
    public static partial void SSL_CONF_CTX_free(nint cctx);

    [LibraryImport(Ssl)]
    public static partial uint SSL_CONF_CTX_set_flags(nint cctx, uint flags);

    [LibraryImport(Ssl)]
    public static partial void SSL_CONF_CTX_set_ssl_ctx(nint cctx, SafeSslContextHandle ctx);

    [LibraryImport(Ssl, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SSL_CONF_cmd(nint cctx, string option, string value);

    [LibraryImport(Ssl)]
    public static partial int SSL_CONF_CTX_finish(nint cctx);

    [LibraryImport(Crypto)]
    public static partial int CRYPTO_get_ex_new_index(
        int classIndex, nint argl, nint argp, nint newFunc, nint dupFunc, delegate* unmanaged<nint, nint, nint, int, nint, nint, void> freeFunc);
}
