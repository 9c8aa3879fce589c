using System.Globalization;
using System.Linq;
using System.Text.Json;
using Ferry.FunctionalTests.Harness;
using Ferry.Tests;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>A session is led to a server by a service that is asked over HTTP.</summary>
public sealed class RoutedByServiceTests
{
    private const string Users = "{\"upstream\":\"one\"}";

    [Fact]
    public async Task A_user_comes_to_the_upstream_that_the_service_names_and_the_answer_is_kept()
    {
        await using var one = new SmallServer();
        await using var two = new SmallServer();
        await using var http = new ScriptedHttp(body => ScriptedHttp.Ok(UserOf(body) == "anna" ? Users : "{\"upstream\":\"two\",\"user\":\"carl\"}"));
        await using var proxy = await StartAsync(http, one, two);
        for (var i = 0; i < 2; i++)
        {
            using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
            await client.ExpectAsync(220);
            await client.CommandAsync("HOST ftp.example.com", 220);
            await client.SendAsync("USER anna", "PASS secret", "NOOP");
            foreach (var code in new[] { 331, 230, 200 })
                await client.ExpectAsync(code);
            Assert.Equal(300, (await client.DownloadAsync("300")).Length);
            await client.QuitAsync();
        }
        using (var client = await ScriptedClient.ConnectAsync(proxy.EndPoint))
        {
            await client.ExpectAsync(220);
            await client.CommandAsync("USER anna", 331);
            await client.CommandAsync("USER bob", 331);
            await client.CommandAsync("PASS secret", 230);
            await client.QuitAsync();
        }
        await proxy.UntilIdleAsync();
        Assert.Equal((3, 1), (one.Connections(), two.Connections()));
        Assert.Equal(["USER carl", "PASS secret", "QUIT"], two.Script.Connections[0].Lines);
        Assert.Equal(
            [
                $"{{\"user\":\"anna\",\"host\":\"ftp.example.com\",\"client\":\"127.0.0.1\",\"listener\":\"{proxy.EndPoint}\",\"tls\":false}}",
                $"{{\"user\":\"anna\",\"client\":\"127.0.0.1\",\"listener\":\"{proxy.EndPoint}\",\"tls\":false}}",
                $"{{\"user\":\"bob\",\"client\":\"127.0.0.1\",\"listener\":\"{proxy.EndPoint}\",\"tls\":false}}",
            ],
            http.Requests.Select(static r => r.Body));
        Assert.DoesNotContain(proxy.Logs.Records, static r => r.Message.Contains("hidden", StringComparison.Ordinal) || r.Message.Contains("secret", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("allow=127.0.0.0/8", true)]
    [InlineData("allow=192.0.2.0/24", false)]
    [InlineData("", false)]
    public async Task A_server_that_the_file_does_not_have_is_used_where_that_is_allowed(string allow, bool isUsed)
    {
        var clock = new ManualTimeProvider();
        await using var one = new SmallServer();
        await using var other = new SmallServer();
        await using var http = new ScriptedHttp(_ => ScriptedHttp.Ok($"{{\"server\":\"{other.EndPoint}\"}}"));
        await using var proxy = await StartAsync(http, one, one, $"timeout=1h {allow}", clock: clock);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await client.ExpectAsync(220);
        await AnswerAsync(client, clock, "USER anna", 331);
        await AnswerAsync(client, clock, "PASS secret", isUsed ? 230 : 530);
        Assert.Equal((0, isUsed ? 1 : 0), (one.Connections(), other.Connections()));
        if (!isUsed)
            Assert.Contains("allow=", (await proxy.Logs.EventAsync(479)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("404 Not Found", "", 530)]
    [InlineData("403 Forbidden", "", 530)]
    [InlineData("404 Not Found", "proxy_pass two;", 230)]
    [InlineData("403 Forbidden", "proxy_pass two;", 530)]
    [InlineData("200 OK", "proxy_pass two;", 530)]
    public async Task Whom_the_service_does_not_know_is_refused_in_the_usual_time_or_goes_where_proxy_pass_leads(string status, string pass, int code)
    {
        var clock = new ManualTimeProvider();
        await using var one = new SmallServer();
        await using var two = new SmallServer();
        await using var http = new ScriptedHttp(_ => ScriptedHttp.Answer(status, status == "200 OK" ? "{\"upstream\":\"three\"}" : ""));
        await using var proxy = await StartAsync(http, one, two, "timeout=1h", pass, clock);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await client.ExpectAsync(220);
        await AnswerAsync(client, clock, "USER anna", 331);
        var began = clock.GetTimestamp();
        Assert.Equal(code == 530 ? "530 Login incorrect." : "230 Logged in.", (await AnswerAsync(client, clock, "PASS secret", code)).ToString());
        if (code == 530)
            Assert.InRange(clock.GetElapsedTime(began), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
        Assert.Equal((0, code == 530 ? 0 : 1), (one.Connections(), two.Connections()));
    }

    [Fact]
    public async Task When_the_service_fails_the_client_is_told_421_and_the_log_why()
    {
        await using var one = new SmallServer();
        await using var http = new ScriptedHttp(static _ => ScriptedHttp.Answer("503 Gone fishing"));
        await using var proxy = await StartAsync(http, one, one, more: "ftp_sorry \"421 Later.\";");
        for (var i = 0; i < 2; i++)
        {
            using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
            await client.ExpectAsync(220);
            Assert.Equal("421 Later.", (await client.CommandAsync("USER anna", 421)).ToString());
            await client.ExpectEndAsync();
        }
        await proxy.UntilIdleAsync();
        var told = Assert.Single(proxy.Logs.Records, static r => r.Event.Id == 474).Message;
        Assert.Equal($"ftp_route http://127.0.0.1:{http.Url.Port}/ftp does not say where users belong: it answered with the status 503; failures since it last did: 1", told);
        Assert.Equal("no_upstream", (await proxy.Logs.EventAsync(401)).Values["Reason"]);
        Assert.Equal(0, one.Connections());
    }

    [Fact]
    public async Task A_client_that_leaves_takes_its_question_with_it()
    {
        var clock = new ManualTimeProvider();
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var never = new TaskCompletionSource<string>();
        await using var one = new SmallServer();
        await using var http = new ScriptedHttp(_ =>
        {
            arrived.TrySetResult();
            return never.Task;
        });
        await using var proxy = await StartAsync(http, one, one, "timeout=1h", clock: clock);
        using (var client = await ScriptedClient.ConnectAsync(proxy.EndPoint))
        {
            await client.ExpectAsync(220);
            await client.SendAsync("USER anna", "PASS secret");
            await Wait.For(arrived.Task, "the question");
        }
        await Wait.Until(() => Moved(clock, 1000, () => proxy.Proxy.GetStatus().Sessions == 0), "the session to end");
        Assert.Equal("client_closed", (await proxy.Logs.EventAsync(401)).Values["Reason"]);
        Assert.DoesNotContain(proxy.Logs.Records, static r => r.Event.Id is 474 or 478);
    }

    [Fact]
    public async Task A_reload_keeps_the_answers_of_a_line_that_stays()
    {
        await using var one = new SmallServer();
        await using var http = new ScriptedHttp(static _ => ScriptedHttp.Ok(Users));
        var port = FreePorts.One();
        await using var proxy = await TestProxy.StartAsync(Text(port, http, one, one, "", ""));
        await LogInAsync(proxy);
        Assert.Empty(await proxy.ReloadAsync(Text(port, http, one, one, "", "ftp_banner_timeout 9s;")));
        await LogInAsync(proxy);
        Assert.Single(http.Requests);
        Assert.Empty(await proxy.ReloadAsync(Text(port, http, one, one, "cache=59s", "")));
        await LogInAsync(proxy);
        Assert.Equal(2, http.Requests.Count);
    }

    [Fact]
    public async Task A_file_that_cannot_be_used_stops_the_start()
    {
        await using var one = new SmallServer();
        await using var http = new ScriptedHttp(static _ => ScriptedHttp.Ok(Users));
        var error = await Assert.ThrowsAsync<Ferry.Hosting.FerryStartException>(() => StartAsync(http, one, one, "token_file=/nowhere/token"));
        Assert.Contains("\"/nowhere/token\": there is no such file", error.Message, StringComparison.Ordinal);
    }

    private static async Task LogInAsync(TestProxy proxy)
    {
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint, user: "anna");
        await client.QuitAsync();
    }

    private static string UserOf(string body) => JsonDocument.Parse(body).RootElement.GetProperty("user").GetString()!;

    internal static async Task<Reply> AnswerAsync(ScriptedClient client, ManualTimeProvider clock, string line, int code)
    {
        await client.SendAsync(line);
        var answer = client.ExpectAsync(code);
        await Wait.Until(() => Moved(clock, 50, () => answer.IsCompleted), $"the answer to {line}");
        return await answer;
    }

    internal static Task<TestProxy> StartAsync(ScriptedHttp http, SmallServer one, SmallServer two, string parameters = "", string more = "", TimeProvider? clock = null) =>
        TestProxy.StartAsync(Text(FreePorts.One(), http, one, two, parameters, more), clock);

    private static string Text(int port, ScriptedHttp http, SmallServer one, SmallServer two, string parameters, string more)
    {
        var ports = FreePorts.Range(11);
        return string.Create(CultureInfo.InvariantCulture, $$"""
            stream {
                upstream one { server {{one.EndPoint}} max_fails=0; }
                upstream two { server {{two.EndPoint}} max_fails=0; }
                server {
                    listen 127.0.0.1:{{port}};
                    ftp_ctrl zone=ports:1M proxy_ip=127.0.0.1 min_port={{ports}} max_port={{ports + 10}};
                    ftp_route {{http.Url}} {{parameters}};
                    {{more}}
                }
            }
            """);
    }

    private static bool Moved(ManualTimeProvider clock, int milliseconds, Func<bool> condition)
    {
        if (condition())
            return true;
        clock.Advance(TimeSpan.FromMilliseconds(milliseconds));
        return false;
    }
}
