using System.Runtime.InteropServices;

namespace Ferry.Transport.Tls;

/// <summary>An SSL_CTX. Every SSL made of it holds it too, so it may be let go while connections last.</summary>
internal sealed class SafeSslContextHandle : SafeHandle
{
    public SafeSslContextHandle(nint context)
        : base(0, true) => SetHandle(context);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        OpenSsl.SSL_CTX_free(handle);
        return true;
    }
}
