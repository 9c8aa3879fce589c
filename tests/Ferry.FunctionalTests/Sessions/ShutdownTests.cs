using Ferry.FunctionalTests.Harness;
using Ferry.Tests;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>The orderly end, the quick end, and who is not let in.</summary>
public sealed class ShutdownTests
{
    [Fact]
    public async Task A_drain_ends_idle_sessions_lets_transfers_finish_and_then_ends()
    {
        var go = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            if (await c.ReadLineAsync() is null)
                return;
            var port = c.OpenDataPort();
            await c.SendAsync(port.PasvReply);
            await c.ExpectAsync("RETR");
            using var data = await c.AcceptAsync(port);
            await c.SendAsync("150 Here it comes.");
            await data.SendAsync("before "u8.ToArray());
            await Wait.For(go.Task, "the drain");
            await data.SendAsync("after"u8.ToArray());
            data.Dispose();
            await c.SendAsync("226 Sent.");
            await c.ExpectEndAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var busy = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var idle = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var data = await busy.ConnectDataAsync(await busy.PasvAsync());
        await busy.SendAsync("RETR x");
        await busy.ExpectAsync(150);
        await data.ReceiveAsync(7);

        var endPoint = proxy.EndPoint;
        var drained = proxy.Proxy.DrainAsync();
        await idle.ExpectAsync(421);
        await idle.ExpectEndAsync();
        await Assert.ThrowsAsync<System.Net.Sockets.SocketException>(() => ScriptedClient.ConnectAsync(endPoint));
        Assert.False(drained.IsCompleted);

        go.SetResult();
        Assert.Equal("after"u8.ToArray(), (await data.ReceiveToEndAsync()).Bytes);
        await busy.ExpectAsync(226);
        await busy.ExpectAsync(421);
        await busy.ExpectEndAsync();
        await Wait.For(drained, "the drain to end");
        await server.DoneAsync();
    }

    [Fact]
    public async Task A_drain_lasts_no_longer_than_worker_shutdown_timeout()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.Start(StallAsync);
        var ports = FreePorts.Range(2);
        await using var proxy = await TestProxy.StartAsync(
            "worker_shutdown_timeout 90s;\n" + TestProxy.Configuration(server.EndPoint, FreePorts.One(), ports, ports + 1), clock);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var data = await client.ConnectDataAsync(await client.PasvAsync());
        await client.SendAsync("RETR x");
        await client.ExpectAsync(150);

        var timers = clock.ActiveTimers;
        var drained = proxy.Proxy.DrainAsync();
        await Wait.Until(() => clock.ActiveTimers > timers, "the drain to wait");
        clock.Advance(TimeSpan.FromSeconds(89));
        Assert.False(drained.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(2));
        await Wait.For(drained, "the drain to end");
        Assert.Equal(DataEnding.Reset, (await data.ReceiveToEndAsync()).Ending);
        await client.ExpectAsync(421);
        await client.ExpectEndAsync();
        await server.DoneAsync();
    }

    [Fact]
    public async Task A_stop_ends_everything_now()
    {
        await using var server = ScriptedServer.Start(StallAsync);
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var busy = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var idle = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var data = await busy.ConnectDataAsync(await busy.PasvAsync());
        await busy.SendAsync("RETR x");
        await busy.ExpectAsync(150);

        await Wait.For(proxy.Proxy.StopAsync(), "the stop");
        Assert.Equal(DataEnding.Reset, (await data.ReceiveToEndAsync()).Ending);
        foreach (var client in (ScriptedClient[])[busy, idle])
        {
            await client.ExpectAsync(421);
            await client.ExpectEndAsync();
        }
        var status = proxy.Proxy.GetStatus();
        Assert.Equal((0, 0), (status.Sessions, status.Transfers));
        await server.DoneAsync();
    }

    [Fact]
    public async Task One_session_more_than_worker_connections_is_told_421()
    {
        await using var server = new SmallServer();
        var ports = FreePorts.Range(2);
        var configuration = TestProxy.Configuration(server.EndPoint, FreePorts.One(), ports, ports + 1)
            .Replace("worker_connections 10000", "worker_connections 2", StringComparison.Ordinal);
        await using var proxy = await TestProxy.StartAsync(configuration);
        using var one = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var two = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using (var three = await ScriptedClient.ConnectAsync(proxy.EndPoint))
        {
            await three.ExpectAsync(421);
            await three.ExpectEndAsync();
        }
        Assert.Equal(2, proxy.Proxy.GetStatus().Sessions);
        await one.QuitAsync();
        await proxy.UntilAsync(static s => s.Sessions == 1, "the first session to end");
        using var four = await ScriptedClient.LogInAsync(proxy.EndPoint);
        await four.QuitAsync();
    }

    [Fact]
    public async Task Only_those_whom_the_rules_allow_are_let_in()
    {
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: "deny 127.0.0.2; allow 127.0.0.0/30; deny all;");
        foreach (var denied in (string[])["127.0.0.2", "127.0.0.4"])
        {
            using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint, System.Net.IPAddress.Parse(denied));
            await client.ExpectEndAsync();
            Assert.Empty(client.Wire.Lines);
        }
        using var allowed = await ScriptedClient.LogInAsync(proxy.EndPoint, System.Net.IPAddress.Parse("127.0.0.3"));
        await allowed.QuitAsync();
        Assert.Single(server.Script.Connections);
    }

    private static async Task StallAsync(ScriptedConnection c)
    {
        await c.LogInAsync();
        if (await c.ReadLineAsync() is not "PASV")
            return;
        var port = c.OpenDataPort();
        await c.SendAsync(port.PasvReply);
        await c.ExpectAsync("RETR");
        using var data = await c.AcceptAsync(port);
        await c.SendAsync("150 Here it comes.");
        Assert.Equal(DataEnding.Reset, (await data.ReceiveToEndAsync()).Ending);
    }
}
