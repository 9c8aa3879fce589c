using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Ferry.Transport;

/// <summary>A control address. It outlives reloads: a new generation takes it over without closing it.</summary>
internal sealed class ControlListener : IDisposable
{
    private readonly ListeningSocket _listening;
    private Action<Connection, IPAddress>? _handler;

    private ControlListener(ListeningSocket listening) => _listening = listening;

    /// <summary>The bound address and port.</summary>
    public IPEndPoint EndPoint => _listening.EndPoint;

    /// <summary>Binds and listens; nothing is accepted before <see cref="Start"/>.</summary>
    public static ControlListener? TryOpen(IPEndPoint endPoint, int backlog, TimeProvider time, ILogger logger, out SocketError error) =>
        ListeningSocket.TryOpen(endPoint, backlog, time, logger, out error) is { } listening ? new ControlListener(listening) : null;

    /// <summary>Hands every connection from now on to <paramref name="handler"/>, with the bound address, on the loop that its session will have. May be called again to change hands.</summary>
    public void Start(Action<Connection, IPAddress> handler)
    {
        if (Interlocked.Exchange(ref _handler, handler) is null)
            _ = _listening.AcceptAsync(connection => Volatile.Read(ref _handler)!(connection, EndPoint.Address), spreads: true);
    }

    public void Dispose() => _listening.Dispose();
}
