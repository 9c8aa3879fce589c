using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.Transport.Linux;
using Microsoft.Extensions.Logging;

namespace Ferry.Transport;

/// <summary>
/// A socket that stands for all ports of the zones whose connections the kernel brings to it. It serves several pools: those of zones that share
/// it, and those of generations. So a reload neither closes it nor loses a connection in its queue; it closes with its last pool.
/// </summary>
internal sealed partial class RedirectListener
{
    private readonly ListeningSocket _listening;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<(IPAddress Client, int Port), DataLease> _leases = [];
    private ImmutableArray<PortPool> _pools = [];

    private RedirectListener(ListeningSocket listening, ILogger logger)
    {
        _listening = listening;
        _logger = logger;
    }

    /// <summary>The bound address and port.</summary>
    public IPEndPoint EndPoint => _listening.EndPoint;

    /// <summary>Binds and listens; nothing is accepted before the first pool is there.</summary>
    public static RedirectListener? TryOpen(IPEndPoint endPoint, int backlog, TimeProvider time, ILogger logger, out SocketError error) =>
        ListeningSocket.TryOpen(endPoint, backlog, time, logger, out error) is { } listening ? new RedirectListener(listening, logger) : null;

    /// <summary>Takes connections of TPROXY too, which keep their destination.</summary>
    public bool TryBeTransparent(out SocketError error) => _listening.TryBeTransparent(out error);

    /// <summary>Serves this pool from now on. Held by the caller's lock, as <see cref="Remove"/>.</summary>
    public void Add(PortPool pool)
    {
        var isFirst = _pools.IsEmpty;
        _pools = _pools.Insert(0, pool);
        if (isFirst)
            _ = _listening.AcceptAsync(Deliver);
    }

    /// <summary>Serves this pool no more.</summary>
    /// <returns>True where it was the last one, and the listener has closed.</returns>
    public bool Remove(PortPool pool)
    {
        _pools = _pools.Remove(pool);
        if (!_pools.IsEmpty)
            return false;
        _listening.Dispose();
        return true;
    }

    /// <summary>Connections of the lease's borrower to its port are the lease's from now on; false where another one has them.</summary>
    public bool TryAdd(DataLease lease)
    {
        if (!_leases.TryAdd((lease.Client, lease.Port), lease))
            return false;
        if (lease.Borrower.OtherClient is not { } other || _leases.TryAdd((other, lease.Port), lease))
            return true;
        Forget(lease.Client, lease);
        return false;
    }

    /// <summary>Forgets the lease; false where it is not there, or another one is in its place.</summary>
    public bool TryRemove(DataLease lease)
    {
        if (!Forget(lease.Client, lease))
            return false;
        if (lease.Borrower.OtherClient is { } other)
            Forget(other, lease);
        return true;
    }

    private bool Forget(IPAddress client, DataLease lease) => _leases.TryRemove(KeyValuePair.Create((client, lease.Port), lease));

    private void Deliver(Connection connection)
    {
        if (!OriginalDestination.TryGet(connection, out var dialled))
        {
            connection.Abort();
            return;
        }
        var peer = EndPoints.Plain(connection.RemoteEndPoint.Address);
        // Who dials this port itself was redirected from none.
        if (dialled.Port != EndPoint.Port && (TryDeliver(peer, dialled.Port, peer, connection) || TryDeliver(PortPool.Anybody(peer), dialled.Port, peer, connection)))
            return;
        var pools = _pools;
        (pools.FirstOrDefault(p => p.Holds(dialled.Port)) ?? pools.FirstOrDefault())?.CountRefused();
        Log.PeerRefused(_logger, peer, dialled.Port, EndPoint.Port);
        connection.Abort();
    }

    private bool TryDeliver(IPAddress client, int port, IPAddress peer, Connection connection) =>
        _leases.TryGetValue((client, port), out var lease) && lease.TryDeliver(connection, peer);

    private static partial class Log
    {
        [LoggerMessage(115, LogLevel.Warning, "data connection from {Peer} to port {Port}, which {Listener} stands for, refused: no session of that address waits for it")]
        public static partial void PeerRefused(ILogger logger, IPAddress peer, int port, int listener);
    }
}
