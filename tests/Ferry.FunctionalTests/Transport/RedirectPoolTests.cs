using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.Tests;
using Ferry.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.FunctionalTests.Transport;

/// <summary>A pool whose ports one listener stands for. What the kernel brings there is the matter of <see cref="SinglePortTests"/>.</summary>
public sealed class RedirectPoolTests : IDisposable
{
    private static readonly IPAddress Here = IPAddress.Loopback;
    private static readonly IPAddress One = IPAddress.Parse("127.0.0.1");
    private static readonly IPAddress Two = IPAddress.Parse("127.0.0.2");

    private readonly ManualTimeProvider _clock = new();
    private readonly RedirectListeners _listeners;
    private readonly List<PortPool> _pools = [];
    private readonly IPEndPoint _endPoint = new(Here, FreePorts.One());

    public RedirectPoolTests() => _listeners = new RedirectListeners(_clock, NullLogger.Instance);

    public void Dispose() => _pools.ForEach(static p => p.Dispose());

    [Fact]
    public void Forty_thousand_ports_are_lent_and_one_is_open()
    {
        var pool = NewPool(20000, 59999);
        HashSet<int> ports = [];
        List<DataLease> leases = [];
        for (var i = 0; i < 40000; i++)
        {
            leases.Add(Lend(pool, One));
            ports.Add(leases[^1].Port);
        }
        Assert.Equal((40000, 40000, 1), (ports.Count, pool.Used, pool.OpenPorts));
        Assert.Equal(LendResult.NoPort, pool.TryLend(One, Here, 0, [], out _));
        using (var other = Lend(pool, Two))
            Assert.Contains(other.Port, ports);
        leases.ForEach(static l => l.Dispose());
        Assert.Equal((0, 1), (pool.Used, pool.OpenPorts));
    }

    [Fact]
    public async Task Who_dials_the_one_port_itself_is_refused_and_counted()
    {
        var pool = NewPool(20000, 20009);
        using var lease = Lend(pool, One);
        await DialAsync();
        await Wait.Until(() => pool.RefusedConnections == 1, "the refusal");
        Assert.False(lease.IsConnected);
    }

    [Fact]
    public void An_address_that_nothing_listens_on_is_lent_no_port()
    {
        var pool = NewPool(20000, 20009);
        Assert.Equal(LendResult.NoPort, pool.TryLend(One, IPAddress.Parse("127.0.0.9"), 0, [], out _));
        Assert.Equal(0, pool.Used);
    }

    [Fact]
    public void A_client_is_not_lent_a_port_that_it_holds_from_another_pool_of_the_listener()
    {
        var old = NewPool(20000, 20009);
        var leases = Enumerable.Range(0, 9).Select(_ => Lend(old, One)).ToArray();
        var made = NewPool(20000, 20009);
        using var free = Lend(made, One);
        Assert.DoesNotContain(free.Port, leases.Select(static l => l.Port));
        Assert.Equal(LendResult.NoPort, made.TryLend(One, Here, 0, [], out _));
        using (Lend(made, Two))
            Assert.Equal(2, made.Used);
        foreach (var lease in leases)
            lease.Dispose();
        using var again = Lend(made, One);
    }

    [Fact]
    public async Task The_listener_outlives_the_pool_that_opened_it_and_closes_with_its_last()
    {
        var old = NewPool(20000, 20009);
        var made = NewPool(30000, 30009);
        old.Retire();
        old.Dispose();
        Assert.NotEqual(SocketError.ConnectionRefused, await DialAsync());
        await Wait.Until(() => made.RefusedConnections == 1, "the refusal");
        made.Dispose();
        made.Dispose();
        Assert.Equal(SocketError.ConnectionRefused, await DialAsync());
        var next = NewPool(30000, 30009);
        Assert.Equal(1, next.OpenPorts);
    }

    [Fact]
    public void A_port_in_use_is_an_error_and_leaves_nothing_open()
    {
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(_endPoint);
        other.Listen();
        var pool = new PortPool(Zone(20000, 20009), DataPeerPolicy.Control, _clock, NullLogger.Instance);
        _pools.Add(pool);
        Assert.Equal(SocketError.AddressAlreadyInUse, pool.Redirect(_listeners, [_endPoint], out var failed));
        Assert.Equal(_endPoint, failed);
    }

    [Fact]
    public void A_pool_fits_only_the_same_single_ports()
    {
        var pool = NewPool(20000, 20009);
        Assert.True(pool.Fits(Zone(20000, 20009), DataPeerPolicy.Control, [_endPoint]));
        Assert.False(pool.Fits(Zone(20000, 20009), DataPeerPolicy.Control, []));
        Assert.False(pool.Fits(Zone(20000, 20009), DataPeerPolicy.Control, [new IPEndPoint(Two, _endPoint.Port)]));
    }

    private static ZoneConfig Zone(int first, int last) => new("test", 1 << 24, Here, first, last);

    private static DataLease Lend(PortPool pool, IPAddress client)
    {
        Assert.Equal(LendResult.Lent, pool.TryLend(client, Here, 0, [], out var lease));
        return lease!;
    }

    /// <summary>Dials the one port itself. Its refusal, a reset, may come before the connection is told to stand.</summary>
    private async Task<SocketError> DialAsync()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(_endPoint);
            return SocketError.Success;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode;
        }
    }

    private PortPool NewPool(int first, int last)
    {
        var pool = new PortPool(Zone(first, last), DataPeerPolicy.Control, _clock, NullLogger.Instance, new Random(7));
        _pools.Add(pool);
        Assert.Equal(SocketError.Success, pool.Redirect(_listeners, [_endPoint], out _));
        return pool;
    }
}
