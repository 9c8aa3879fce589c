using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.Tests;
using Ferry.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.FunctionalTests.Transport;

public sealed class PortPoolTests : IDisposable
{
    private static readonly IPAddress Here = IPAddress.Loopback;
    private static readonly IPAddress One = IPAddress.Parse("127.0.0.1");
    private static readonly IPAddress Two = IPAddress.Parse("127.0.0.2");

    private readonly ManualTimeProvider _clock = new();
    private readonly List<PortPool> _pools = [];

    public void Dispose() => _pools.ForEach(static p => p.Dispose());

    [Fact]
    public void A_client_gets_the_port_that_it_has_not_had_for_longest()
    {
        var pool = NewPool(5);
        List<int> first = [];
        for (var i = 0; i < 5; i++)
        {
            using var lease = Lend(pool, One);
            first.Add(lease.Port);
        }
        Assert.Equal(5, first.Distinct().Count());
        for (var round = 0; round < 3; round++)
        {
            foreach (var port in first)
            {
                using var lease = Lend(pool, One);
                Assert.Equal(port, lease.Port);
            }
        }
        // Given back in another order, they are lent in that order.
        var held = Enumerable.Range(0, 5).Select(_ => Lend(pool, One)).ToArray();
        foreach (var i in (int[])[3, 1, 4, 0, 2])
            held[i].Dispose();
        foreach (var i in (int[])[3, 1, 4, 0, 2])
        {
            using var lease = Lend(pool, One);
            Assert.Equal(held[i].Port, lease.Port);
        }
    }

    [Fact]
    public void A_second_client_may_hold_the_same_port()
    {
        var pool = NewPool(1);
        using var one = Lend(pool, One);
        using var two = Lend(pool, Two);
        Assert.Equal(one.Port, two.Port);
        Assert.Equal((2, 1), (pool.Used, pool.OpenPorts));
        Assert.Equal(LendResult.NoPort, pool.TryLend(One, Here, 0, [], out _));
    }

    [Fact]
    public async Task Each_of_two_clients_gets_its_own_connection_on_the_port_that_they_share()
    {
        var pool = NewPool(1);
        using var one = Lend(pool, One);
        using var two = Lend(pool, Two);
        using var fromTwo = await DataEnd.ConnectAsync(new IPEndPoint(Here, one.Port), Two);
        Assert.True(await Wait.For(two.Connected, "the second client"));
        Assert.False(one.IsConnected);
        using var fromOne = await DataEnd.ConnectAsync(new IPEndPoint(Here, one.Port), One);
        Assert.True(await Wait.For(one.Connected, "the first client"));
        using var socket = two.Take();
        Assert.Equal(((IPEndPoint)fromTwo.Socket.LocalEndPoint!).Port, ((IPEndPoint)socket!.RemoteEndPoint!).Port);
        Assert.Null(two.Take());
    }

    [Fact]
    public void A_full_zone_lends_nothing_to_anybody()
    {
        var pool = NewPool(40, size: 8192);
        var leases = Enumerable.Range(0, 32).Select(_ => Lend(pool, One)).ToArray();
        Assert.Equal(LendResult.ZoneFull, pool.TryLend(Two, Here, 0, [], out var none));
        Assert.Null(none);
        Assert.Equal(0, pool.FreeFor(Two));
        leases[7].Dispose();
        Assert.Equal(1, pool.FreeFor(Two));
        Lend(pool, Two).Dispose();
        foreach (var lease in leases)
            lease.Dispose();
        Assert.Equal(0, pool.Used);
    }

    [Fact]
    public void A_client_holds_no_more_than_it_may()
    {
        var pool = NewPool(4);
        using var first = Lend(pool, One);
        var second = Lend(pool, One);
        Assert.Equal(LendResult.ClientLimit, pool.TryLend(One, Here, 2, [], out _));
        Assert.Equal(LendResult.Lent, pool.TryLend(Two, Here, 2, [], out var other));
        second.Dispose();
        Assert.Equal(LendResult.Lent, pool.TryLend(One, Here, 2, [], out var third));
        other!.Dispose();
        third!.Dispose();
        Assert.Equal(1, pool.Used);
    }

    [Fact]
    public void Giving_back_twice_is_harmless()
    {
        var pool = NewPool(2);
        var lease = Lend(pool, One);
        lease.Dispose();
        lease.Dispose();
        Assert.Equal(0, pool.Used);
        Assert.Equal(2, pool.FreeFor(One));
        using var a = Lend(pool, One);
        using var b = Lend(pool, One);
        Assert.NotEqual(a.Port, b.Port);
        Assert.Equal(LendResult.NoPort, pool.TryLend(One, Here, 0, [], out _));
    }

    [Fact]
    public async Task A_lease_given_back_after_its_port_has_a_new_owner_frees_nothing()
    {
        var pool = NewPool(1);
        var old = Lend(pool, One);
        old.Dispose();
        using var current = Lend(pool, One);
        Assert.Equal(old.Port, current.Port);
        old.Dispose();
        old.DisposeIfWaiting();
        Assert.Equal(1, pool.Used);
        Assert.Equal(LendResult.NoPort, pool.TryLend(One, Here, 0, [], out _));
        using var data = await DataEnd.ConnectAsync(new IPEndPoint(Here, current.Port), One);
        Assert.True(await Wait.For(current.Connected, "the new owner's client"));
        Assert.Null(old.Take());
        Assert.False(await old.Connected);
    }

    [Fact]
    public async Task A_port_stays_open_for_a_while_after_its_last_lease_and_is_then_closed()
    {
        var pool = NewPool(1);
        var lease = Lend(pool, One);
        _clock.Advance(TimeSpan.FromHours(1));
        pool.Sweep();
        Assert.Equal(1, pool.OpenPorts);
        lease.Dispose();
        _clock.Advance(TimeSpan.FromSeconds(14));
        pool.Sweep();
        Assert.Equal(1, pool.OpenPorts);
        // Another lease begins its wait anew.
        Lend(pool, One).Dispose();
        _clock.Advance(TimeSpan.FromSeconds(14));
        pool.Sweep();
        Assert.Equal(1, pool.OpenPorts);
        _clock.Advance(TimeSpan.FromSeconds(2));
        pool.Sweep();
        Assert.Equal(0, pool.OpenPorts);
        var refused = await Assert.ThrowsAsync<SocketException>(() => DataEnd.ConnectAsync(new IPEndPoint(Here, lease.Port), One));
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
        using var again = Lend(pool, One);
        using var data = await DataEnd.ConnectAsync(new IPEndPoint(Here, again.Port), One);
        Assert.True(await Wait.For(again.Connected, "the client"));
    }

    [Fact]
    public void A_port_that_somebody_else_has_open_is_stepped_over()
    {
        var first = FreePorts.Range(3);
        using var squatter = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        squatter.Bind(new IPEndPoint(Here, first + 1));
        squatter.Listen();
        var pool = NewPool(3, first: first);
        using var a = Lend(pool, One);
        using var b = Lend(pool, One);
        Assert.Equal([first, first + 2], new[] { a.Port, b.Port }.Order());
        Assert.Equal(LendResult.NoPort, pool.TryLend(One, Here, 0, [], out _));
        Assert.Equal(2, pool.Used);
        squatter.Dispose();
        using var c = Lend(pool, One);
        Assert.Equal(first + 1, c.Port);
    }

    [Fact]
    public async Task Where_anybody_may_come_a_port_has_one_lease_at_a_time()
    {
        var pool = NewPool(2, DataPeerPolicy.Any);
        using var one = Lend(pool, One);
        using var two = Lend(pool, Two);
        Assert.NotEqual(one.Port, two.Port);
        Assert.Equal(LendResult.NoPort, pool.TryLend(IPAddress.Parse("127.0.0.3"), Here, 0, [], out _));
        using var data = await DataEnd.ConnectAsync(new IPEndPoint(Here, one.Port), IPAddress.Parse("127.0.0.9"));
        Assert.True(await Wait.For(one.Connected, "somebody"));
        Assert.False(two.IsConnected);
    }

    [Fact]
    public async Task A_peer_that_the_rules_deny_is_refused_even_if_it_is_the_client()
    {
        var pool = NewPool(1);
        Assert.Equal(LendResult.Lent, pool.TryLend(Two, Here, 0, [new AccessRuleConfig(false, IPNetwork.Parse("127.0.0.2/32"))], out var lease));
        await AssertRefusedAsync(lease!.Port, Two);
        Assert.False(lease.IsConnected);
        lease.Dispose();
    }

    [Fact]
    public async Task A_connection_is_closed_with_the_lease_that_nobody_took_it_from()
    {
        var pool = NewPool(1);
        var lease = Lend(pool, One);
        using var data = await DataEnd.ConnectAsync(new IPEndPoint(Here, lease.Port), One);
        await Wait.For(lease.Connected, "the client");
        lease.Dispose();
        Assert.Empty((await data.ReceiveToEndAsync()).Bytes);
        Assert.Null(lease.Take());
    }

    [Fact]
    public async Task Leases_that_come_and_go_on_many_threads_leave_nothing_behind()
    {
        var pool = NewPool(7);
        await Parallel.ForEachAsync(Enumerable.Range(0, 4000), new ParallelOptions { MaxDegreeOfParallelism = 8 }, (i, _) =>
        {
            if (pool.TryLend(IPAddress.Parse($"127.0.1.{i % 20}"), Here, 0, [], out var lease) == LendResult.Lent)
            {
                lease!.Dispose();
                lease.Dispose();
            }
            return ValueTask.CompletedTask;
        });
        Assert.Equal(0, pool.Used);
        Assert.Equal(7, pool.FreeFor(IPAddress.Parse("127.0.1.3")));
        _clock.Advance(TimeSpan.FromMinutes(2));
        pool.Sweep();
        Assert.Equal(0, pool.OpenPorts);
    }

    [Fact]
    public void A_closed_pool_lends_nothing_and_takes_back_what_is_out()
    {
        var pool = NewPool(2);
        var lease = Lend(pool, One);
        pool.Dispose();
        Assert.Equal(LendResult.NoPort, pool.TryLend(One, Here, 0, [], out _));
        lease.Dispose();
        Assert.Equal(0, pool.Used);
    }

    [Fact]
    public void A_retired_pool_leaves_its_ports_to_the_one_that_follows_it()
    {
        var retired = NewPool(1);
        var lease = Lend(retired, One);
        Lend(retired, Two).Dispose();
        retired.Retire();
        var successor = NewPool(1, first: lease.Port);
        Assert.Equal(LendResult.NoPort, successor.TryLend(One, Here, 0, [], out _));
        lease.Dispose();
        Assert.Equal(0, retired.OpenPorts);
        Lend(successor, One).Dispose();
        _clock.Advance(TimeSpan.FromMinutes(2));
        retired.Sweep(); // and what it once had in its queue does not touch the successor's
        Assert.Equal(1, successor.OpenPorts);
    }

    private static async Task AssertRefusedAsync(int port, IPAddress from)
    {
        try
        {
            using var data = await DataEnd.ConnectAsync(new IPEndPoint(Here, port), from);
            Assert.Equal(DataEnding.Reset, (await data.ReceiveToEndAsync()).Ending);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.NotConnected)
        {
            // The reset was there before connect had returned.
        }
    }

    private static DataLease Lend(PortPool pool, IPAddress client)
    {
        Assert.Equal(LendResult.Lent, pool.TryLend(client, Here, 0, [], out var lease));
        return lease!;
    }

    private PortPool NewPool(int ports, DataPeerPolicy peer = DataPeerPolicy.Control, long size = 1 << 20, int first = 0)
    {
        if (first == 0)
            first = FreePorts.Range(ports);
        var pool = new PortPool(new ZoneConfig("test", size, Here, first, first + ports - 1), peer, _clock, NullLogger.Instance, new Random(7));
        _pools.Add(pool);
        return pool;
    }
}
