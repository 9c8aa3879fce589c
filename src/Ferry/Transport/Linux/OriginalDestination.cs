using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace Ferry.Transport.Linux;

/// <summary>Where a client dialled before the kernel's rules changed the destination.</summary>
internal static unsafe class OriginalDestination
{
    /// <summary>Asks connection tracking. Where it has no record (TPROXY, a connection that nobody redirected without tracking) the socket's own address is the one.</summary>
    /// <returns>False where the connection has gone already.</returns>
    public static bool TryGet(Connection connection, [NotNullWhen(true)] out IPEndPoint? destination)
    {
        try
        {
            destination = FromTracking(connection) ?? connection.LocalEndPoint;
            return true;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            destination = null;
            return false;
        }
    }

    private static IPEndPoint? FromTracking(Connection connection)
    {
        var isIPv6 = connection.RemoteEndPoint.AddressFamily == AddressFamily.InterNetworkV6;
        var buffer = stackalloc byte[NativeAddress.LengthOfIPv6];
        var length = (uint)(isIPv6 ? NativeAddress.LengthOfIPv6 : NativeAddress.LengthOfIPv4);
        var (level, option) = isIPv6 ? (Libc.SOL_IPV6, Libc.IP6T_SO_ORIGINAL_DST) : (Libc.SOL_IP, Libc.SO_ORIGINAL_DST);
        return Libc.getsockopt(connection.Handle, level, option, buffer, &length) == 0 ? NativeAddress.Read(new ReadOnlySpan<byte>(buffer, (int)length)) : null;
    }
}
