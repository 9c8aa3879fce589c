using System.Net;
using System.Net.Sockets;

namespace Ferry.Transport;

/// <summary>Connects to servers, on control and data ports.</summary>
internal static class UpstreamConnector
{
    /// <summary>Connects.</summary>
    /// <param name="server">Address and port.</param>
    /// <param name="from">What to connect from; null lets the kernel choose.</param>
    /// <param name="header">What the server is told before all else, even TLS (<see cref="ProxyProtocol"/>); empty as a rule.</param>
    /// <param name="loop">The session's; null: any.</param>
    /// <param name="ct">Ends the attempt; deadlines are the caller's.</param>
    /// <returns>The connection, which the caller owns; or the reason why there is none.</returns>
    public static async ValueTask<ConnectResult> ConnectAsync(IPEndPoint server, SourceAddress? from, ReadOnlyMemory<byte> header, EventLoop? loop, CancellationToken ct)
    {
        Connection? connection = null;
        var error = SocketError.Success;
        if (from?.Spares(server) == true)
            from = null;
        var isUnbound = false;
        try
        {
            connection = Connection.Open(server, loop);
            if (from is { } source)
                isUnbound = (error = source.Bind(connection)) != SocketError.Success;
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
        return new ConnectResult(null, error) { From = from, IsUnbound = isUnbound };
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
