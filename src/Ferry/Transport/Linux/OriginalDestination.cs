using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace Ferry.Transport.Linux;

/// <summary>Where a client dialled before the kernel's rules changed the destination.</summary>
internal static unsafe class OriginalDestination
{
    // struct sockaddr_in (ip(7))                        struct sockaddr_in6 (ipv6(7))
    // 0      2      4            8             16        0      2      4          8             24      28
    // | AF   | port | address    | zero        |         | AF   | port | flow     | address     | scope |
    private const int LengthOfIPv4 = 16;
    private const int LengthOfIPv6 = 28;

    /// <summary>Asks connection tracking. Where it has no record (TPROXY, a connection that nobody redirected without tracking) the socket's own address is the one.</summary>
    /// <returns>False where the connection has gone already.</returns>
    public static bool TryGet(Socket socket, [NotNullWhen(true)] out IPEndPoint? destination)
    {
        try
        {
            destination = FromTracking(socket) ?? socket.LocalEndPoint as IPEndPoint;
            return destination is not null;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            destination = null;
            return false;
        }
    }

    private static IPEndPoint? FromTracking(Socket socket)
    {
        var isIPv6 = socket.AddressFamily == AddressFamily.InterNetworkV6;
        var buffer = stackalloc byte[LengthOfIPv6];
        var length = (uint)(isIPv6 ? LengthOfIPv6 : LengthOfIPv4);
        var (level, option) = isIPv6 ? (Libc.SOL_IPV6, Libc.IP6T_SO_ORIGINAL_DST) : (Libc.SOL_IP, Libc.SO_ORIGINAL_DST);
        if (Libc.getsockopt(socket.SafeHandle, level, option, buffer, &length) != 0 || length < (isIPv6 ? LengthOfIPv6 : LengthOfIPv4))
            return null;
        var found = new ReadOnlySpan<byte>(buffer, (int)length);
        var port = BinaryPrimitives.ReadUInt16BigEndian(found[2..]);
        var address = isIPv6
            ? new IPAddress(found.Slice(8, 16), BitConverter.ToUInt32(found[24..]))
            : new IPAddress(found.Slice(4, 4));
        return new IPEndPoint(address, port);
    }
}
