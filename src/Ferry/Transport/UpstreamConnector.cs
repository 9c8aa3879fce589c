using System.Net;
using System.Net.Sockets;

namespace Ferry.Transport;

/// <summary>Connects to servers, on control and data ports.</summary>
internal static class UpstreamConnector
{
    /// <summary>Connects.</summary>
    /// <param name="server">Address and port.</param>
    /// <param name="from">The local address to connect from; null lets the kernel choose.</param>
    /// <param name="ct">Ends the attempt; deadlines are the caller's.</param>
    /// <returns>The socket, which the caller owns; or the reason why there is none.</returns>
    public static async ValueTask<ConnectResult> ConnectAsync(IPEndPoint server, IPAddress? from, CancellationToken ct)
    {
        Socket? socket = null;
        try
        {
            socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            if (from is not null && from.AddressFamily == server.AddressFamily)
            {
                // Without it a bound address would take its port at bind time and run out after 28,000 connections to all servers together.
                socket.SetRawSocketOption(0, 24 /* IP_BIND_ADDRESS_NO_PORT */, BitConverter.GetBytes(1));
                socket.Bind(new IPEndPoint(from, 0));
            }
            await socket.ConnectAsync(server, ct).ConfigureAwait(false);
            return new ConnectResult(socket, SocketError.Success);
        }
        catch (OperationCanceledException)
        {
            socket?.Dispose();
            return new ConnectResult(null, SocketError.TimedOut);
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            return new ConnectResult(null, e.SocketErrorCode);
        }
    }
}

/// <summary>How a connection attempt ended.</summary>
/// <param name="Socket">The connected socket, owned by the caller; null where there is none.</param>
/// <param name="Error">Success, or why there is no socket.</param>
internal readonly record struct ConnectResult(Socket? Socket, SocketError Error)
{
    /// <summary>This machine had no descriptor or memory for a socket; the server was not asked.</summary>
    public bool IsOurs => Error is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable;
}
