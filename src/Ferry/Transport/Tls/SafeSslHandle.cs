using System.Runtime.InteropServices;

namespace Ferry.Transport.Tls;

/// <summary>An SSL and the wire below it.</summary>
internal sealed unsafe class SafeSslHandle : SafeHandle
{
    private SafeSslHandle(nint ssl, TlsWire* wire)
        : base(0, ownsHandle: true)
    {
        SetHandle(ssl);
        Wire = wire;
    }

    public override bool IsInvalid => handle == 0;

    public TlsWire* Wire { get; private set; }

    /// <exception cref="InsufficientMemoryException">OpenSSL has no memory for it.</exception>
    public static SafeSslHandle Create(SafeSslContextHandle context)
    {
        var ssl = OpenSsl.SSL_new(context);
        if (ssl == 0)
        {
            OpenSsl.ERR_clear_error();
            throw new InsufficientMemoryException("OpenSSL has no memory.");
        }
        var made = new SafeSslHandle(ssl, (TlsWire*)NativeMemory.AllocZeroed((nuint)sizeof(TlsWire)));
        made.Wire->Socket = -1;
        try
        {
            var bio = TlsWire.NewBio(made.Wire);
            OpenSsl.SSL_set_bio(ssl, bio, bio);
        }
        catch
        {
            made.Dispose();
            throw;
        }
        return made;
    }

    protected override bool ReleaseHandle()
    {
        // An SSL that is freed without having been shut down takes its session with it: nobody could resume that any more.
        OpenSsl.SSL_set_shutdown(handle, OpenSsl.SSL_SENT_SHUTDOWN | OpenSsl.SSL_RECEIVED_SHUTDOWN);
        OpenSsl.SSL_free(handle);
        Wire->Free();
        NativeMemory.Free(Wire);
        Wire = null;
        return true;
    }
}
