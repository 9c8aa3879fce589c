using System.Linq;
using Ferry.FunctionalTests.Harness;
using Ferry.Tests;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>What goes wrong before the login of a session whose server is chosen by user.</summary>
public sealed class RoutingFailureTests
{
    public static TheoryData<string> Failures => new("refused", "greeting", "USER", "idle", "PASS", "421 USER", "421 PASS", "reset PASS", "heard");

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Until_PASS_is_answered_a_server_that_fails_is_replaced_and_the_client_sees_nothing(string failure)
    {
        await using var bad = ScriptedServer.Start(c => FailAsync(c, failure));
        await using var good = new SmallServer();
        var first = failure == "refused" ? new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, FreePorts.One()) : bad.EndPoint;
        await using var proxy = await RoutingProxy.StartAsync(first, good.EndPoint);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await client.ExpectAsync(220);
        await client.CommandAsync("CLNT x", 200);
        await client.CommandAsync("USER anna", 331);
        if (failure == "idle")
            await bad.DoneAsync();
        await client.CommandAsync("PASS secret", 230);
        Assert.Equal(500, (await client.DownloadAsync("500")).Length);
        await client.QuitAsync();
        Assert.Equal(["CLNT x", "USER anna", "PASS secret"], Assert.Single(good.Script.Connections).Lines.Take(3));
        await proxy.UntilIdleAsync();
        Assert.All(proxy.Proxy.GetStatus().Upstreams.SelectMany(static u => u.Servers), static s => Assert.Equal(0, s.Sessions));
        Assert.Equal(1, proxy.Proxy.GetStatus().Upstreams.First(static u => u.Name == "one").Servers[0].Failures);
    }

    private static async Task FailAsync(ScriptedConnection c, string failure)
    {
        await c.SendAsync(failure == "greeting" ? "421 full" : "220 ready");
        if (failure == "greeting")
            return;
        await c.ExpectAsync("CLNT x");
        if (failure == "heard")
            return;
        await c.SendAsync("200 ok");
        await c.ExpectAsync("USER anna");
        if (failure == "421 USER")
            await c.SendAsync("421-no", "421 more");
        if (failure is "421 USER" or "USER")
            return;
        await c.SendAsync("331 Password please.");
        if (failure == "idle")
            return;
        await c.ExpectAsync("PASS secret");
        if (failure == "421 PASS")
            await c.SendAsync("421 too many");
        if (failure == "reset PASS")
            c.Reset();
    }

    [Theory]
    [InlineData("HOST")]
    [InlineData("USER")]
    [InlineData("PASS")]
    public async Task A_server_that_falls_silent_before_the_login_is_replaced_when_its_time_is_up(string at)
    {
        var clock = new ManualTimeProvider();
        await using var silent = ScriptedServer.Start(async c =>
        {
            await c.SendAsync("220 ready");
            for (var line = await c.ReadLineAsync(); line is not null && !line.StartsWith(at, StringComparison.Ordinal); line = await c.ReadLineAsync())
                await c.SendAsync(line.StartsWith("USER", StringComparison.Ordinal) ? "331 Password please." : "220 Fine.");
            await c.ExpectEndAsync();
        });
        await using var good = new SmallServer();
        await using var proxy = await RoutingProxy.StartAsync(silent.EndPoint, good.EndPoint, "ftp_banner_timeout 7s;", time: clock);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await client.ExpectAsync(220);
        await client.CommandAsync("HOST ftp.example.com", 220);
        await client.SendAsync("USER anna", "PASS secret");
        var login = client.ExpectAsync(331);
        await Wait.Until(() => Moved(clock, login, 1000), "the answer to USER");
        await login;
        login = client.ExpectAsync(230);
        await Wait.Until(() => Moved(clock, login, 1000), "the answer to PASS");
        await login;
        Assert.Equal(["HOST ftp.example.com", "USER anna", "PASS secret"], Assert.Single(good.Script.Connections).Lines);
    }

    [Fact]
    public async Task A_server_may_let_a_user_in_without_a_password()
    {
        await using var one = ScriptedServer.Start(static async c =>
        {
            await c.SendAsync("220 ready");
            await c.AnswerAsync("USER anna", "230-In", "230 you are");
            await c.AnswerAsync("PWD", "257 \"/\"");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await RoutingProxy.StartAsync(one.EndPoint, one.EndPoint);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await client.ExpectAsync(220);
        await client.CommandAsync("USER anna", 230);
        await client.CommandAsync("PWD", 257);
        await client.QuitAsync();
    }

    [Fact]
    public async Task When_no_server_is_left_the_client_is_told_421()
    {
        await using var bad = ScriptedServer.Start(static async c =>
        {
            await c.SendAsync("220 ready");
            await c.ReadLineAsync();
        });
        await using var proxy = await RoutingProxy.StartAsync(bad.EndPoint, bad.EndPoint);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await client.ExpectAsync(220);
        await client.CommandAsync("USER anna", 421);
        await client.ExpectEndAsync();
        Assert.Equal(2, bad.Connections.Count);
    }

    [Fact]
    public async Task A_server_that_has_answered_PASS_is_not_replaced()
    {
        await using var bad = ScriptedServer.Start(static async c =>
        {
            await c.SendAsync("220 ready");
            await c.AnswerAsync("USER anna", "331 Password please.");
            await c.AnswerAsync("PASS wrong", "530 no");
            await c.AnswerAsync("PASS again", "421 enough");
        });
        await using var good = new SmallServer();
        await using var proxy = await RoutingProxy.StartAsync(bad.EndPoint, good.EndPoint);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await client.ExpectAsync(220);
        await client.CommandAsync("USER anna", 331);
        await client.CommandAsync("PASS wrong", 530);
        await client.CommandAsync("PASS again", 421);
        await client.ExpectEndAsync();
        Assert.Empty(good.Script.Connections);
        await proxy.UntilIdleAsync();
    }

    [Theory]
    [InlineData("nobody", RoutingProxy.ByUser, 470)]
    [InlineData("three", "map $ftp_user $pool { ~(.*) $1; }", 471)]
    public async Task A_user_whom_nobody_knows_is_refused_after_the_password_and_as_long_a_time_as_a_server_takes(string user, string maps, int said)
    {
        var clock = new ManualTimeProvider();
        await using var one = new SmallServer();
        await using var proxy = await RoutingProxy.StartAsync(one.EndPoint, one.EndPoint, "ftp_hide_server on;", maps, clock);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await client.ExpectAsync(220);
        await client.SendAsync($"USER {user}");
        var answer = client.ExpectAsync(331);
        await Wait.Until(() => Moved(clock, answer, 5), "the answer to USER");
        Assert.Equal("331 Password required.", (await answer).ToString());

        await client.SendAsync("PASS secret");
        answer = client.ExpectAsync(530);
        var began = clock.GetTimestamp();
        await Wait.Until(() => Moved(clock, answer, 100), "the answer to PASS");
        Assert.Equal("530 Login incorrect.", (await answer).ToString());
        Assert.InRange(clock.GetElapsedTime(began), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
        Assert.Empty(one.Script.Connections);
        await proxy.Logs.EventAsync(said);
        await client.CommandAsync("PASS secret", 503);
        await client.CommandAsync("QUIT", 221);
        await client.ExpectEndAsync();
        Assert.Equal("client_quit", (await proxy.Logs.EventAsync(401)).Values["Reason"]);
    }

    [Fact]
    public async Task Three_refusals_are_enough()
    {
        await using var one = ScriptedServer.Start(static async c =>
        {
            await c.SendAsync("220 ready");
            await c.AnswerAsync("USER anna", "331 Password please.");
            await c.AnswerAsync("PASS wrong", "530 no");
            await c.ReadLineAsync();
        });
        await using var proxy = await RoutingProxy.StartAsync(one.EndPoint, one.EndPoint);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await client.ExpectAsync(220);
        for (var i = 0; i < 3; i++)
        {
            await client.CommandAsync("USER anna", 331);
            await client.CommandAsync("PASS wrong", 530);
        }
        await client.ExpectAsync(421);
        await client.ExpectEndAsync();
        Assert.Equal("login_refused", (await proxy.Logs.EventAsync(401)).Values["Reason"]);
        Assert.DoesNotContain(proxy.Logs.Records, static r => r.Message.Contains("wrong", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_client_that_does_not_say_who_it_is_is_ended_in_time()
    {
        var clock = new ManualTimeProvider();
        await using var one = new SmallServer();
        await using var proxy = await RoutingProxy.StartAsync(one.EndPoint, one.EndPoint, "ftp_login_timeout 20s;", time: clock);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await client.ExpectAsync(220);
        var ended = client.ExpectAsync(421);
        await Wait.Until(() => Moved(clock, ended, 1000), "the end of the time to log in");
        await ended;
        await client.ExpectEndAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_leaves_before_the_login_leaves_nothing_behind(bool afterUser)
    {
        await using var one = new SmallServer();
        await using var proxy = await RoutingProxy.StartAsync(one.EndPoint, one.EndPoint);
        using (var client = await ScriptedClient.ConnectAsync(proxy.EndPoint))
        {
            await client.ExpectAsync(220);
            if (afterUser)
                await client.CommandAsync("USER anna", 331);
        }
        await proxy.UntilIdleAsync();
        Assert.Equal("client_closed", (await proxy.Logs.EventAsync(401)).Values["Reason"]);
        Assert.All(proxy.Proxy.GetStatus().Upstreams.SelectMany(static u => u.Servers), static s => Assert.Equal(0, s.Sessions));
    }

    private static bool Moved(ManualTimeProvider clock, Task awaited, int milliseconds)
    {
        if (awaited.IsCompleted)
            return true;
        clock.Advance(TimeSpan.FromMilliseconds(milliseconds));
        return false;
    }
}
