using System.Globalization;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>The proxy's end of a test's connection. Both are in this process, so the kernel can be asked what it has not read yet, at the price of two ioctls.</summary>
internal sealed partial class PeerSocket
{
    private const int FIONREAD = 0x541B; // asm-generic/ioctls.h
    private const int TIOCOUTQ = 0x5411;

    private readonly Socket _own;
    private readonly int _fd;

    private PeerSocket(Socket own, int fd)
    {
        _own = own;
        _fd = fd;
    }

    /// <summary>Finds the other end of a connection over IPv4.</summary>
    public static async Task<PeerSocket> FindAsync(Socket own)
    {
        var local = (IPEndPoint)own.LocalEndPoint!;
        var remote = (IPEndPoint)own.RemoteEndPoint!;
        var found = -1;
        await Wait.Until(() => (found = Find(local.Port, remote.Port)) >= 0, "the proxy to accept");
        return new PeerSocket(own, found);
    }

    /// <summary>Sends the text cut before the byte <paramref name="at"/>; the second part only when the first has been read.</summary>
    public async Task SendSplitAsync(LineWire wire, string text, int at)
    {
        await wire.SendRawAsync(text[..at]);
        await Wait.Until(HasReadAll, "the proxy to read");
        await wire.SendRawAsync(text[at..]);
    }

    /// <summary>Sends a byte a segment, each only when the one before has been read.</summary>
    public async Task SendBytewiseAsync(LineWire wire, string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            await wire.SendRawAsync(text.Substring(i, 1));
            if (i < text.Length - 1)
                await Wait.Until(HasReadAll, "the proxy to read");
        }
    }

    private bool HasReadAll() =>
        (ioctl((int)_own.Handle, TIOCOUTQ, out var unsent) != 0 || unsent == 0) && (ioctl(_fd, FIONREAD, out var unread) != 0 || unread == 0);

    private static unsafe int Find(int peersPort, int ownPort)
    {
        byte* address = stackalloc byte[128];
        var length = 128;
        foreach (var entry in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            var fd = int.Parse(Path.GetFileName(entry), CultureInfo.InvariantCulture);
            length = 128;
            if (getpeername(fd, address, &length) != 0 || PortOf(address) != peersPort)
                continue;
            length = 128;
            if (getsockname(fd, address, &length) == 0 && PortOf(address) == ownPort)
                return fd;
        }
        return -1;
    }

    // struct sockaddr_in and sockaddr_in6 begin alike: family, then the port in network order.
    private static unsafe int PortOf(byte* address) => (address[2] << 8) | address[3];

    [LibraryImport("libc")]
    private static unsafe partial int getpeername(int sockfd, byte* addr, int* addrlen);

    [LibraryImport("libc")]
    private static unsafe partial int getsockname(int sockfd, byte* addr, int* addrlen);

    [LibraryImport("libc")]
    private static partial int ioctl(int fd, nint request, out int value);
}
