using System.IO;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.Sessions;
using Ferry.Tests;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>Questions over HTTP, with services that answer well, badly, too much, or not at all.</summary>
public sealed class RouteServiceTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ManualTimeProvider _time = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string> Answers => new()
    {
        { ScriptedHttp.Ok("{\"upstream\":\"eu\"}"), "eu" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"upstre\r\n8;x=y\r\nam\":\"eu\"\r\n1\r\n}\r\n0\r\n\r\n", "eu" },
        { "HTTP/1.0 200 OK\r\n\r\n{\"upstream\":\"eu\"}\n\n[close]", "its answer is no JSON" },
        { ScriptedHttp.Ok("{}"), "nothing" },
        { ScriptedHttp.Answer("404 Not Found", "<html>"), "nothing" },
        { "HTTP/1.1 204 No Content\r\n\r\n", "nothing" },
        { ScriptedHttp.Answer("403 Forbidden"), "refused" },
        { ScriptedHttp.Answer("401 Unauthorized"), "it answered with the status 401" },
        { ScriptedHttp.Answer("500 Oh", "{\"upstream\":\"eu\"}"), "it answered with the status 500" },
        { ScriptedHttp.Answer("302 Found", "", "Location: /other\r\n"), "it answered with the status 302" },
        { ScriptedHttp.Ok("garbage"), "its answer is no JSON" },
        { ScriptedHttp.Ok(""), "its answer is no JSON" },
        { ScriptedHttp.Ok("{\"upstream\":\"" + new string('x', 70_000) + "\"}"), "its answer is longer than 65536 bytes" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}[close]", "the connection was lost within its answer" },
        { "HTTP/1.1 200 OK\r\nX: " + new string('x', 20_000) + "\r\n\r\n", "the head of its answer is too long" },
        { "220 I am an FTP server\r\n", "its answer is not HTTP, or was cut off" },
        { "", "its answer is not HTTP, or was cut off" },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task An_answer_is_used_whole_or_not_at_all(string answer, string expected)
    {
        await using var http = new ScriptedHttp(_ => answer);
        using var service = Make(new RouteLookupConfig(http.Url));
        Assert.Equal(expected, Describe(await AskAsync(service)));
        Assert.All(http.Requests, static r => Assert.StartsWith("POST /ftp?key=hidden HTTP/1.1\r\n", r.Head, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("Cache-Control: max-age=7\r\n", 7_000)]
    [InlineData("Cache-Control: private, no-cache\r\n", 0)]
    [InlineData("Cache-Control: no-store, max-age=7\r\n", -1)]
    [InlineData("Cache-Control: max-age=x\r\n", null)]
    public async Task What_it_says_of_its_lifetime_is_read(string head, int? milliseconds)
    {
        await using var http = new ScriptedHttp(_ => ScriptedHttp.Ok("{}", head));
        using var service = Make(new RouteLookupConfig(http.Url));
        Assert.Equal(milliseconds, (await AskAsync(service)).Lifetime?.TotalMilliseconds);
    }

    [Fact]
    public async Task A_token_is_shown_and_a_connection_serves_many_questions()
    {
        var token = Path.Combine(_folder.Path, "token");
        await File.WriteAllTextAsync(token, "s3cret+/=\nrest");
        await using var http = new ScriptedHttp(_ => ScriptedHttp.Ok("{}"));
        using var service = Make(new RouteLookupConfig(http.Url) { TokenFile = new PlacedText(token) });
        for (var i = 0; i < 3; i++)
            await AskAsync(service);
        Assert.Equal((1, 3), (http.Connections, http.Requests.Count));
        Assert.All(http.Requests, static r => Assert.Contains("Authorization: Bearer s3cret+/=\r\n", r.Head, StringComparison.Ordinal));
        Assert.All(http.Requests, static r => Assert.Contains("Content-Type: application/json\r\n", r.Head, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[reset]")]
    public async Task A_connection_that_was_kept_and_is_closed_with_the_next_question_costs_no_answer(string end)
    {
        var asked = 0;
        await using var http = new ScriptedHttp(_ => Interlocked.Increment(ref asked) == 2 ? end : ScriptedHttp.Ok("{\"upstream\":\"eu\"}"));
        using var service = Make(new RouteLookupConfig(http.Url));
        Assert.Equal("eu", Describe(await AskAsync(service)));
        Assert.Equal("eu", Describe(await AskAsync(service)));
        Assert.Equal((2, 3), (http.Connections, http.Requests.Count));
    }

    [Fact]
    public async Task One_that_always_hangs_up_is_asked_twice_and_has_failed()
    {
        await using var http = new ScriptedHttp(_ => "");
        using var service = Make(new RouteLookupConfig(http.Url));
        Assert.Equal("its answer is not HTTP, or was cut off", Describe(await AskAsync(service)));
        Assert.Equal(2, http.Requests.Count);
    }

    [Fact]
    public async Task A_service_that_says_nothing_has_failed_when_its_time_is_up()
    {
        var never = new TaskCompletionSource<string>();
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var http = new ScriptedHttp(_ =>
        {
            arrived.TrySetResult();
            return never.Task;
        });
        using var service = Make(new RouteLookupConfig(http.Url) { Timeout = TimeSpan.FromSeconds(2.5) });
        var asked = AskAsync(service);
        await Wait.For(arrived.Task, "the question");
        _time.Advance(TimeSpan.FromSeconds(2.4));
        Assert.False(asked.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal("no answer within 2.5 s", Describe(await asked));
        Assert.Equal(0, _time.ActiveTimers);
    }

    [Fact]
    public async Task Nobody_there_is_a_failure()
    {
        using var service = Make(new RouteLookupConfig(new Uri($"http://127.0.0.1:{FreePorts.One()}/")));
        Assert.Equal("connecting failed: Connection refused", Describe(await AskAsync(service)));
    }

    [Theory]
    [InlineData("its own", "nothing")]
    [InlineData("another's", "TLS failed: ")]
    [InlineData("the system", "TLS failed: ")]
    [InlineData("another name", "TLS failed: ")]
    [InlineData("expired", "TLS failed: ")]
    public async Task Over_https_the_service_has_to_be_who_it_should_be(string trust, string expected)
    {
        using var root = new TestAuthority();
        using var stranger = new TestAuthority("Another Root");
        var certificate = trust switch
        {
            "another name" => root.Issue(TestKey.Ecdsa, "routes.example.com"),
            "expired" => root.IssueExpired(),
            _ => root.Issue(TestKey.Ecdsa),
        };
        await using var http = new ScriptedHttp(_ => ScriptedHttp.Ok("{}"), certificate);
        using var service = Make(new RouteLookupConfig(http.Url)
        {
            TrustedCertificate = trust == "the system" ? null : new PlacedText((trust == "another's" ? stranger : root).WriteTo(_folder.Path)),
        });
        Assert.StartsWith(expected, Describe(await AskAsync(service)), StringComparison.Ordinal);
        Assert.Equal(trust == "its own" ? 1 : 0, http.Requests.Count);
    }

    [Theory]
    [InlineData("no file", "there is no such file")]
    [InlineData("two words", "spaces")]
    [InlineData("no certificate", "no certificate")]
    [InlineData("clear", "would send passwords in clear")]
    [InlineData("userinfo", "cannot have a name or a password")]
    [InlineData("bounds", "a bound")]
    public void What_cannot_be_used_is_told_when_it_is_loaded(string what, string said)
    {
        var file = Path.Combine(_folder.Path, "file");
        if (what != "no file")
            File.WriteAllText(file, "two words\n");
        var config = new RouteLookupConfig(new Uri(what == "userinfo" ? "https://u:hidden@192.0.2.1/" : "http://192.0.2.1/"));
        config = what switch
        {
            "no certificate" => config with { TrustedCertificate = new PlacedText(file) },
            "clear" => config with { SendsPassword = true },
            "bounds" => config with { CacheEntries = 0 },
            "userinfo" => config,
            _ => config with { TokenFile = new PlacedText(file) },
        };
        var found = new List<ConfigDiagnostic>();
        Assert.Null(RouteService.TryCreate(config, _time, found));
        var error = Assert.Single(found, static f => f.Severity == ConfigSeverity.Error);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", error.Message, StringComparison.Ordinal);
    }

    private RouteService Make(RouteLookupConfig config)
    {
        var found = new List<ConfigDiagnostic>();
        var service = RouteService.TryCreate(config, _time, found);
        Assert.True(service is not null, string.Join('\n', found));
        return service;
    }

    private static Task<RouteReply> AskAsync(RouteService service) => Wait.For(service.AskAsync([.. "{\"user\":\"anna\"}"u8], CancellationToken.None), "the answer");

    private static string Describe(RouteReply reply) => reply.Failure ?? (reply.Answer!.IsRefused ? "refused" : reply.Answer.Place ?? "nothing");
}
