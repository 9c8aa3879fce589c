using System.Linq;
using System.Net.Sockets;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>Row 7: whatever ends a session or a configuration, every port comes back, and none is taken from a new owner.</summary>
public sealed class LeaseLifeTests
{
    private const int Large = 96 << 20; // more than the sockets on the way take (net.ipv4.tcp_wmem and tcp_rmem)

    public enum Ending
    {
        ClientCloses,
        ClientResets,
        ServerCloses,
        ServerResets,
        BothCut,
    }

    [Theory]
    [InlineData(Ending.ClientCloses, false)]
    [InlineData(Ending.ClientResets, false)]
    [InlineData(Ending.ServerCloses, false)]
    [InlineData(Ending.ServerResets, false)]
    [InlineData(Ending.BothCut, false)]
    [InlineData(Ending.ClientCloses, true)]
    [InlineData(Ending.ClientResets, true)]
    [InlineData(Ending.ServerCloses, true)]
    [InlineData(Ending.ServerResets, true)]
    public async Task A_session_that_ends_in_the_middle_of_a_transfer_leaks_nothing(Ending end, bool hasClientData)
    {
        var now = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            var port = await c.AnswerPasvAsync();
            await c.ExpectAsync("RETR");
            using var data = await c.AcceptAsync(port);
            await c.SendAsync("150 Here it comes.");
            var sending = data.SendAsync(SmallServer.Payload(Large));
            await Wait.For(now.Task, "the test");
            if (end == Ending.ServerResets)
                c.Reset();
            if (end is Ending.ServerResets or Ending.ServerCloses)
                c.Wire.Dispose();
            await Assert.ThrowsAnyAsync<Exception>(() => sending);
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        var passive = await client.PasvAsync();
        var data = hasClientData || end is Ending.BothCut or Ending.ClientCloses ? await client.ConnectDataAsync(passive) : null;
        await client.SendAsync("RETR x");
        await client.ExpectAsync(150);
        if (data is not null)
            await data.ReceiveAsync(100_000);
        Assert.Equal(1, proxy.Proxy.GetStatus().Zones[0].Used);
        now.SetResult();
        switch (end)
        {
            case Ending.ClientCloses:
                // A client that goes closes both, as any process that dies.
                client.Dispose();
                data!.Dispose();
                break;
            case Ending.ClientResets:
                client.Reset();
                break;
            case Ending.BothCut:
                data!.Reset();
                client.Reset();
                break;
            default:
                await client.ExpectAsync(421);
                await client.ExpectEndAsync();
                break;
        }
        await proxy.UntilIdleAsync();
        if (hasClientData && end != Ending.ClientCloses)
            Assert.Equal(DataEnding.Reset, (await data!.ReceiveToEndAsync()).Ending);
        data?.Dispose();
        await server.DoneAsync();
        Assert.Equal(0, proxy.Proxy.GetStatus().Upstreams[0].Servers[0].Sessions);
    }

    [Fact]
    public async Task A_session_that_ends_with_an_unused_port_gives_it_back()
    {
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var data = await client.ConnectDataAsync(await client.PasvAsync());
        client.Reset();
        await proxy.UntilIdleAsync();
        Assert.Empty((await data.ReceiveToEndAsync()).Bytes);
        await proxy.Logs.FirstAsync(static r => r.Message.Contains("given back (0 used", StringComparison.Ordinal), "that the port went back");
    }

    [Fact]
    public async Task A_port_in_its_second_life_outlives_the_session_of_its_first()
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            var port = await c.AnswerPasvAsync();
            if (c.Number == 0)
            {
                // Its transfer has ended, and its session goes on.
                await c.ServeRetrAsync(port, "first"u8.ToArray());
                await c.ExpectEndAsync();
                return;
            }
            await c.ServeRetrAsync(port, "second"u8.ToArray());
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, ports: 1);
        using var first = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var second = await ScriptedClient.LogInAsync(proxy.EndPoint);
        Assert.Equal("first"u8.ToArray(), await first.DownloadAsync("x"));
        await proxy.UntilAsync(static s => s.Zones[0].Used == 0, "the port to be back");
        var passive = await second.PasvAsync();

        first.Reset();
        await proxy.UntilAsync(static s => s.Sessions == 1, "the first session to end");
        Assert.Equal(1, proxy.Proxy.GetStatus().Zones[0].Used);
        using var data = await second.ConnectDataAsync(passive);
        await second.SendAsync("RETR x");
        await second.ExpectAsync(150);
        Assert.Equal("second"u8.ToArray(), (await data.ReceiveToEndAsync()).Bytes);
        await second.ExpectAsync(226);
        await second.QuitAsync();
        await proxy.UntilIdleAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reload_in_the_middle_of_a_transfer_touches_nothing_that_runs(bool sameZone)
    {
        var go = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            var port = await c.AnswerPasvAsync();
            await c.ExpectAsync("RETR");
            using var data = await c.AcceptAsync(port);
            await c.SendAsync("150 Here it comes.");
            await data.SendAsync("before "u8.ToArray());
            await Wait.For(go.Task, "the reload");
            await data.SendAsync("after"u8.ToArray());
            data.Dispose();
            await c.SendAsync("226 Sent.");
            await c.ServeRetrAsync(await c.AnswerPasvAsync(), "again"u8.ToArray());
            await c.AnswerQuitAsync();
        });
        await using var other = new SmallServer();
        int listen = FreePorts.One(), ports = FreePorts.Range(4);
        await using var proxy = await TestProxy.StartAsync(TestProxy.Configuration(server.EndPoint, listen, ports, ports + 1));
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var data = await client.ConnectDataAsync(await client.PasvAsync());
        await client.SendAsync("RETR x");
        await client.ExpectAsync(150);
        await data.ReceiveAsync(7);

        Assert.Empty(await proxy.ReloadAsync(TestProxy.Configuration(other.EndPoint, listen, sameZone ? ports : ports + 2, sameZone ? ports + 1 : ports + 3)));
        Assert.Equal(2, proxy.Proxy.GetStatus().Generation);
        Assert.Equal(sameZone ? 1 : 0, proxy.Proxy.GetStatus().Zones[0].Used);
        using var next = await ScriptedClient.LogInAsync(proxy.EndPoint);
        Assert.Equal("220 small", next.Wire.Lines[0]);
        Assert.Equal(SmallServer.Payload(100), await next.DownloadAsync("100"));
        await proxy.UntilAsync(s => s.Zones[0].Used == (sameZone ? 1 : 0), "the new session's port to be back, and only that");

        go.SetResult();
        Assert.Equal("after"u8.ToArray(), (await data.ReceiveToEndAsync()).Bytes);
        await client.ExpectAsync(226);
        // The old generation goes on giving ports to its sessions.
        Assert.Equal("again"u8.ToArray(), await client.DownloadAsync("x"));
        await client.QuitAsync();
        await next.QuitAsync();
        await server.DoneAsync();
        await proxy.UntilIdleAsync();
    }

    [Fact]
    public async Task Counts_of_servers_survive_a_reload()
    {
        await using var server = new SmallServer();
        int listen = FreePorts.One(), ports = FreePorts.Range(2);
        var configuration = TestProxy.Configuration(server.EndPoint, listen, ports, ports + 1);
        await using var proxy = await TestProxy.StartAsync(configuration);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        Assert.Empty(await proxy.ReloadAsync(configuration));
        using var next = await ScriptedClient.LogInAsync(proxy.EndPoint);
        Assert.Equal(2, proxy.Proxy.GetStatus().Upstreams[0].Servers[0].Sessions);
        Assert.Equal(2, proxy.Proxy.GetStatus().Upstreams[0].Servers[0].TotalSessions);
        await client.QuitAsync();
        await proxy.UntilAsync(static s => s.Upstreams[0].Servers[0].Sessions == 1, "the old session to be counted off");
        await next.QuitAsync();
        await proxy.UntilIdleAsync();
    }

    [Fact]
    public async Task No_client_is_turned_away_while_reload_follows_reload()
    {
        await using var server = new SmallServer();
        int listen = FreePorts.One(), ports = FreePorts.Range(4);
        string[] configurations = [.. Enumerable.Range(0, 2).Select(i => TestProxy.Configuration(server.EndPoint, listen, ports + i, ports + 2 + i))];
        await using var proxy = await TestProxy.StartAsync(configurations[0]);
        using var stop = new CancellationTokenSource();
        var clients = Enumerable.Range(0, 4).Select(i => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                using var client = await ScriptedClient.LogInAsync(proxy.EndPoint, System.Net.IPAddress.Parse($"127.0.3.{i + 1}"));
                Assert.Equal(SmallServer.Payload(50), await client.DownloadAsync("50"));
                await client.QuitAsync();
            }
        })).ToArray();
        for (var i = 0; i < 60; i++)
            Assert.Empty(await proxy.ReloadAsync(configurations[i % 2]));
        await stop.CancelAsync();
        await Task.WhenAll(clients);
        await proxy.UntilIdleAsync();
    }

    [Fact]
    public async Task A_reload_that_cannot_be_changes_nothing_and_says_why()
    {
        await using var server = new SmallServer();
        int listen = FreePorts.One(), ports = FreePorts.Range(2), busy = FreePorts.One();
        using var squatter = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        squatter.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, busy));
        squatter.Listen();
        await using var proxy = await TestProxy.StartAsync(TestProxy.Configuration(server.EndPoint, listen, ports, ports + 1));
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);

        var errors = await proxy.ReloadAsync(TestProxy.Configuration(server.EndPoint, busy, ports, ports + 1));
        Assert.Contains($"cannot listen on 127.0.0.1:{busy}: the port is in use", Assert.Single(errors), StringComparison.Ordinal);
        errors = await proxy.ReloadAsync(TestProxy.Configuration(server.EndPoint, listen, ports, ports + 1, "access_log /nowhere/at/all.log;"));
        Assert.Contains("/nowhere/at/all.log", Assert.Single(errors), StringComparison.Ordinal);
        errors = await Wait.For(proxy.Proxy.ReloadAsync(new Config.FerryConfig()), "the reload");
        Assert.Single(errors);

        Assert.Equal(1, proxy.Proxy.GetStatus().Generation);
        Assert.Equal(SmallServer.Payload(100), await client.DownloadAsync("100"));
        using var next = await ScriptedClient.LogInAsync(proxy.EndPoint);
        await next.QuitAsync();
    }
}
