using System.Collections.Immutable;
using System.Net;
using Ferry.Config;

namespace Ferry.Transport;

/// <summary>
/// A passive port on loan to one client: it takes one connection from that client's address, or through the balancer that it came by, once. Giving it back twice is harmless,
/// and can never free a later loan of the same port: the pool compares the lease, not its number.
/// </summary>
internal sealed class DataLease : IDisposable
{
    private readonly PortPool _pool;
    private readonly ImmutableArray<AccessRuleConfig> _rules;
    // Continued on the spot: whoever completes it holds no lock, and a hop to another thread would cost more than what follows.
    private readonly TaskCompletionSource<bool> _connected = new();
    private Connection? _connection;
    private int _state;

    internal DataLease(PortPool pool, PortBorrower borrower, DataPort port, ImmutableArray<AccessRuleConfig> rules)
    {
        _pool = pool;
        _rules = rules;
        Borrower = borrower;
        OpenPort = port;
    }

    private enum State
    {
        Waiting,
        Connected,
        Taken,
        Closed,
    }

    /// <summary>The client's address that the port waits for; the unspecified address where any may come.</summary>
    public IPAddress Client => Borrower.Client;

    /// <summary>Whom the port is lent to.</summary>
    internal PortBorrower Borrower { get; }

    /// <summary>The port that the client is told.</summary>
    public int Port => OpenPort.Port;

    /// <summary>True once the client has connected, and until the lease is closed.</summary>
    public bool IsConnected => Volatile.Read(ref _state) is (int)State.Connected or (int)State.Taken;

    /// <summary>Ends with true when the client has connected, with false when the lease was closed before.</summary>
    public Task<bool> Connected => _connected.Task;

    internal DataPort OpenPort { get; }

    /// <summary>Takes the client's connection, which the caller then owns; null where there is none or it was taken.</summary>
    public Connection? Take()
    {
        if (Interlocked.CompareExchange(ref _state, (int)State.Taken, (int)State.Connected) != (int)State.Connected)
            return null;
        var connection = _connection;
        _connection = null;
        return connection;
    }

    /// <summary>Gives the port back; a connection that nobody took is closed.</summary>
    public void Dispose()
    {
        var before = (State)Interlocked.Exchange(ref _state, (int)State.Closed);
        if (before == State.Closed)
            return;
        if (before == State.Connected)
            _connection?.Dispose();
        _connected.TrySetResult(false);
        _pool.TakeBack(this);
    }

    /// <summary>Gives the port back unless the client has connected; <see cref="Connected"/> then ends with false.</summary>
    public void DisposeIfWaiting()
    {
        if (!IsConnected)
            Dispose();
    }

    /// <summary>Hands a connection over; false where it is not for this lease, and the caller keeps it.</summary>
    internal bool TryDeliver(Connection connection, IPAddress peer)
    {
        if (!AccessRules.Allow(_rules, Borrower.Subject(peer)))
            return false;
        // Before the state says so, because Take may run the moment it does.
        if (Interlocked.CompareExchange(ref _connection, connection, null) is not null)
            return false;
        if (Interlocked.CompareExchange(ref _state, (int)State.Connected, (int)State.Waiting) != (int)State.Waiting)
        {
            _ = Interlocked.CompareExchange(ref _connection, null, connection);
            return false;
        }
        _connected.TrySetResult(true);
        return true;
    }
}
