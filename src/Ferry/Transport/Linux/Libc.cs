using System.Runtime.InteropServices;

namespace Ferry.Transport.Linux;

/// <summary>The calls of the C library that .NET has no counterpart for, under their native names.</summary>
/// <remarks>The generated code holds a reference to each handle for as long as its call runs, and throws <see cref="ObjectDisposedException"/>
/// for a closed one; so a socket that another thread closes meanwhile is never mistaken for the next file with its number.</remarks>
internal static unsafe partial class Libc
{
    public const int EPERM = 1;
    public const int EINTR = 4;
    public const int EAGAIN = 11;
    public const int ENOMEM = 12;
    public const int EINVAL = 22;
    public const int EPIPE = 32;
    public const int ENOSYS = 38;

    public const int O_NONBLOCK = 0x800;
    public const int O_CLOEXEC = 0x80000;
    public const int F_SETPIPE_SZ = 1031;
    public const uint SPLICE_F_MOVE = 1;
    public const uint SPLICE_F_NONBLOCK = 2;

    [LibraryImport("libc", SetLastError = true)]
    public static partial int pipe2(int* pipefd, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fcntl(SafeHandle fd, int cmd, int arg);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint read(SafeHandle fd, byte* buf, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint splice(SafeHandle fdIn, long* offIn, SafeHandle fdOut, long* offOut, nuint len, uint flags);
}
