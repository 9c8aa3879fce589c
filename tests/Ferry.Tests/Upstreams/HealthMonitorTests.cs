using System.Linq;
using Ferry.Config;
using Ferry.Upstreams;
using Microsoft.Extensions.Logging;
using static Ferry.Tests.Upstreams.GroupBuilder;

namespace Ferry.Tests.Upstreams;

/// <summary>When servers are checked, and what comes of it.</summary>
public sealed class HealthMonitorTests : HealthMonitorRig
{
    [Fact]
    public async Task A_server_is_down_after_fall_failures_in_a_row_and_up_again_after_rise_successes()
    {
        var (group, monitor) = await StartAsync(new HealthCheckConfig { Fall = 2, Rise = 2 }, Server(1), Server(2));
        string?[] answers = [Refused, null, Refused, Refused, null, Refused, null, null];
        var picks = "";

        foreach (var answer in answers)
        {
            Tick(monitor, 5);
            AnswerAll(s => s.Index == 0 ? answer : null);
            picks += Picks(group, 2).Contains('0') ? '0' : '-';
        }

        Assert.Equal("000----0", picks);
    }

    [Fact]
    public async Task What_changes_is_told_with_the_reason()
    {
        const string Other = "it greeted with 421";
        var (_, monitor) = await StartAsync(new HealthCheckConfig { Fall = 2 }, Server(1));
        foreach (var answer in new[] { null, Refused, null, Refused, Refused, Refused, Refused, Other, Other, null })
        {
            Tick(monitor, 5);
            AnswerAll(_ => answer);
        }

        Assert.Equal(
            [
                (342, LogLevel.Information, "upstream \"files\": server 10.0.0.1:21 is up by its checks"),
                (343, LogLevel.Information, $"upstream \"files\": a check of server 10.0.0.1:21 has failed: {Refused}"),
                (343, LogLevel.Information, $"upstream \"files\": a check of server 10.0.0.1:21 has failed: {Refused}"), // one has passed between
                (341, LogLevel.Warning, $"upstream \"files\": server 10.0.0.1:21 is down by its checks and gets no new sessions: {Refused}"),
                (347, LogLevel.Debug, $"upstream \"files\": a check of server 10.0.0.1:21 has failed again: {Refused}"),
                (347, LogLevel.Debug, $"upstream \"files\": a check of server 10.0.0.1:21 has failed again: {Refused}"),
                (343, LogLevel.Information, $"upstream \"files\": a check of server 10.0.0.1:21 has failed: {Other}"),
                (347, LogLevel.Debug, $"upstream \"files\": a check of server 10.0.0.1:21 has failed again: {Other}"),
                (342, LogLevel.Information, "upstream \"files\": server 10.0.0.1:21 is up by its checks; it was down for 25 s"),
            ],
            _make.Said);
    }

    [Fact]
    public async Task The_only_server_and_one_that_no_session_makes_unavailable_go_down_too()
    {
        var (group, monitor) = await StartAsync(new HealthCheckConfig(), Server(1) with { MaxFails = 0 });
        Assert.Equal('0', Pick(group));

        monitor.Sweep(Now);
        AnswerAll(_ => Refused);

        Assert.Equal('-', Pick(group));
        Assert.Equal((HealthStatus.Down, Refused), (group.Servers[0].Health, group.Servers[0].HealthFailure));
    }

    [Fact]
    public async Task A_mandatory_check_lets_a_server_in_with_its_first_success()
    {
        var (group, monitor) = await StartAsync(new HealthCheckConfig { Mandatory = true, Rise = 3 }, Server(1));
        Assert.Equal('-', Pick(group));

        monitor.Sweep(Now);
        Assert.Equal('-', Pick(group));
        AnswerAll(_ => null);

        Assert.Equal('0', Pick(group));
    }

    [Fact]
    public async Task What_sessions_find_and_what_checks_find_is_kept_apart()
    {
        var (group, monitor) = await StartAsync(new HealthCheckConfig(), Server(1), Server(2));
        group.Servers[0].ReportFailure("refused");

        monitor.Sweep(Now);
        AnswerAll(_ => null);
        Assert.Equal("11", Picks(group, 2));

        Tick(monitor, 11);
        AnswerAll(_ => Refused);
        Assert.Equal("--", Picks(group, 2));
        group.Servers[0].ReportSuccess();
        Assert.Equal("--", Picks(group, 2));
    }

    [Fact]
    public async Task A_server_that_has_come_up_again_starts_slowly()
    {
        var (group, monitor) = await StartAsync(new HealthCheckConfig(), Server(1) with { SlowStart = TimeSpan.FromSeconds(30) }, Server(2));
        foreach (var answer in new[] { null, Refused })
        {
            Tick(monitor, 5);
            AnswerAll(_ => answer);
        }
        Assert.Null(group.Servers[0].Tally.RisingSince);
        Tick(monitor, 5);
        _make.Time.Advance(TimeSpan.FromSeconds(1));

        AnswerAll(_ => null);

        Assert.Equal(Now, group.Servers[0].Tally.RisingSince);
        Assert.Equal(UpstreamServerState.SlowStart, group.Servers[0].StateAt(Now));
    }

    [Fact]
    public async Task There_is_one_check_at_a_time_and_the_next_is_counted_from_its_beginning()
    {
        var (_, monitor) = await StartAsync(new HealthCheckConfig(), Server(1));
        monitor.Sweep(Now);
        for (var i = 0; i < 3; i++)
            Tick(monitor, 1);
        Assert.Single(_probes);

        AnswerAll(_ => null);
        Tick(monitor, 1);
        Assert.Empty(_probes);
        Tick(monitor, 1);
        Assert.Single(_probes);

        // One that has lasted longer than the interval is followed by the next at once.
        for (var i = 0; i < 9; i++)
            Tick(monitor, 1);
        AnswerAll(_ => null);
        Tick(monitor, 1);
        Assert.Single(_probes);
    }

    [Fact]
    public async Task Jitter_makes_the_interval_longer_by_at_most_itself()
    {
        var (_, monitor) = await StartAsync(new HealthCheckConfig { Jitter = TimeSpan.FromSeconds(10) }, [.. Enumerable.Range(1, 200).Select(i => Server(i))]);
        monitor.Sweep(Now);
        AnswerAll(_ => null);
        var begun = new List<int>();
        for (var second = 1; second <= 16; second++)
        {
            Tick(monitor, 1);
            begun.Add(_probes.Count);
        }

        Assert.Equal(0, begun[3]);
        Assert.Equal(200, begun[^1]);
        // 20 a second are expected.
        Assert.All(begun.Zip(begun.Skip(1), static (a, b) => b - a), static more => Assert.InRange(more, 0, 60));
    }

    [Fact]
    public async Task A_server_that_is_down_by_configuration_is_not_checked()
    {
        var (_, monitor) = await StartAsync(new HealthCheckConfig(), Server(1) with { Down = true }, Server(2));
        monitor.Sweep(Now);
        Assert.Equal([1], _probes.Select(static p => p.Server.Index));
    }

    [Fact]
    public async Task A_check_that_says_nothing_of_the_server_changes_nothing()
    {
        var (group, monitor) = await StartAsync(new HealthCheckConfig(), Server(1));
        monitor.Sweep(Now);
        Answer(_probes[0].Answer, new HealthProbeResult("no descriptor") { IsVoid = true });

        Assert.Equal((HealthStatus.Unknown, null), (group.Servers[0].Health, group.Servers[0].HealthFailure));
        Assert.Empty(_make.Said);
    }

    [Fact]
    public async Task A_fault_of_Ferrys_is_told_and_the_checks_go_on()
    {
        var (group, monitor) = await StartAsync(new HealthCheckConfig(), Server(1));
        monitor.Sweep(Now);
        var failed = _probes[0].Answer;
        _probes.Clear();
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        failed.SetException(new InvalidOperationException("oops"));
        SynchronizationContext.SetSynchronizationContext(context);
        Assert.Equal((346, LogLevel.Error), (_make.Said[0].Id, _make.Said[0].Level));

        Tick(monitor, 5);
        AnswerAll(_ => null);

        Assert.Equal(HealthStatus.Up, group.Servers[0].Health);
    }

    [Theory]
    [InlineData(32, null)]
    [InlineData(29.5, "the certificate of server 10.0.0.1:21 expires on 2026-01-31 15:04Z, in 29 day(s)")]
    [InlineData(-1, "the certificate of server 10.0.0.1:21 expired on 2026-01-01 03:04Z")]
    public async Task A_certificate_that_expires_is_warned_of_once_a_day(double days, string? text)
    {
        var check = new HealthCheckConfig { Interval = TimeSpan.FromHours(8) };
        var (group, monitor) = await StartAsync(check, Server(1));
        var expires = _make.Time.GetUtcNow().AddDays(days);
        for (var i = 0; i < 4; i++)
        {
            // 03:04, 11:04, 19:04, and 03:04 of the next day
            monitor.Sweep(Now);
            Answer(_probes[0].Answer, new HealthProbeResult(null) { CertificateExpires = expires });
            _probes.Clear();
            _make.Time.Advance(TimeSpan.FromHours(8));
        }

        var warnings = _make.Said.Where(static s => s.Level == LogLevel.Warning).Select(static s => s.Text).ToList();
        Assert.Equal(text is null ? 0 : 2, warnings.Count);
        if (text is not null)
            Assert.EndsWith(text, warnings[0], StringComparison.Ordinal);
    }
}
