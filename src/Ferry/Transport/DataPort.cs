using System.Net;

namespace Ferry.Transport;

/// <summary>A passive port that is open, or that a single port stands for, with its leases by client address. Guarded by its pool.</summary>
internal sealed class DataPort
{
    private readonly ListeningSocket? _listening;

    public DataPort(IPAddress local, ListeningSocket listening)
        : this(local, listening.EndPoint.Port) => _listening = listening;

    /// <summary>A port that another one stands for.</summary>
    public DataPort(IPAddress local, int port, RedirectListener redirect)
        : this(local, port) => Redirect = redirect;

    private DataPort(IPAddress local, int port)
    {
        Local = local;
        Port = port;
    }

    /// <summary>The address that it is bound to, as the configuration names it.</summary>
    public IPAddress Local { get; }

    public int Port { get; }

    /// <summary>What stands for it, and has its lease; null where it has a socket of its own.</summary>
    public RedirectListener? Redirect { get; }

    public Dictionary<IPAddress, DataLease> Leases { get; } = [];

    /// <summary>When the last lease went; only of meaning while there is none.</summary>
    public long IdleSince { get; set; }

    /// <summary>The pool will look whether it is still unused.</summary>
    public bool IsQueued { get; set; }

    /// <summary>Connections of the lease's borrower are the lease's from now on; false where another one has them.</summary>
    public bool TryAdd(DataLease lease)
    {
        if (!Leases.TryAdd(lease.Client, lease))
            return false;
        if (lease.Borrower.OtherClient is not { } other || Leases.TryAdd(other, lease))
            return true;
        Leases.Remove(lease.Client);
        return false;
    }

    /// <summary>Forgets the lease; false where it is not there, or another one is in its place.</summary>
    public bool TryRemove(DataLease lease)
    {
        if (!Leases.TryGetValue(lease.Client, out var current) || !ReferenceEquals(current, lease))
            return false;
        Leases.Remove(lease.Client);
        if (lease.Borrower.OtherClient is { } other)
            Leases.Remove(other);
        return true;
    }

    /// <summary>Accepts until closed; every connection goes to <paramref name="handler"/>.</summary>
    public void Open(Action<DataPort, Connection> handler) => _ = _listening?.AcceptAsync(connection => handler(this, connection));

    public void Close() => _listening?.Dispose();
}
