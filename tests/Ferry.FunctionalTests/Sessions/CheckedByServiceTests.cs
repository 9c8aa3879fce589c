using System.Globalization;
using System.Linq;
using System.Net;
using System.Text.Json;
using Ferry.FunctionalTests.Harness;
using Ferry.Tests;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>A service that checks the client's password, and gives the server another one.</summary>
public sealed class CheckedByServiceTests
{
    // UTF-8, which the scripted server reads a byte at a time.
    private const string Told = "PASS b\u00c3\u00a4ckstage";

    [Fact]
    public async Task The_server_gets_a_name_and_a_password_that_no_client_knows()
    {
        await using var one = new SmallServer();
        await using var http = new ScriptedHttp(Check);
        await using var proxy = await StartAsync(http, one.EndPoint);
        for (var i = 0; i < 2; i++)
        {
            using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
            await client.ExpectAsync(220);
            await client.CommandAsync("CLNT x", 200);
            Assert.Equal("331 Password required.", (await client.CommandAsync("USER anna", 331)).ToString());
            await client.CommandAsync("PASS letmein ", 230);
            Assert.Equal(200, (await client.DownloadAsync("200")).Length);
            await client.QuitAsync();
        }
        await proxy.UntilIdleAsync();
        Assert.All(one.Script.Connections, static c => Assert.Equal(["CLNT x", "USER tenant", Told], c.Lines.Take(3)));
        Assert.Equal("letmein ", JsonDocument.Parse(Assert.Single(http.Requests).Body).RootElement.GetProperty("password").GetString());
        Assert.DoesNotContain(proxy.Logs.Records, static r => r.Message.Contains("letmein", StringComparison.Ordinal) || r.Message.Contains("ckstage", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_wrong_password_is_refused_in_the_usual_time_and_no_server_is_asked()
    {
        var clock = new ManualTimeProvider();
        await using var one = new SmallServer();
        await using var http = new ScriptedHttp(Check);
        await using var proxy = await StartAsync(http, one.EndPoint, clock);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await client.ExpectAsync(220);
        for (var i = 0; i < 3; i++)
        {
            await client.CommandAsync("USER anna", 331);
            var began = clock.GetTimestamp();
            await RoutedByServiceTests.AnswerAsync(client, clock, $"PASS guess{i}", 530);
            Assert.InRange(clock.GetElapsedTime(began), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
            if (i < 2)
                await client.CommandAsync("PASS letmein ", 503);
        }
        await client.ExpectAsync(421);
        await client.ExpectEndAsync();
        Assert.Equal((0, 3), (one.Connections(), http.Requests.Count));
        Assert.Equal("login_refused", (await proxy.Logs.EventAsync(401)).Values["Reason"]);
    }

    [Fact]
    public async Task It_takes_as_long_as_a_server_would_over_USER_and_PASS_together()
    {
        var clock = new ManualTimeProvider();
        await using var one = new SmallServer();
        await using var http = new ScriptedHttp(Check);
        await using var proxy = await StartAsync(http, one.EndPoint, clock);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await client.ExpectAsync(220);
        await client.CommandAsync("USER anna", 331);
        await client.SendAsync("PASS guess");
        // What servers take before any has refused a login: 10 ms over USER, and a second over PASS.
        await Wait.Until(() => clock.Waits.Contains(TimeSpan.FromMilliseconds(1010)), "the refusal to wait");
        clock.Advance(TimeSpan.FromMilliseconds(1010));
        await client.ExpectAsync(530);
    }

    [Theory]
    [InlineData("331 more", "230 in", 230, "PASS mine")]
    [InlineData("230-no need", "230 of it", 230, null)]
    [InlineData("530 not you", null, 530, null)]
    [InlineData("331 more", "530 wrong", 530, "PASS mine")]
    public async Task The_client_gets_the_server_s_own_verdict(string toUser, string? second, int code, string? told)
    {
        await using var one = ScriptedServer.Start(async c =>
        {
            await c.SendAsync("220 ready");
            await c.AnswerAsync("USER bob", told is null && second is not null ? [toUser, second] : [toUser]);
            if (told is not null)
                await c.AnswerAsync(told, second!);
            await c.ReadLineAsync();
        });
        await using var http = new ScriptedHttp(Check);
        await using var proxy = await StartAsync(http, one.EndPoint);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await client.ExpectAsync(220);
        await client.SendAsync("USER bob", "PASS mine");
        await client.ExpectAsync(331);
        Assert.StartsWith(second ?? toUser, (await client.ExpectAsync(code)).Lines[^1], StringComparison.Ordinal);
        if (code == 530)
            await client.CommandAsync("PASS mine", 503);
    }

    [Theory]
    [InlineData("USER")]
    [InlineData("PASS")]
    public async Task A_server_that_fails_is_replaced_by_one_that_is_told_both(string at)
    {
        await using var bad = ScriptedServer.Start(async c =>
        {
            await c.SendAsync("220 ready");
            await c.ExpectAsync("USER tenant");
            if (at == "USER")
                return;
            await c.SendAsync("331 more");
            await c.ReadLineAsync();
        });
        await using var good = new SmallServer();
        await using var http = new ScriptedHttp(Check);
        await using var proxy = await StartAsync(http, bad.EndPoint, backup: good.EndPoint);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await client.ExpectAsync(220);
        await client.CommandAsync("USER anna", 331);
        await client.CommandAsync("PASS letmein ", 230);
        await client.QuitAsync();
        await proxy.UntilIdleAsync();
        Assert.Equal(["USER tenant", Told, "QUIT"], Assert.Single(good.Script.Connections).Lines);
    }

    // anna is checked by the service and has a name and a password of its own on the server; bob is the server's to check; nobody else is there.
    private static string Check(string body)
    {
        var question = JsonDocument.Parse(body).RootElement;
        return (question.GetProperty("user").GetString(), question.GetProperty("password").GetString()) switch
        {
            ("anna", "letmein ") => ScriptedHttp.Ok("{\"upstream\":\"one\",\"user\":\"tenant\",\"password\":\"b\u00e4ckstage\"}"),
            ("bob", _) => ScriptedHttp.Ok("{\"upstream\":\"one\"}"),
            _ => ScriptedHttp.Answer("403 Forbidden"),
        };
    }

    private static Task<TestProxy> StartAsync(ScriptedHttp http, IPEndPoint one, TimeProvider? clock = null, IPEndPoint? backup = null)
    {
        var ports = FreePorts.Range(11);
        return TestProxy.StartAsync(string.Create(CultureInfo.InvariantCulture, $$"""
            stream {
                upstream one { server {{one}} max_fails=0; {{(backup is null ? "" : $"server {backup} backup;")}} }
                server {
                    listen 127.0.0.1:{{FreePorts.One()}};
                    ftp_ctrl zone=ports:1M proxy_ip=127.0.0.1 min_port={{ports}} max_port={{ports + 10}};
                    ftp_route {{http.Url}} password=on timeout=1h;
                }
            }
            """), clock);
    }
}
