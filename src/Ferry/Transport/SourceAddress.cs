using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Ferry.Transport.Linux;

namespace Ferry.Transport;

/// <summary>The local address that a connection to a server comes from.</summary>
/// <param name="Address">The address.</param>
internal readonly record struct SourceAddress(IPAddress Address)
{
    /// <summary>It need not be one of this machine.</summary>
    public bool IsTransparent { get; init; }

    /// <summary>It depends on the client, and what comes of it is not the server's doing.</summary>
    public bool IsOfClient { get; init; }

    /// <summary>Whether a connection can do without, because the other family's servers were not meant.</summary>
    public bool Spares(IPEndPoint server) => !IsTransparent && !IsOfClient && Address.AddressFamily != server.AddressFamily;

    /// <summary>Whether a server can be connected to at all.</summary>
    public bool Suits(IPEndPoint server) => Address.AddressFamily == server.AddressFamily || Spares(server);

    /// <summary>Binds a connection that is not connected yet.</summary>
    public SocketError Bind(Connection connection)
    {
        // The kernel would say that the argument is invalid.
        if (Address.AddressFamily != connection.RemoteEndPoint.AddressFamily)
            return SocketError.AddressFamilyNotSupported;
        if (IsTransparent && !TryBeTransparent(connection, out var error))
            return error;
        // Without it a bound address would take its port at bind time and run out after 28,000 connections to all servers together.
        connection.TrySet(Libc.SOL_IP, Libc.IP_BIND_ADDRESS_NO_PORT, 1);
        return connection.Bind(new IPEndPoint(Address, 0));
    }

    /// <summary>Whether this process may be transparent at all.</summary>
    public static SocketError TryTransparency()
    {
        try
        {
            using var connection = Connection.Open(new IPEndPoint(IPAddress.Loopback, 0), null);
            return TryBeTransparent(connection, out var error) ? SocketError.Success : error;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode;
        }
    }

    private static bool TryBeTransparent(Connection connection, out SocketError error)
    {
        var isIPv6 = connection.RemoteEndPoint.AddressFamily == AddressFamily.InterNetworkV6;
        error = connection.TrySet(isIPv6 ? Libc.SOL_IPV6 : Libc.SOL_IP, isIPv6 ? Libc.IPV6_TRANSPARENT : Libc.IP_TRANSPARENT, 1)
            ? SocketError.Success
            : Connection.ErrorOf(Marshal.GetLastPInvokeError());
        return error == SocketError.Success;
    }
}
