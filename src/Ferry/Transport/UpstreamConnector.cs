using System.Net;
using System.Net.Sockets;
using Ferry.Transport.Linux;

namespace Ferry.Transport;

/// <summary>Connects to servers, on control and data ports.</summary>
internal static class UpstreamConnector
{
    /// <summary>Connects.</summary>
    /// <param name="server">Address and port.</param>
    /// <param name="from">The local address to connect from; null lets the kernel choose.</param>
    /// <param name="header">What the server is told before all else, even TLS (<see cref="ProxyProtocol"/>); empty as a rule.</param>
    /// <param name="loop">The session's; null: any.</param>
    /// <param name="ct">Ends the attempt; deadlines are the caller's.</param>
    /// <returns>The connection, which the caller owns; or the reason why there is none.</returns>
    public static async ValueTask<ConnectResult> ConnectAsync(IPEndPoint server, IPAddress? from, ReadOnlyMemory<byte> header, EventLoop? loop, CancellationToken ct)
    {
        Connection? connection = null;
        var error = SocketError.Success;
        try
        {
            connection = Connection.Open(server, loop);
            if (from is not null && from.AddressFamily == server.AddressFamily)
            {
                // Without it a bound address would take its port at bind time and run out after 28,000 connections to all servers together.
                connection.TrySet(Libc.SOL_IP, Libc.IP_BIND_ADDRESS_NO_PORT, 1);
                error = connection.Bind(new IPEndPoint(from, 0));
            }
            if (error == SocketError.Success)
                error = await connection.ConnectAsync(ct).ConfigureAwait(false);
            if (error == SocketError.Success && !header.IsEmpty)
                error = await SendAsync(connection, header, ct).ConfigureAwait(false);
        }
        catch (SocketException e)
        {
            error = e.SocketErrorCode;
        }
        if (error == SocketError.Success)
            return new ConnectResult(connection, error);
        connection?.Dispose();
        return new ConnectResult(null, error);
    }

    private static async ValueTask<SocketError> SendAsync(Connection connection, ReadOnlyMemory<byte> header, CancellationToken ct)
    {
        try
        {
            using (ct.UnsafeRegister(static c => ((Connection)c!).Dispose(), connection))
                await connection.SendAsync(header).ConfigureAwait(false);
            return ct.IsCancellationRequested ? SocketError.TimedOut : SocketError.Success;
        }
        catch (ObjectDisposedException)
        {
            return SocketError.TimedOut;
        }
    }
}

/// <summary>How a connection attempt ended.</summary>
/// <param name="Connection">Owned by the caller; null where there is none.</param>
/// <param name="Error">Success, or why there is no connection.</param>
internal readonly record struct ConnectResult(Connection? Connection, SocketError Error)
{
    /// <summary>This machine had no descriptor or memory for a socket; the server was not asked.</summary>
    public bool IsOurs => Error is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable;
}
