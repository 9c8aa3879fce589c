using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Ferry.Transport.Tls;

/// <summary>What the callbacks of an SSL_CTX know. It lives as long as OpenSSL's object: until the last connection of it has gone.</summary>
internal sealed unsafe class TlsContextState
{
    // Freed by OpenSSL's own call, because nobody else knows when the last SSL has let go of the SSL_CTX.
    private static readonly int Index = OpenSsl.CRYPTO_get_ex_new_index(OpenSsl.CRYPTO_EX_INDEX_SSL_CTX, 0, 0, 0, 0, &Free);

    /// <summary>Where there are several to choose among; else null.</summary>
    public ServerCertificates? Certificates { get; set; }

    /// <summary>The first encrypts; empty: OpenSSL's own.</summary>
    public ImmutableArray<TicketKey> TicketKeys { get; set; } = [];

    public void AttachTo(SafeSslContextHandle context) =>
        _ = OpenSsl.SSL_CTX_set_ex_data(context, Index, GCHandle.ToIntPtr(GCHandle.Alloc(this)));

    /// <summary>That of a connection's context.</summary>
    public static TlsContextState? Of(nint ssl)
    {
        var handle = OpenSsl.SSL_CTX_get_ex_data(OpenSsl.SSL_get_SSL_CTX(ssl), Index);
        return handle == 0 ? null : (TlsContextState?)GCHandle.FromIntPtr(handle).Target;
    }

    // CRYPTO_EX_free; called for every SSL_CTX of the process, with 0 where nothing was attached.
    [UnmanagedCallersOnly]
    private static void Free(nint parent, nint data, nint exData, int index, nint argl, nint argp)
    {
        if (data == 0)
            return;
        var handle = GCHandle.FromIntPtr(data);
        (handle.Target as TlsContextState)?.Certificates?.Dispose();
        handle.Free();
    }
}
