using Ferry.FunctionalTests.Harness;
using Ferry.Tests;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>Row 9 and every other wait that ends by the clock, which stands still until the test moves it.</summary>
public sealed class DeadlineTests
{
    [Fact]
    public async Task An_idle_session_is_told_421_after_proxy_timeout()
    {
        var clock = new ManualTimeProvider();
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: "proxy_timeout 30s; ftp_login_timeout 1h;", time: clock);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);

        for (var i = 0; i < 3; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(25));
            await client.CommandAsync("NOOP", 200);
        }
        clock.Advance(TimeSpan.FromSeconds(32));
        await client.ExpectAsync(421);
        await client.ExpectEndAsync();
        await proxy.UntilIdleAsync();
    }

    [Fact]
    public async Task After_REIN_the_next_user_has_as_long_to_log_in_as_the_first_had()
    {
        var clock = new ManualTimeProvider();
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: "proxy_timeout 1h; ftp_login_timeout 30s;", time: clock);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        clock.Advance(TimeSpan.FromMinutes(5));
        await client.CommandAsync("REIN", 200);
        clock.Advance(TimeSpan.FromSeconds(28));
        await client.CommandAsync("NOOP", 200);
        clock.Advance(TimeSpan.FromSeconds(4));
        await client.ExpectAsync(421);
        await client.ExpectEndAsync();
    }

    [Fact]
    public async Task A_long_transfer_keeps_its_own_idle_control_connection()
    {
        var clock = new ManualTimeProvider();
        var next = new SemaphoreSlim(0);
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            var port = await c.AnswerPasvAsync();
            await c.ExpectAsync("RETR");
            using var data = await c.AcceptAsync(port);
            await c.SendAsync("150 Here it comes.");
            for (var i = 0; i < 20; i++)
            {
                await data.SendAsync(new byte[] { (byte)i });
                await next.WaitAsync();
            }
            data.Dispose();
            await c.SendAsync("226 Sent.");
            await c.AnswerAsync("NOOP", "200 OK.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: "proxy_timeout 30s;", time: clock);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var data = await client.ConnectDataAsync(await client.PasvAsync());
        await client.SendAsync("RETR x");
        await client.ExpectAsync(150);
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal([(byte)i], await data.ReceiveAsync(1));
            // Longer than the control connection may be idle; all in all longer than the data may stand still.
            clock.Advance(TimeSpan.FromSeconds(58));
            next.Release();
        }
        await client.ExpectAsync(226);
        await client.CommandAsync("NOOP", 200);
        await client.QuitAsync();
        await server.DoneAsync();
    }

    [Fact]
    public async Task A_transfer_that_stands_still_is_cut_and_its_session_goes_on()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            var port = await c.AnswerPasvAsync();
            await c.ExpectAsync("RETR");
            using var data = await c.AcceptAsync(port);
            await c.SendAsync("150 Here it comes.");
            await data.SendAsync("data"u8.ToArray());
            Assert.Equal(DataEnding.Reset, (await data.ReceiveToEndAsync()).Ending);
            await c.SendAsync("426 The connection is broken.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: "ftp_data_timeout 60s;", time: clock);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var data = await client.ConnectDataAsync(await client.PasvAsync());
        await client.SendAsync("RETR x");
        await client.ExpectAsync(150);
        await data.ReceiveAsync(4);
        var end = data.ReceiveToEndAsync();
        await Wait.Until(() => Move(clock, end), "the transfer to be cut");
        Assert.Equal(DataEnding.Reset, (await end).Ending);
        await client.ExpectAsync(426);
        await client.QuitAsync();
        await server.DoneAsync();
        await proxy.UntilIdleAsync();
    }

    [Fact]
    public async Task A_client_that_does_not_connect_gets_425_though_the_server_has_said_226()
    {
        var clock = new ManualTimeProvider();
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: "ftp_data_connect_timeout 20s;", time: clock);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        await client.PasvAsync();
        await client.SendAsync("RETR 10");
        await client.ExpectAsync(150);
        var reply = client.ReadReplyAsync();
        await Wait.Until(() => Move(clock, reply), "the reply");
        Assert.Equal(425, (await reply).Code);
        Assert.Equal(SmallServer.Payload(10), await client.DownloadAsync("10"));
        await client.QuitAsync();
        await proxy.UntilIdleAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_server_that_never_answers_a_transfer_command_does_not_hold_the_session_for_ever(bool hasBegun)
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            var port = await c.AnswerPasvAsync();
            await c.ExpectAsync("STOR");
            using var data = await c.AcceptAsync(port);
            if (hasBegun)
            {
                await c.SendAsync("150 Give it to me.");
                await data.ReceiveToEndAsync();
            }
            await c.ExpectEndAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: "proxy_timeout 30s;", time: clock);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var data = await client.ConnectDataAsync(await client.PasvAsync());
        await client.SendAsync("STOR x");
        if (hasBegun)
            await client.ExpectAsync(150);
        data.ShutdownSend();
        var reply = client.ReadReplyAsync();
        await Wait.Until(() => Move(clock, reply), "the reply");
        Assert.Equal(421, (await reply).Code);
        await client.ExpectEndAsync();
        await proxy.UntilIdleAsync();
        await server.DoneAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_does_not_log_in_is_told_421(bool isBusy)
    {
        var clock = new ManualTimeProvider();
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: "ftp_login_timeout 20s;", time: clock);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await client.ExpectAsync(220);
        clock.Advance(TimeSpan.FromSeconds(15));
        if (isBusy)
            await client.CommandAsync("USER slow", 331);
        clock.Advance(TimeSpan.FromSeconds(7));
        await client.ExpectAsync(421);
        await client.ExpectEndAsync();
        await proxy.UntilIdleAsync();
    }

    [Fact]
    public async Task A_client_that_has_closed_its_direction_gives_a_silent_server_ten_seconds()
    {
        var clock = new ManualTimeProvider();
        var heard = new TaskCompletionSource();
        var ended = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            Assert.Null(await c.ReadLineAsync());
            heard.SetResult();
            // It ought to close now, and does not.
            await Wait.For(ended.Task, "the proxy to give up");
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, time: clock);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        client.Wire.ShutdownSend();
        await Wait.For(heard.Task, "the server to see the end");
        Assert.Equal(1, proxy.Proxy.GetStatus().Sessions);
        clock.Advance(TimeSpan.FromSeconds(12));
        await client.ExpectEndAsync();
        await proxy.UntilIdleAsync();
        ended.SetResult();
        await server.DoneAsync();
    }

    private static bool Move(ManualTimeProvider clock, Task awaited)
    {
        if (awaited.IsCompleted)
            return true;
        clock.Advance(TimeSpan.FromSeconds(1));
        return false;
    }
}
