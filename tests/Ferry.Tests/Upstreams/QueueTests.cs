using System.Linq;
using Ferry.Config;
using Ferry.Upstreams;
using static Ferry.Tests.Upstreams.GroupBuilder;

namespace Ferry.Tests.Upstreams;

public sealed class QueueTests
{
    private readonly GroupBuilder _make = new();

    private static UpstreamConfig Queued(int length, params UpstreamServerConfig[] servers) => Block(servers) with { QueueLength = length };

    /// <summary>A session as a session does it: at once, or in the line.</summary>
    private static Task<UpstreamServer?> Ask(UpstreamGroup group, UpstreamChoice? choice = null, CancellationToken ct = default)
    {
        choice ??= group.Choose(new ChoiceFacts(Client, Listener));
        return choice.TryNextAtOnce(out var server) ? Task.FromResult(server) : choice.WaitAsync(ct).AsTask();
    }

    [Fact]
    public async Task A_place_goes_to_whoever_has_waited_longest()
    {
        var group = await _make.MakeAsync(Queued(5, Server(1) with { MaxConnections = 1 }, Server(2) with { MaxConnections = 1 }));
        var (a, b) = ((await Ask(group))!, (await Ask(group))!);
        var waiting = Enumerable.Range(0, 3).Select(_ => Ask(group)).ToArray();
        Assert.DoesNotContain(waiting, w => w.IsCompleted);

        b.Release();
        Assert.Same(b, await waiting[0]);
        Assert.False(waiting[1].IsCompleted || waiting[2].IsCompleted);
        a.Release();
        Assert.Same(a, await waiting[1]);
        b.Release();
        Assert.Same(b, await waiting[2]);
        Assert.Equal([1, 1], group.Servers.Select(s => s.Sessions));
        Assert.Equal(0, group.Line.Count);
    }

    [Fact]
    public async Task A_newcomer_does_not_pass_those_who_wait()
    {
        var group = await _make.MakeAsync(Queued(5, Server(1) with { MaxConnections = 1 }, Server(2) with { MaxConnections = 1 }));
        var busy = (await Ask(group))!;
        var choice = group.Choose(new ChoiceFacts(Client, Listener));
        var tried = (await Ask(group, choice: choice))!;
        // It has failed with the second server and waits for the first.
        var again = Ask(group, choice: choice);
        tried.Release();

        // There is a place on the second server, which the one who waits does not want.
        var newcomer = await Ask(group);
        Assert.Same(tried, newcomer);
        Assert.False(again.IsCompleted);
        busy.Release();
        Assert.Same(busy, await again);
    }

    [Fact]
    public async Task A_full_queue_turns_away_at_once()
    {
        var group = await _make.MakeAsync(Queued(1, Server(1) with { MaxConnections = 1 }));
        await Ask(group);
        var waiting = Ask(group);

        Assert.Null(await Ask(group));

        Assert.False(waiting.IsCompleted);
        Assert.Equal(321, Assert.Single(_make.Said).Id);
    }

    [Fact]
    public async Task Without_a_queue_nobody_waits()
    {
        var group = await _make.MakeAsync(Server(1) with { MaxConnections = 1 });
        await Ask(group);

        Assert.True(group.Choose(new ChoiceFacts(Client, Listener)).TryNextAtOnce(out var server));
        Assert.Null(server);
    }

    [Fact]
    public async Task Who_gives_up_leaves_the_line_and_takes_no_place()
    {
        var group = await _make.MakeAsync(Queued(5, Server(1) with { MaxConnections = 1 }));
        var busy = (await Ask(group))!;
        using var goes = new CancellationTokenSource();
        var (first, second) = (Ask(group, ct: goes.Token), Ask(group));

        await goes.CancelAsync();
        Assert.Null(await first);
        Assert.Equal(1, group.Line.Count);
        busy.Release();

        Assert.Same(busy, await second);
        Assert.Equal(1, busy.Sessions);
    }

    [Fact]
    public async Task Servers_that_have_failed_are_not_waited_for()
    {
        var group = await _make.MakeAsync(Queued(5, Server(1), Server(2)));
        foreach (var server in group.Servers)
            server.ReportFailure("refused");

        Assert.Null(await Ask(group));
    }

    [Fact]
    public async Task Who_waits_for_a_server_that_then_fails_waits_no_longer()
    {
        var group = await _make.MakeAsync(Queued(5, Server(1) with { MaxConnections = 1 }, Server(2) with { Down = true }));
        var busy = (await Ask(group))!;
        var waiting = Ask(group);

        busy.ReportFailure("refused");
        group.Sweep(_make.Time.GetTimestamp());

        Assert.Null(await waiting);
    }

    [Fact]
    public async Task Time_alone_may_bring_a_place()
    {
        var group = await _make.MakeAsync(Queued(5, Server(1) with { MaxConnections = 1 }, Server(2)));
        var busy = (await Ask(group))!;
        group.Servers[1].ReportFailure("refused");
        var waiting = Ask(group);
        group.Sweep(_make.Time.GetTimestamp());
        Assert.False(waiting.IsCompleted);

        _make.Time.Advance(TimeSpan.FromSeconds(11));
        group.Sweep(_make.Time.GetTimestamp());

        Assert.Same(group.Servers[1], await waiting);
        Assert.Equal("10.0.0.1:21", busy.Name);
    }

    [Fact]
    public async Task A_place_that_a_session_of_the_old_generation_leaves_goes_to_one_of_the_new()
    {
        var config = Queued(5, Server(1) with { MaxConnections = 1 });
        var before = await _make.MakeAsync(config);
        var busy = (await Ask(before))!;
        var group = await _make.MakeAsync(config, before);
        var (old, young) = (Ask(before), Ask(group));

        busy.Release();
        Assert.Same(before.Servers[0], await old);
        before.Servers[0].Release();

        Assert.Same(group.Servers[0], await young);
    }

    [Fact]
    public async Task Who_waited_before_a_reload_gets_a_server_that_it_has_brought()
    {
        var full = Server(1) with { MaxConnections = 1 };
        var before = await _make.MakeAsync(Queued(5, full));
        before.EnterForce(null);
        _ = (await Ask(before))!;
        var waiting = Ask(before);

        var group = await _make.MakeAsync(Queued(5, full, Server(2) with { MaxConnections = 1 }), before);
        group.EnterForce(before);

        Assert.Same(group.Servers[1], await waiting);
        Assert.Equal(0, group.Line.Count);
    }

    [Fact]
    public async Task Who_waited_before_a_reload_does_not_get_a_server_that_it_drains()
    {
        var full = Server(1) with { MaxConnections = 1 };
        var before = await _make.MakeAsync(Queued(5, full, Server(2) with { MaxConnections = 1 }));
        before.EnterForce(null);
        var (one, two) = ((await Ask(before))!, (await Ask(before))!);
        var waiting = Ask(before);

        var group = await _make.MakeAsync(Queued(5, full with { Drain = true }, Server(2) with { MaxConnections = 1 }), before);
        group.EnterForce(before);
        one.Release();
        Assert.False(waiting.IsCompleted);
        two.Release();

        Assert.Same(group.Servers[1], await waiting);
    }

    [Fact]
    public async Task A_hash_waits_too_and_its_client_goes_home()
    {
        var config = Hashed(BalanceMethod.Hash, Variable("remote_addr"), [.. Enumerable.Range(1, 4).Select(i => Server(i) with { MaxConnections = 1 })]) with { QueueLength = 9 };
        var group = await _make.MakeAsync(config);
        var taken = new List<UpstreamServer>();
        for (var i = 0; i < 4; i++)
            taken.Add((await Ask(group))!);
        var waiting = Ask(group);
        for (var i = 0; i < 50; i++)
            group.Sweep(_make.Time.GetTimestamp());

        // All of this client's sessions go to the same server first.
        taken[0].Release();

        Assert.Same(taken[0], await waiting);
    }

    [Fact]
    public async Task Under_load_no_place_is_lost_and_none_is_given_twice()
    {
        var group = await _make.MakeAsync(Queued(1000, [.. Enumerable.Range(1, 3).Select(i => Server(i) with { MaxConnections = 2 })]));
        var most = 0;
        var running = 0;

        await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => Task.Run(async () =>
        {
            var server = (await Ask(group))!;
            var now = Interlocked.Increment(ref running);
            Interlocked.Exchange(ref most, Math.Max(Volatile.Read(ref most), now));
            await Task.Yield();
            Interlocked.Decrement(ref running);
            server.Release();
        })));

        Assert.InRange(most, 1, 6);
        Assert.Equal(500, group.Servers.Sum(s => s.TotalSessions));
        Assert.All(group.Servers, s => Assert.Equal(0, s.Sessions));
    }
}
