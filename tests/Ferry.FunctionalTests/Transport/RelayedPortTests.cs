using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.Tests;
using Ferry.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.FunctionalTests.Transport;

/// <summary>Ports that are lent to a client and to the balancer that it came through.</summary>
public sealed class RelayedPortTests : IDisposable
{
    private static readonly IPAddress Here = IPAddress.Loopback;
    private static readonly IPAddress One = IPAddress.Parse("127.0.0.11");
    private static readonly IPAddress Two = IPAddress.Parse("127.0.0.12");
    private static readonly IPAddress Relay = IPAddress.Parse("127.0.0.2");
    private static readonly IPAddress OtherRelay = IPAddress.Parse("127.0.0.3");

    private readonly ManualTimeProvider _clock = new();
    private readonly RedirectListeners _listeners;
    private readonly List<PortPool> _pools = [];

    public RelayedPortTests() => _listeners = new RedirectListeners(_clock, NullLogger.Instance);

    public void Dispose() => _pools.ForEach(static p => p.Dispose());

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Clients_of_one_balancer_never_hold_the_same_port(bool isRedirected)
    {
        var pool = NewPool(2, isRedirected);
        using var one = Lend(pool, One, Relay);
        using (var two = Lend(pool, Two, Relay))
        {
            Assert.NotEqual(one.Port, two.Port);
            Assert.Equal((2, 0), (pool.Used, pool.FreeFor(Two, Relay)));
            Assert.Equal(LendResult.NoPort, pool.TryLend(Two, Here, 0, [], out _, Relay));
        }
        Assert.Equal((1, 1), (pool.Used, pool.FreeFor(Two, Relay)));
        Lend(pool, Two, Relay).Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_client_never_holds_a_port_by_two_ways(bool isRedirected)
    {
        var pool = NewPool(3, isRedirected);
        DataLease[] leases = [Lend(pool, One, Relay), Lend(pool, One, OtherRelay), Lend(pool, One, relay: null)];
        Assert.Equal(3, leases.Select(l => l.Port).Distinct().Count());
        Assert.Equal(LendResult.NoPort, pool.TryLend(One, Here, 0, [], out _));
        Assert.Equal(LendResult.NoPort, pool.TryLend(One, Here, 0, [], out _, Relay));
        // Each of the ports is free for another client by the ways that it is not lent by.
        var others = Enumerable.Range(0, 3).Select(_ => Lend(pool, Two, relay: null)).ToList();
        Assert.Equal(6, pool.Used);
        others.ForEach(static l => l.Dispose());
        foreach (var lease in leases)
            lease.Dispose();
        Assert.Equal((0, 3), (pool.Used, pool.FreeFor(One, Relay)));
        for (var i = 0; i < 3; i++)
            Lend(pool, One, Relay);
    }

    [Fact]
    public void The_limit_is_the_client_s_by_all_ways_together_and_not_the_balancer_s()
    {
        var pool = NewPool(10, isRedirected: false);
        var one = Lend(pool, One, Relay);
        Lend(pool, One, OtherRelay);
        Lend(pool, One, relay: null);
        Assert.Equal(LendResult.ClientLimit, pool.TryLend(One, Here, 3, [], out _, Relay));
        Assert.Equal(LendResult.ClientLimit, pool.TryLend(One, Here, 3, [], out _));
        Assert.Equal(LendResult.Lent, pool.TryLend(Two, Here, 1, [], out _, Relay));
        Assert.Equal(LendResult.Lent, pool.TryLend(Relay, Here, 1, [], out _)); // a session of the balancer's own
        Assert.Equal(LendResult.ClientLimit, pool.TryLend(Relay, Here, 1, [], out _));
        one.Dispose();
        Assert.Equal(LendResult.Lent, pool.TryLend(One, Here, 3, [], out _, Relay));
    }

    [Fact]
    public void What_is_remembered_of_clients_behind_a_balancer_is_forgotten()
    {
        var pool = NewPool(4, isRedirected: false);
        for (var i = 0; i < 50; i++)
        {
            var client = IPAddress.Parse($"192.0.2.{i}");
            Lend(pool, client, Relay).Dispose();
        }
        var held = Lend(pool, One, Relay);
        Assert.Equal(52, pool.Clients); // 51 of them and the balancer
        _clock.Advance(TimeSpan.FromMinutes(2));
        pool.Sweep();
        Assert.Equal(2, pool.Clients);
        held.Dispose();
        _clock.Advance(TimeSpan.FromMinutes(2));
        pool.Sweep();
        Assert.Equal(0, pool.Clients);
    }

    [Theory]
    [InlineData(DataPeerPolicy.Control)]
    [InlineData(DataPeerPolicy.Any)]
    public async Task Rules_are_asked_about_the_client_where_its_balancer_comes(DataPeerPolicy peer)
    {
        var pool = NewPool(2, isRedirected: false, peer);
        AccessRuleConfig[] rules = [new(false, new IPNetwork(Two, 32)), new(false, new IPNetwork(OtherRelay, 32))];
        Assert.Equal(LendResult.Lent, pool.TryLend(Two, Here, 0, [.. rules], out var denied, Relay));
        await DataEnd.AssertResetAsync(new IPEndPoint(Here, denied!.Port), Relay);
        Assert.Equal(LendResult.Lent, pool.TryLend(One, Here, 0, [.. rules], out var allowed, OtherRelay));
        using var data = await DataEnd.ConnectAsync(new IPEndPoint(Here, allowed!.Port), OtherRelay);
        Assert.True(await Wait.For(allowed.Connected, "the client behind the balancer"));
        Assert.False(denied.IsConnected);
        allowed.Dispose();
    }

    [Fact]
    public async Task Told_so_the_pool_lends_to_clients_alone_who_then_share_ports()
    {
        var pool = NewPool(1, isRedirected: false, DataPeerPolicy.Client);
        using var one = Lend(pool, One, Relay);
        using var two = Lend(pool, Two, Relay);
        Assert.Equal(one.Port, two.Port);
        await DataEnd.AssertResetAsync(new IPEndPoint(Here, one.Port), Relay);
        using var data = await DataEnd.ConnectAsync(new IPEndPoint(Here, one.Port), Two);
        Assert.True(await Wait.For(two.Connected, "the second client"));
        Assert.False(one.IsConnected);
    }

    private static DataLease Lend(PortPool pool, IPAddress client, IPAddress? relay)
    {
        Assert.Equal(LendResult.Lent, pool.TryLend(client, Here, 0, [], out var lease, relay));
        return lease!;
    }

    private PortPool NewPool(int ports, bool isRedirected, DataPeerPolicy peer = DataPeerPolicy.Control)
    {
        var first = isRedirected ? 20000 : FreePorts.Range(ports);
        var pool = new PortPool(new ZoneConfig("test", 1 << 20, ProxyAddressConfig.Auto, first, first + ports - 1), peer, _clock, NullLogger.Instance, new Random(7));
        _pools.Add(pool);
        if (isRedirected)
            Assert.Equal(SocketError.Success, pool.Redirect(_listeners, [new IPEndPoint(Here, FreePorts.One())], out _));
        return pool;
    }
}
