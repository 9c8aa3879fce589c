using System.Runtime.InteropServices;

namespace Ferry.Transport.Tls;

/// <summary>Certificates, keys and the files that they come in.</summary>
internal static unsafe partial class OpenSsl
{
    public const uint X509_V_FLAG_CRL_CHECK = 0x4;
    public const uint X509_V_FLAG_CRL_CHECK_ALL = 0x8;

    private const int ERR_LIB_PEM = 9;
    private const int PEM_R_NO_START_LINE = 108;

    /// <summary>The last error is "there is no more of it in the file"; it is taken off then.</summary>
    public static bool TakeEndOfPem()
    {
        var error = ERR_peek_last_error();
        // ERR_GET_LIB and ERR_GET_REASON of OpenSSL 3 (err.h)
        if ((int)((error >> 23) & 0xff) != ERR_LIB_PEM || (int)(error & 0x7fffff) != PEM_R_NO_START_LINE)
            return false;
        ERR_clear_error();
        return true;
    }

    [LibraryImport(Crypto)]
    public static partial nuint ERR_peek_last_error();

    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_use_cert_and_key(SafeSslContextHandle ctx, nint x509, nint pkey, nint chain, int @override);

    [LibraryImport(Ssl)]
    public static partial int SSL_use_cert_and_key(nint ssl, nint x509, nint pkey, nint chain, int @override);

    [LibraryImport(Crypto)]
    public static partial nint BIO_new_mem_buf(byte* buf, int len);

    [LibraryImport(Crypto)]
    public static partial int BIO_free(nint bio);

    [LibraryImport(Crypto)]
    public static partial nint PEM_read_bio_X509(nint bio, nint x, nint callback, nint u);

    [LibraryImport(Crypto)]
    public static partial nint PEM_read_bio_X509_AUX(nint bio, nint x, nint callback, nint u);

    [LibraryImport(Crypto)]
    public static partial nint PEM_read_bio_X509_CRL(nint bio, nint x, nint callback, nint u);

    [LibraryImport(Crypto)]
    public static partial nint PEM_read_bio_Parameters(nint bio, nint x);

    [LibraryImport(Crypto)]
    public static partial nint PEM_read_bio_PrivateKey(nint bio, nint x, delegate* unmanaged<byte*, int, int, void*, int> callback, void* u);

    [LibraryImport(Crypto)]
    public static partial void X509_free(nint x509);

    [LibraryImport(Crypto)]
    public static partial void X509_CRL_free(nint crl);

    [LibraryImport(Crypto)]
    public static partial void EVP_PKEY_free(nint pkey);

    [LibraryImport(Crypto)]
    public static partial int EVP_PKEY_get_base_id(nint pkey);

    [LibraryImport(Crypto, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int EVP_PKEY_is_a(nint pkey, string name);

    [LibraryImport(Crypto)]
    public static partial int X509_check_private_key(nint x509, nint pkey);

    [LibraryImport(Crypto)]
    public static partial int X509_check_host(nint x509, byte* name, nuint length, uint flags, nint peerName);

    [LibraryImport(Crypto)]
    public static partial int i2d_X509(nint x509, byte** output);

    [LibraryImport(Crypto)]
    public static partial int X509_STORE_add_cert(nint store, nint x509);

    [LibraryImport(Crypto)]
    public static partial int X509_STORE_add_crl(nint store, nint crl);

    [LibraryImport(Crypto)]
    public static partial int X509_STORE_set_flags(nint store, ulong flags);

    [LibraryImport(Crypto)]
    public static partial nint OPENSSL_sk_new_null();

    [LibraryImport(Crypto)]
    public static partial int OPENSSL_sk_push(nint stack, nint data);

    [LibraryImport(Crypto)]
    public static partial nint OPENSSL_sk_pop(nint stack);

    [LibraryImport(Crypto)]
    public static partial void OPENSSL_sk_free(nint stack);
}
