using System.Runtime.InteropServices;

namespace Ferry.Transport.Linux;

internal static unsafe partial class Libc
{
    private const ushort AF_UNSPEC = 0;

    /// <summary>Dissolves a TCP connection (connect(2), AF_UNSPEC): RST goes out at once, calls that wait end, and no later call can send FIN.</summary>
    public static void Disconnect(SafeHandle socket)
    {
        var address = stackalloc ushort[8]; // struct sockaddr: sa_family and 14 bytes
        new Span<ushort>(address, 8).Clear();
        address[0] = AF_UNSPEC;
        _ = connect(socket, address, 16);
    }

    [LibraryImport("libc")]
    private static partial int connect(SafeHandle fd, ushort* addr, uint addrlen);
}
