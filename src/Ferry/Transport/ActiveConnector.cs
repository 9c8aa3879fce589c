using System.Net;
using System.Net.Sockets;
using Ferry.Transport.Linux;

namespace Ferry.Transport;

/// <summary>Connects to the data ports of clients that have sent PORT or EPRT.</summary>
internal static class ActiveConnector
{
    // For clients that send PORT first and listen then.
    private static readonly TimeSpan[] Pauses = [TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(300)];

    /// <summary>Connects; again after a pause, twice at most, while the client refuses.</summary>
    /// <param name="client">Address and port that the client has named. A link-local address without a scope is taken on the link of <paramref name="local"/>.</param>
    /// <param name="local">The address that the client has logged on to; clients take data from no other one.</param>
    /// <param name="sourcePort">The port to connect from, where it may be bound and is free, else any; 0: any.</param>
    /// <param name="time">For the pauses.</param>
    /// <param name="ct">Ends the attempt; deadlines are the caller's.</param>
    /// <returns>The socket, which the caller owns; or the reason why there is none.</returns>
    public static async ValueTask<ConnectResult> ConnectAsync(IPEndPoint client, IPAddress local, int sourcePort, TimeProvider time, CancellationToken ct)
    {
        client = EndPoints.Plain(client);
        local = EndPoints.Plain(local);
        if (client.AddressFamily != local.AddressFamily)
            return new ConnectResult(null, SocketError.AddressFamilyNotSupported);
        if (client.Address.IsIPv6LinkLocal && client.Address.ScopeId == 0)
            client = new IPEndPoint(new IPAddress(client.Address.GetAddressBytes(), local.ScopeId), client.Port);
        for (var attempt = 0; ; attempt++)
        {
            var result = await TryConnectAsync(client, new IPEndPoint(local, sourcePort), ct).ConfigureAwait(false);
            if (result.Error != SocketError.ConnectionRefused || attempt == Pauses.Length)
                return result;
            try
            {
                await Task.Delay(Pauses[attempt], time, ct).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return result;
            }
        }
    }

    private static async ValueTask<ConnectResult> TryConnectAsync(IPEndPoint client, IPEndPoint from, CancellationToken ct)
    {
        if (from.Port != 0)
        {
            var result = await ConnectFromAsync(client, from, ct).ConfigureAwait(false);
            // Not ours to bind, or somebody listens on it, or this very connection exists or is in TIME_WAIT: any other port still serves the client.
            if (result.Error is not (SocketError.AccessDenied or SocketError.AddressAlreadyInUse or SocketError.AddressNotAvailable))
                return result;
        }
        return await ConnectFromAsync(client, new IPEndPoint(from.Address, 0), ct).ConfigureAwait(false);
    }

    private static async ValueTask<ConnectResult> ConnectFromAsync(IPEndPoint client, IPEndPoint from, CancellationToken ct)
    {
        Connection? connection = null;
        SocketError error;
        try
        {
            connection = Connection.Open(client, loop: null);
            // Many connections leave from one port, to different clients.
            if (from.Port != 0)
                connection.TrySet(Libc.SOL_SOCKET, Libc.SO_REUSEADDR, 1);
            else
                connection.TrySet(Libc.SOL_IP, Libc.IP_BIND_ADDRESS_NO_PORT, 1);
            error = connection.Bind(from);
            if (error == SocketError.Success)
                error = await connection.ConnectAsync(ct).ConfigureAwait(false);
            if (error == SocketError.Success)
            {
                if (!client.Equals(connection.LocalEndPoint))
                    return new ConnectResult(connection, error);
                // Where the client is on this machine and does not listen, TCP connects a socket with itself (RFC 9293 §3.5, simultaneous open).
                connection.Abort();
                return new ConnectResult(null, SocketError.ConnectionRefused);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            error = e is SocketException { SocketErrorCode: var code } ? code : SocketError.TimedOut;
        }
        connection?.Dispose();
        return new ConnectResult(null, error);
    }
}
