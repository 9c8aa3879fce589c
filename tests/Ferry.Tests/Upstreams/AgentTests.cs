using System.Linq;
using Ferry.Config;
using Ferry.Upstreams;
using Microsoft.Extensions.Logging;
using static Ferry.Tests.Upstreams.GroupBuilder;

namespace Ferry.Tests.Upstreams;

/// <summary>What agents say, and who else has a word.</summary>
public sealed class AgentTests : AgentRig
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData("drain", "ready", UpstreamServerState.Draining)]
    [InlineData("maint", "ready", UpstreamServerState.Down)]
    [InlineData("0%", "1%", UpstreamServerState.Draining)]
    [InlineData("down", "up", UpstreamServerState.Unavailable)]
    [InlineData("fail", "up", UpstreamServerState.Unavailable)]
    [InlineData("stopped", "up", UpstreamServerState.Unavailable)]
    public async Task A_server_is_out_until_its_agent_takes_it_back(string says, string takesBack, UpstreamServerState state)
    {
        var group = await MakeAsync(Server(1), Server(2));

        Say(group, 0, says);

        Assert.Equal("1111", Picks(group, 4));
        Assert.Equal(state, group.Servers[0].StateAt(Now));
        Say(group, 0, "maxconn:100");
        Assert.Equal("1111", Picks(group, 4));
        Say(group, 0, takesBack);
        Assert.Contains('0', Picks(group, 100));
        Assert.Equal(UpstreamServerState.Up, group.Servers[0].StateAt(Now));
        Assert.Equal(takesBack, group.Servers[0].AgentAnswer);
    }

    [Fact]
    public async Task It_takes_back_only_what_it_has_said_itself()
    {
        var group = await MakeAsync(Server(1) with { Drain = true }, Server(2));
        Say(group, 0, "drain");
        Say(group, 0, "ready up 100%");
        Assert.Equal("11", Picks(group, 2));

        group.TryChange(UpstreamGroup.Change("10.0.0.2:21", new UpstreamServerChange { Mode = UpstreamServerMode.Drain }), null);
        Say(group, 1, "ready");
        Assert.Equal("--", Picks(group, 2));

        Say(group, 1, "drain");
        group.TryChange(UpstreamGroup.Change("10.0.0.2:21", new UpstreamServerChange { Mode = UpstreamServerMode.Up }), null);
        Assert.Equal("--", Picks(group, 2));
        Say(group, 1, "ready");
        Assert.Equal("11", Picks(group, 2));
    }

    [Fact]
    public async Task Up_brings_a_server_back_only_where_its_checks_say_so_too()
    {
        var group = await MakeAsync(Server(1));
        Say(group, 0, "down");
        group.Servers[0].EndCheck(new HealthProbeResult("refused"), 0);
        Say(group, 0, "up");
        Assert.Equal('-', Pick(group));

        Say(group, 0, "down");
        group.Servers[0].EndCheck(new HealthProbeResult(null), 0);
        Assert.Equal('-', Pick(group));

        Say(group, 0, "up");
        Assert.Equal('0', Pick(group));
    }

    [Fact]
    public async Task Its_most_sessions_stand_in_for_those_of_the_line()
    {
        var group = await MakeAsync(Server(1) with { MaxConnections = 3 });
        Say(group, 0, "maxconn:1");
        Assert.Equal("0", Holds(group, 1));
        Assert.Equal('-', Pick(group));

        Say(group, 0, "maxconn:0");
        Assert.Equal("0000", Holds(group, 4));
    }

    [Fact]
    public async Task A_place_that_an_agent_makes_goes_to_who_waits_for_it()
    {
        var group = await MakeAsync(Block(Server(1) with { MaxConnections = 1 }) with { QueueLength = 1, QueueTimeout = TimeSpan.FromMinutes(1) });
        Hold(group);
        var waiting = group.Choose(new ChoiceFacts(Client, Listener)).WaitAsync(CancellationToken.None);
        Assert.False(waiting.IsCompleted);

        Say(group, 0, "maxconn:2");

        Assert.Same(group.Servers[0], await waiting);
    }

    [Fact]
    public async Task A_server_that_its_agent_lets_in_again_starts_slowly()
    {
        var group = await MakeAsync(Server(1) with { SlowStart = TimeSpan.FromSeconds(100) }, Server(2));
        Assert.Equal("0101", Picks(group, 4));
        Say(group, 0, "drain");
        _make.Time.Advance(Second);

        Say(group, 0, "ready 50%");

        Assert.Equal(UpstreamServerState.SlowStart, group.Servers[0].StateAt(Now));
        Assert.InRange(Picks(group, 100).Count(c => c == '0'), 0, 2);
        _make.Time.Advance(TimeSpan.FromSeconds(50));
        Assert.InRange(Picks(group, 100).Count(c => c == '0'), 18, 22); // half of a half, to 1
        _make.Time.Advance(TimeSpan.FromSeconds(51));
        Assert.InRange(Picks(group, 99).Count(c => c == '0'), 32, 34);
    }

    [Fact]
    public async Task A_drained_server_is_said_to_be_empty_when_its_last_session_has_ended()
    {
        var group = await MakeAsync(Server(1), Server(2));
        var session = Hold(group);
        Say(group, 0, "drain");
        Assert.DoesNotContain(_make.Said, s => s.Id == 320);

        session.Release();

        Assert.Single(_make.Said, s => s.Id == 320);
    }

    [Fact]
    public async Task Maint_stops_the_checks_and_the_agent_is_asked_on()
    {
        var group = await MakeAsync(Server(1));
        Say(group, 0, "maint");

        Assert.False(group.Servers[0].TryBeginCheck(Now));
        Assert.True(group.Servers[0].TryBeginAsking(Now));
    }

    [Fact]
    public async Task What_it_said_survives_a_reload_and_means_nothing_to_a_configuration_without_agents()
    {
        var before = await MakeAsync(Server(1), Server(2));
        Say(before, 0, "drain");
        Say(before, 1, "25%");

        var after = await _make.MakeAsync(Block(Server(1), Server(2), Server(3)) with { HealthCheck = Check }, before);
        Assert.Equal((0, 180, 720), Spread(after, 900) switch { [var a, var b, var c] => (a, b, c), _ => default });

        var without = await _make.MakeAsync(Block(Server(1), Server(2)) with { HealthCheck = new HealthCheckConfig() }, after);
        Assert.Equal((450, 450), Spread(without, 900) switch { [var a, var b] => (a, b), _ => default });
        Assert.Null(without.Servers[0].AgentAnswer);
    }

    [Theory]
    [InlineData("another interval", '-')]
    [InlineData("another port", '0')]
    [InlineData("without, and with", '0')]
    public async Task What_it_said_is_forgotten_when_another_agent_is_asked_or_none(string what, char picked)
    {
        var before = await MakeAsync(Server(1));
        Say(before, 0, "drain");
        var config = Block(Server(1));
        if (what == "without, and with")
            before = await _make.MakeAsync(config with { HealthCheck = new HealthCheckConfig() }, before);

        var agent = what switch
        {
            "another interval" => Check.Agent! with { Interval = TimeSpan.FromSeconds(9) },
            "another port" => Check.Agent! with { Port = 9001 },
            _ => Check.Agent!,
        };
        var after = await _make.MakeAsync(config with { HealthCheck = Check with { Agent = agent } }, before);

        Assert.Equal(picked, Pick(after));
    }

    [Fact]
    public async Task Silence_changes_nothing_and_is_told_once_until_it_ends()
    {
        var group = await MakeAsync(Server(1), Server(2));
        Say(group, 0, "drain");
        _make.Said.Clear();
        for (var i = 0; i < 3; i++)
            KeepSilent(group, 0, i == 1 ? "its line does not end" : "connecting failed");
        Assert.Equal("11", Picks(group, 2));
        Say(group, 0, "drain");
        Say(group, 0, "drain");

        Assert.Equal(
            [
                (348, LogLevel.Warning, "upstream \"files\": the agent of server 10.0.0.1:21 does not answer, and what it said last stays in force: connecting failed"),
                (349, LogLevel.Information, "upstream \"files\": the agent of server 10.0.0.1:21 answers again"),
            ],
            _make.Said);
    }

    [Fact]
    public async Task What_changes_is_told_and_a_share_that_comes_and_goes_only_at_debug()
    {
        var group = await MakeAsync(Server(1), Server(2));
        foreach (var line in new[] { "up 90%", "up 90%", "80% nonsense", "70% nonsense", "down#disk", "down#disk", "up ready 70%" })
            Say(group, 0, line);

        Assert.Equal(
            [
                (353, LogLevel.Debug, "the agent of server 10.0.0.1:21 says: up 90%"),
                (350, LogLevel.Warning, "the agent of server 10.0.0.1:21 has a word that means nothing, and is passed over: nonsense"),
                (353, LogLevel.Debug, "the agent of server 10.0.0.1:21 says: 80% nonsense"),
                (353, LogLevel.Debug, "the agent of server 10.0.0.1:21 says: 70% nonsense"),
                (351, LogLevel.Warning, "server 10.0.0.1:21 gets no new sessions by the word of its agent: down#disk"),
                (352, LogLevel.Information, "server 10.0.0.1:21 is let in again by its agent: up ready 70%"),
            ],
            _make.Said.Select(s => (s.Id, s.Level, s.Text.Replace("upstream \"files\": ", "", StringComparison.Ordinal))));
    }

    [Fact]
    public async Task Agents_are_asked_one_at_a_time_in_their_interval_and_over_a_reload()
    {
        var asked = new List<TaskCompletionSource<AgentResult>>();
        var before = await MakeAsync(Server(1));
        var monitor = Monitor(before);
        monitor.Sweep(Now);
        _make.Time.Advance(TimeSpan.FromSeconds(5));
        monitor.Sweep(Now);
        Assert.Single(asked);
        monitor.Stop();

        var after = await _make.MakeAsync(Block(Server(1)) with { HealthCheck = Check }, before);
        var next = Monitor(after);
        next.Sweep(Now);
        Assert.Single(asked);
        Answer(asked[0], "drain");
        Assert.Equal('0', Pick(after)); // it was stopped, and says nothing
        next.Sweep(Now);
        Assert.Equal(2, asked.Count);
        Answer(asked[1], "drain");
        Assert.Equal('-', Pick(after));
        _make.Time.Advance(Second);
        next.Sweep(Now);
        Assert.Equal(2, asked.Count);
        _make.Time.Advance(Second);
        next.Sweep(Now);
        Assert.Equal(3, asked.Count);

        AgentMonitor Monitor(UpstreamGroup group) => new(group, Check.Agent!.Interval, (_, _) =>
        {
            asked.Add(new TaskCompletionSource<AgentResult>());
            return asked[^1].Task;
        }, _make);

        // What waits goes on within this call, as it does where no test's context is in the way.
        static void Answer(TaskCompletionSource<AgentResult> waiting, string line)
        {
            var context = SynchronizationContext.Current;
            SynchronizationContext.SetSynchronizationContext(null);
            waiting.SetResult(new AgentResult(AgentAnswer.Parse(System.Text.Encoding.ASCII.GetBytes(line)), null));
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }
}
