using Microsoft.Win32.SafeHandles;

namespace Ferry.Transport.Linux;

/// <summary>A socket's descriptor.</summary>
internal sealed class SafeSocket : SafeHandleMinusOneIsInvalid
{
    public SafeSocket(int descriptor)
        : base(ownsHandle: true) => SetHandle(descriptor);

    protected override bool ReleaseHandle() => Libc.close((int)handle) == 0;
}
