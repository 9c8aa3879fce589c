using System.Collections.Immutable;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.Config;
using Microsoft.Extensions.Logging;

namespace Ferry.Transport;

/// <summary>
/// The passive ports of a zone. Each is opened by itself, or one stands for them all. A lease is the pair of client address and port, so different clients hold the same port at the same time.
/// A port is open while it has a lease and for a while after. Giving, matching and taking back are O(1) whatever the size of the range.
/// </summary>
internal sealed partial class PortPool : IDisposable
{
    // As long as a client may dawdle between two transfers; opening a port anew costs three system calls.
    private static readonly TimeSpan PortLinger = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ClientLinger = TimeSpan.FromSeconds(60);

    private readonly Lock _sync = new();
    private readonly Dictionary<(IPAddress Local, int Port), DataPort> _open = [];
    private readonly Dictionary<IPAddress, ClientPorts> _clients = [];
    private readonly Queue<(DataPort Port, long Since)> _idlePorts = new();
    private readonly Queue<(IPAddress Client, long Since)> _idleClients = new();
    private readonly ZoneConfig _zone;
    private readonly DataPeerPolicy _peer;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Random _random;
    private int _used;
    private long _refused;
    private bool _retired;
    private bool _closed;

    public PortPool(ZoneConfig zone, DataPeerPolicy peer, TimeProvider time, ILogger logger, Random? random = null)
    {
        _zone = zone;
        _peer = peer;
        _time = time;
        _logger = logger;
        _random = random ?? new Random();
    }

    /// <summary>The zone's name.</summary>
    public string Name => _zone.Name;

    /// <summary>Its ports may be opened on addresses of others, the clients of proxy_bind. Each closes with its last lease, for there are as many addresses as clients.</summary>
    public bool IsTransparent { get; init; }

    /// <summary>Ports in the range.</summary>
    public int Ports => _zone.MaxPort - _zone.MinPort + 1;

    /// <summary>Leases on loan.</summary>
    public int Used => Volatile.Read(ref _used);

    /// <summary>Most leases at a time.</summary>
    public int MaxLeases => _zone.MaxLeases;

    /// <summary>Clients and balancers that are remembered.</summary>
    internal int Clients
    {
        get
        {
            lock (_sync)
                return _clients.Count;
        }
    }

    /// <summary>Connections to its ports that no lease waited for.</summary>
    public long RefusedConnections => Interlocked.Read(ref _refused);

    internal void CountRefused() => Interlocked.Increment(ref _refused);

    /// <summary>Ports that are open.</summary>
    public int OpenPorts
    {
        get
        {
            lock (_sync)
                return IsRedirected ? _redirects.Length : _open.Count;
        }
    }

    /// <summary>True where this pool can go on serving a zone after a reload.</summary>
    /// <param name="zone">The zone.</param>
    /// <param name="peer">Who may connect.</param>
    /// <param name="redirects">The single ports that stand for it; empty: its ports are opened one by one.</param>
    public bool Fits(ZoneConfig zone, DataPeerPolicy peer, ImmutableArray<IPEndPoint> redirects) =>
        redirects.SequenceEqual(RedirectEndPoints) && peer == _peer && zone.Name == _zone.Name && zone.Size == _zone.Size && zone.MinPort == _zone.MinPort && zone.MaxPort == _zone.MaxPort;

    /// <summary>Lends a port to a client.</summary>
    /// <param name="client">The address of its control connection.</param>
    /// <param name="local">The address that the port is opened on.</param>
    /// <param name="maxHeld">Most ports that one client may hold; 0: no limit but the range.</param>
    /// <param name="rules">Who may connect, besides being that client.</param>
    /// <param name="lease">The loan, which the caller disposes.</param>
    /// <param name="relay">The balancer that its control connection came through, and its data may; null: none.</param>
    public LendResult TryLend(IPAddress client, IPAddress local, int maxHeld, ImmutableArray<AccessRuleConfig> rules, out DataLease? lease, IPAddress? relay = null)
    {
        lease = null;
        var borrower = BorrowerOf(client, relay);
        lock (_sync)
        {
            if (_closed)
                return LendResult.NoPort;
            if (_used >= MaxLeases)
                return LendResult.ZoneFull;
            if (maxHeld > 0 && _clients.GetValueOrDefault(borrower.Client)?.Leases >= maxHeld)
                return LendResult.ClientLimit;
            var ports = PortsOf(borrower.Holder);
            lease = IsRedirected ? LendRedirected(ports, borrower, local, rules) : LendOpen(ports, borrower, local, rules);
            if (lease is null)
            {
                BecomeIdle(borrower.Holder, ports);
                return LendResult.NoPort;
            }
            CountRelayed(borrower, 1);
            _used++;
            return LendResult.Lent;
        }
    }

    /// <summary>Ports that the client could still be lent.</summary>
    public int FreeFor(IPAddress client, IPAddress? relay = null)
    {
        var borrower = BorrowerOf(client, relay);
        lock (_sync)
        {
            var held = _clients.TryGetValue(borrower.Holder, out var ports) ? ports.Held : 0;
            return Math.Min(Ports - held, MaxLeases - _used);
        }
    }

    /// <summary>Closes ports that had no lease for a while; called about once a second.</summary>
    public void Sweep()
    {
        var now = _time.GetTimestamp();
        lock (_sync)
        {
            while (_idlePorts.TryPeek(out var idle) && _time.GetElapsedTime(idle.Since, now) >= PortLinger)
            {
                _idlePorts.Dequeue();
                idle.Port.IsQueued = false;
                if (idle.Port.Leases.Count > 0)
                    continue;
                if (idle.Port.IdleSince == idle.Since)
                    Close(idle.Port);
                else
                    Enqueue(idle.Port);
            }
            while (_idleClients.TryPeek(out var idle) && _time.GetElapsedTime(idle.Since, now) >= ClientLinger)
            {
                _idleClients.Dequeue();
                var ports = _clients[idle.Client];
                ports.IsQueued = false;
                if (ports.IsInUse)
                    continue;
                if (ports.IdleSince == idle.Since)
                    _clients.Remove(idle.Client);
                else
                    Enqueue(idle.Client, ports);
            }
        }
    }

    /// <summary>Another pool has taken the range over: from now on a port closes with its last lease, so that the other one can open it.</summary>
    public void Retire()
    {
        lock (_sync)
        {
            _retired = true;
            foreach (var port in _open.Values.Where(static p => p.Leases.Count == 0).ToArray())
                Close(port);
        }
    }

    /// <summary>Closes every port. Leases that are out stay valid for what has been connected, and nothing more is lent.</summary>
    public void Dispose()
    {
        lock (_sync)
        {
            _closed = true;
            foreach (var port in _open.Values)
                port.Close();
            _open.Clear();
        }
        LeaveRedirects();
    }

    internal void TakeBack(DataLease lease)
    {
        lock (_sync)
        {
            if (!Forget(lease))
                return;
            _used--;
            CountRelayed(lease.Borrower, -1);
            if (_clients.TryGetValue(lease.Borrower.Holder, out var ports))
            {
                ports.GiveBack(lease.Port);
                BecomeIdle(lease.Borrower.Holder, ports);
            }
        }
    }

    /// <summary>Takes the lease out of its table; false where it is not the one in it.</summary>
    private bool Forget(DataLease lease)
    {
        var port = lease.OpenPort;
        if (port.Redirect is { } redirect)
            return redirect.TryRemove(lease);
        if (!port.TryRemove(lease))
            return false;
        if (port.Leases.Count == 0)
        {
            port.IdleSince = _time.GetTimestamp();
            if (_retired || IsTransparent)
                Close(port);
            else
                Enqueue(port);
        }
        return true;
    }

    private PortBorrower BorrowerOf(IPAddress client, IPAddress? relay) => new(client, _peer == DataPeerPolicy.Client ? null : relay, _peer == DataPeerPolicy.Any);

    private ClientPorts PortsOf(IPAddress client)
    {
        if (!_clients.TryGetValue(client, out var ports))
            _clients.Add(client, ports = new ClientPorts(_zone.MinPort, Ports, _random));
        return ports;
    }

    /// <summary>A port of the balancer's turn counts for the client behind it.</summary>
    private void CountRelayed(PortBorrower borrower, int change)
    {
        if (borrower.OtherClient is not { } relay)
            return;
        PortsOf(relay).HeldByOthers += change;
        var own = PortsOf(borrower.Client);
        own.HeldElsewhere += change;
        BecomeIdle(borrower.Client, own);
    }

    private void BecomeIdle(IPAddress client, ClientPorts ports)
    {
        if (ports.IsInUse)
            return;
        ports.IdleSince = _time.GetTimestamp();
        Enqueue(client, ports);
    }

    // Each stands in its queue once, so that the queues grow with clients and ports and not with transfers; one that was used again
    // in between goes to the end, for what is left of its time.
    private void Enqueue(DataPort port)
    {
        if (port.IsQueued)
            return;
        port.IsQueued = true;
        _idlePorts.Enqueue((port, port.IdleSince));
    }

    private void Enqueue(IPAddress client, ClientPorts ports)
    {
        if (ports.IsQueued)
            return;
        ports.IsQueued = true;
        _idleClients.Enqueue((client, ports.IdleSince));
    }

    private void Close(DataPort port)
    {
        port.Close();
        // Only itself: a port that was closed ahead of its time may have been opened anew.
        if (_open.GetValueOrDefault((port.Local, port.Port)) == port)
            _open.Remove((port.Local, port.Port));
    }

    /// <summary>What stands for any client of a family.</summary>
    internal static IPAddress Anybody(IPAddress like) =>
        like.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any;
}
