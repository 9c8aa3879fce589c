using System.Linq;
using System.Net;
using System.Text.Json;
using Ferry.Sessions;

namespace Ferry.Tests.Sessions;

/// <summary>Kept answers, shared questions and failures.</summary>
public sealed class RouteLookupTests : RouteLookupRig
{
    [Fact]
    public async Task A_question_has_all_that_is_known_and_nothing_else()
    {
        using var lookup = Make(Config);
        var all = Ask(lookup, new RouteQuestion
        {
            User = "anna \"x\"\u00e4",
            Host = "h",
            Client = IPAddress.Parse("192.0.2.7"),
            Listener = IPEndPoint.Parse("[2001:db8::1]:21"),
            IsTls = true,
            ServerName = "s",
            ClientSubject = "CN=anna",
            Password = [.. "p\u00e4"u8],
        });
        var few = Ask(lookup, new RouteQuestion { User = "b", Client = IPAddress.Loopback, Listener = new IPEndPoint(IPAddress.Loopback, 21), Password = [0xE4] });
        await ArrivedAsync(2);
        Assert.Equal(
            ["client=192.0.2.7 client_subject=CN=anna host=h listener=[2001:db8::1]:21 password=p\u00e4 server_name=s tls=True user=anna \"x\"\u00e4", "client=127.0.0.1 listener=127.0.0.1:21 password=\u00e4 tls=False user=b"],
            _asked.Select(static a => string.Join(' ', JsonDocument.Parse(a.Question).RootElement.EnumerateObject().OrderBy(static p => p.Name, StringComparer.Ordinal).Select(static p => $"{p.Name}={p.Value}"))).OrderByDescending(static q => q, StringComparer.Ordinal));
        Answer(0, "one");
        Answer(1, "one");
        await all;
        await few;
    }

    [Fact]
    public async Task An_answer_is_kept_for_its_question_and_its_time()
    {
        using var lookup = Make(Config);
        var first = Ask(lookup, "anna");
        await ArrivedAsync();
        Answer(0, "one");
        Assert.Equal("one", (await first).Answer!.Place);
        _time.Advance(TimeSpan.FromSeconds(59.9));
        Assert.Equal("one", (await Ask(lookup, "anna")).Answer!.Place);
        Assert.Single(_asked);

        var elsewhere = Ask(lookup, "anna", "192.0.2.8");
        await ArrivedAsync();
        Answer(1, "two");
        Assert.Equal("two", (await elsewhere).Answer!.Place);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        var again = Ask(lookup, "anna");
        await ArrivedAsync();
        Answer(2, "three");
        Assert.Equal("three", (await again).Answer!.Place);
    }

    [Theory]
    [InlineData(10, 9, 1)]
    [InlineData(10, 10, 2)]
    [InlineData(300, 59, 1)]
    [InlineData(300, 60, 2)]
    [InlineData(0, 0, 2)]
    public async Task What_the_service_says_of_its_lifetime_shortens_it(int lifetime, int after, int questions)
    {
        using var lookup = Make(Config);
        var first = Ask(lookup, "anna");
        await ArrivedAsync();
        _asked[0].Reply.SetResult(new RouteReply(RouteAnswer.Nothing, null, TimeSpan.FromSeconds(lifetime)));
        await first;
        _time.Advance(TimeSpan.FromSeconds(after));
        var second = Ask(lookup, "anna");
        if (questions == 2)
        {
            await ArrivedAsync();
            Answer(1, "one");
        }
        Assert.Equal(questions == 2 ? "one" : null, (await second).Answer!.Place);
        Assert.Equal(questions, _asked.Count);
    }

    [Fact]
    public async Task Those_who_ask_the_same_share_a_question_and_it_outlives_who_leaves()
    {
        using var lookup = Make(Config);
        using var leaves = new CancellationTokenSource();
        var first = Ask(lookup, "anna", ct: leaves.Token);
        await ArrivedAsync();
        var second = Ask(lookup, "anna");
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.False(_asked[0].Stop.IsCancellationRequested);
        Answer(0, "one");
        Assert.Equal("one", (await second).Answer!.Place);
        Assert.Single(_asked);
        Assert.Equal(0, lookup.Running);
    }

    [Fact]
    public async Task A_question_that_nobody_waits_for_is_dropped_and_the_next_one_is_asked_anew()
    {
        using var lookup = Make(Config);
        using var leaves = new CancellationTokenSource();
        var first = Ask(lookup, "anna", ct: leaves.Token);
        await ArrivedAsync();
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.True(_asked[0].Stop.IsCancellationRequested);
        Assert.Equal(0, lookup.Running);

        var second = Ask(lookup, "anna");
        await ArrivedAsync();
        Answer(0, "late");
        Answer(1, "one");
        Assert.Equal("one", (await second).Answer!.Place);
        Assert.Empty(_said.Lines);
    }

    [Fact]
    public async Task While_the_service_fails_an_old_answer_is_used_for_a_while()
    {
        using var lookup = Make(Config with { StaleTime = TimeSpan.FromSeconds(30) });
        var first = Ask(lookup, "anna");
        await ArrivedAsync();
        Answer(0, "one");
        await first;
        foreach (var (seconds, place) in new[] { (60, "one"), (29.9, "one"), (0.1, null) })
        {
            _time.Advance(TimeSpan.FromSeconds(seconds));
            var next = Ask(lookup, "anna");
            await ArrivedAsync();
            Fail(_asked.Count - 1, "it answered with the status 500");
            Assert.Equal(place, (await next).Answer?.Place);
        }
        // Told once, and not again within a minute.
        Assert.Equal("Error ftp_route https://routes.example/ftp does not say where users belong: it answered with the status 500; failures since it last did: 1", Assert.Single(_said.Lines));
    }

    [Fact]
    public async Task A_failure_is_told_when_it_begins_once_a_minute_and_when_it_is_over()
    {
        using var lookup = Make(Config);
        foreach (var seconds in new[] { 0, 30, 29, 1 })
        {
            _time.Advance(TimeSpan.FromSeconds(seconds));
            var asked = Ask(lookup, "anna");
            await ArrivedAsync();
            Fail(_asked.Count - 1, "no");
            Assert.Equal((null, "no"), ((await asked).Answer, (await asked).Failure));
        }
        var last = Ask(lookup, "anna");
        await ArrivedAsync();
        Answer(4, "one");
        await last;
        Assert.Equal(["1", "4", "4 failures"], _said.Lines.Select(static l => l[(l.LastIndexOf(l.EndsWith("failures", StringComparison.Ordinal) ? "after " : ": ", StringComparison.Ordinal) + (l.EndsWith("failures", StringComparison.Ordinal) ? 6 : 2))..]));
    }

    [Fact]
    public async Task One_that_fails_now_and_then_is_told_of_once_a_minute()
    {
        using var lookup = Make(Config with { CacheTime = TimeSpan.Zero });
        foreach (var (seconds, lines) in new[] { (0, 2), (1, 2), (58, 2), (1, 4), (59, 4) })
        {
            _time.Advance(TimeSpan.FromSeconds(seconds));
            foreach (var isWell in new[] { false, true })
            {
                var asked = Ask(lookup, "anna");
                await ArrivedAsync();
                if (isWell)
                    Answer(_asked.Count - 1, "one");
                else
                    Fail(_asked.Count - 1, "no");
                await asked;
            }
            Assert.Equal(lines, _said.Lines.Count);
        }
    }

    [Theory]
    [InlineData("an\0na", null)]
    [InlineData("anna\x1b", null)]
    [InlineData("anna", "h\x7f")]
    public async Task Nobody_whose_name_has_control_characters_is_asked_about(string user, string? host)
    {
        using var lookup = Make(Config);
        var reply = await Ask(lookup, new RouteQuestion { User = user, Host = host, Client = IPAddress.Loopback, Listener = new IPEndPoint(IPAddress.Loopback, 21) }).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Same(RouteAnswer.Nothing, reply.Answer);
        Assert.Empty(_asked);
    }

    [Fact]
    public async Task What_is_not_to_be_kept_is_not_used_when_the_service_fails_either()
    {
        using var lookup = Make(Config);
        var first = Ask(lookup, "anna");
        await ArrivedAsync();
        _asked[0].Reply.SetResult(new RouteReply(RouteAnswer.Nothing, null, RouteReply.NotKept));
        await first;
        var second = Ask(lookup, "anna");
        await ArrivedAsync();
        Fail(1, "no");
        Assert.Null((await second).Answer);
    }

    [Fact]
    public async Task Without_a_cache_each_question_is_asked()
    {
        using var lookup = Make(Config with { CacheTime = TimeSpan.Zero });
        for (var i = 0; i < 3; i++)
        {
            var asked = Ask(lookup, "anna");
            await ArrivedAsync();
            if (i < 2)
                Answer(i, "one");
            else
                Fail(i, "no");
            Assert.Equal(i < 2 ? "one" : null, (await asked).Answer?.Place);
        }
    }

    [Fact]
    public async Task The_oldest_answers_give_way()
    {
        using var lookup = Make(Config with { CacheEntries = 2 });
        foreach (var user in new[] { "a", "b", "c" })
        {
            var asked = Ask(lookup, user);
            await ArrivedAsync();
            Answer(_asked.Count - 1, user);
            await asked;
        }
        Assert.Equal("b", (await Ask(lookup, "b")).Answer!.Place);
        Assert.Equal("c", (await Ask(lookup, "c")).Answer!.Place);
        var again = Ask(lookup, "a");
        await ArrivedAsync();
        Answer(3, "anew");
        Assert.Equal("anew", (await again).Answer!.Place);
    }

    [Fact]
    public async Task Answers_outlive_a_reload()
    {
        using var before = Make(Config);
        var asked = Ask(before, "anna");
        await ArrivedAsync();
        Answer(0, "one");
        await asked;
        using var after = Make(Config, before);
        Assert.Equal("one", (await Ask(after, "anna")).Answer!.Place);
    }

    [Fact]
    public async Task Beyond_so_many_questions_the_next_one_has_failed_at_once()
    {
        using var lookup = Make(Config);
        var asked = Enumerable.Range(0, RouteLookup.MostQuestions).Select(i => Ask(lookup, $"u{i}")).ToList();
        await ArrivedAsync(asked.Count);
        var refused = await Ask(lookup, "one too many");
        Assert.Equal((null, $"more than {RouteLookup.MostQuestions} questions wait for an answer"), (refused.Answer, refused.Failure));
        var shared = Ask(lookup, "u7");
        for (var i = 0; i < asked.Count; i++)
            Answer(i, "one");
        await Task.WhenAll(asked.Append(shared));
        Assert.Equal(0, lookup.Running);
    }

    [Fact]
    public async Task A_service_that_throws_is_one_that_fails()
    {
        using var lookup = new RouteLookup(Config, static (_, _) => throw new InvalidOperationException("secret"), null, _metrics, _time, _said);
        var reply = await Ask(lookup, "anna");
        Assert.Equal("asking it failed", reply.Failure);
        Assert.Equal(2, _said.Lines.Count);
    }

    [Fact]
    public void Nothing_prints_a_password()
    {
        Assert.True(RouteAnswer.TryRead("{\"password\":\"hidden\"}"u8, mayHavePassword: true, out var answer, out _));
        var reply = new RouteReply(answer, null);
        var question = new RouteQuestion { User = "anna", Client = IPAddress.Loopback, Listener = new IPEndPoint(IPAddress.Loopback, 21), Password = [.. "hidden"u8] };
        Assert.All(new object[] { answer!, reply, question }, static o => Assert.DoesNotContain("hidden", o.ToString(), StringComparison.Ordinal));
    }
}
