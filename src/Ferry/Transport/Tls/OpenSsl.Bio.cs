using System.Runtime.InteropServices;

namespace Ferry.Transport.Tls;

/// <summary>Inputs and outputs of an SSL that are made here (BIO_meth_new(3)).</summary>
internal static unsafe partial class OpenSsl
{
    public const int BIO_TYPE_SOURCE_SINK = 0x0400;
    public const int BIO_CTRL_FLUSH = 11;
    public const int BIO_FLAGS_READ = 1;
    public const int BIO_FLAGS_SHOULD_RETRY = 8;

    [LibraryImport(Crypto)]
    public static partial int BIO_get_new_index();

    [LibraryImport(Crypto, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint BIO_meth_new(int type, string name);

    [LibraryImport(Crypto)]
    public static partial int BIO_meth_set_write(nint method, delegate* unmanaged<nint, byte*, int, int> write);

    [LibraryImport(Crypto)]
    public static partial int BIO_meth_set_read(nint method, delegate* unmanaged<nint, byte*, int, int> read);

    [LibraryImport(Crypto)]
    public static partial int BIO_meth_set_ctrl(nint method, delegate* unmanaged<nint, int, nint, nint, nint> ctrl);

    [LibraryImport(Crypto)]
    public static partial nint BIO_new(nint method);

    [LibraryImport(Crypto)]
    public static partial void BIO_set_init(nint bio, int init);

    [LibraryImport(Crypto)]
    public static partial void BIO_set_data(nint bio, TlsWire* data);

    [LibraryImport(Crypto)]
    public static partial TlsWire* BIO_get_data(nint bio);

    [LibraryImport(Crypto)]
    public static partial void BIO_set_flags(nint bio, int flags);

    [LibraryImport(Crypto)]
    public static partial void BIO_clear_flags(nint bio, int flags);
}
