using System.Runtime.InteropServices;

namespace Ferry.Transport.Linux;

internal static unsafe partial class Libc
{
    public const int EINPROGRESS = 115;

    public const int AF_INET = 2;
    public const int AF_INET6 = 10;
    public const int SOCK_STREAM = 1;
    public const int SOCK_NONBLOCK = 0x800;
    public const int SOCK_CLOEXEC = 0x80000;
    public const int IPPROTO_TCP = 6;

    public const int SOL_SOCKET = 1;
    public const int SO_REUSEADDR = 2;
    public const int SO_ERROR = 4;
    public const int SO_KEEPALIVE = 9;
    public const int SO_OOBINLINE = 10;
    public const int SO_LINGER = 13;
    public const int IP_BIND_ADDRESS_NO_PORT = 24;
    public const int TCP_NODELAY = 1;
    public const int TCP_KEEPIDLE = 4;
    public const int TCP_INFO = 11;

    public const int MSG_OOB = 1;
    public const int MSG_PEEK = 2;
    public const int MSG_DONTWAIT = 0x40;
    public const int MSG_NOSIGNAL = 0x4000;

    public const short POLLOUT = 4;
    public const short POLLHUP = 0x10;
    public const short POLLRDHUP = 0x2000;

    public const int F_GETFL = 3;
    public const int F_SETFL = 4;

    [LibraryImport("libc", SetLastError = true)]
    public static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int bind(SafeHandle socket, byte* addr, uint addrlen);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int connect(SafeHandle socket, byte* addr, uint addrlen);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int accept4(SafeHandle socket, byte* addr, uint* addrlen, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int getsockname(SafeHandle socket, byte* addr, uint* addrlen);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int getpeername(SafeHandle socket, byte* addr, uint* addrlen);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int getsockopt(SafeHandle socket, int level, int optname, void* optval, uint* optlen);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int setsockopt(SafeHandle socket, int level, int optname, void* optval, uint optlen);

    /// <summary>For OpenSSL's calls, which hold the handle for all of their reads together.</summary>
    [LibraryImport("libc", SetLastError = true)]
    public static partial nint recv(int socket, byte* buffer, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint recv(SafeHandle socket, byte* buffer, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint send(SafeHandle socket, byte* buffer, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int shutdown(SafeHandle socket, int how);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int close(int fd);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int poll(PollDescriptor* fds, nuint nfds, int timeout);

    /// <summary>struct pollfd.</summary>
    public struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }
}
