using System.Runtime.InteropServices;

namespace Ferry.Transport.Tls;

/// <summary>What encrypts session tickets.</summary>
internal static unsafe partial class OpenSsl
{
    public const uint OSSL_PARAM_UTF8_STRING = 4;

    // core.h
    [StructLayout(LayoutKind.Sequential)]
    public struct OSSL_PARAM
    {
        public byte* Key;
        public uint DataType;
        public void* Data;
        public nuint DataSize;
        public nuint ReturnSize;
    }

    [LibraryImport(Crypto)]
    public static partial nint EVP_aes_128_cbc();

    [LibraryImport(Crypto)]
    public static partial nint EVP_aes_256_cbc();

    [LibraryImport(Crypto)]
    public static partial int EVP_CipherInit_ex(nint ctx, nint cipher, nint engine, byte* key, byte* iv, int isEncrypting);

    [LibraryImport(Crypto)]
    public static partial int EVP_MAC_init(nint ctx, byte* key, nuint length, OSSL_PARAM* parameters);
}
