using System.Linq;
using Ferry.Config;
using Ferry.Upstreams;
using static Ferry.Tests.Upstreams.GroupBuilder;

namespace Ferry.Tests.Upstreams;

/// <summary>The checks of one generation after those of another.</summary>
public sealed class HealthReloadTests : HealthMonitorRig
{
    [Fact]
    public async Task Over_a_reload_what_is_known_stays_and_the_checks_keep_their_rhythm()
    {
        var check = new HealthCheckConfig();
        var (before, monitor) = await StartAsync(check, Server(1), Server(2));
        monitor.Sweep(Now);
        AnswerAll(s => s.Index == 0 ? Refused : null);
        _make.Time.Advance(TimeSpan.FromSeconds(3));

        monitor.Stop();
        var after = await _make.MakeAsync(Block(Server(1), Server(2), Server(3)) with { HealthCheck = check }, before);
        var next = Monitor(after, check);
        next.Sweep(Now);

        Assert.Equal([2], _probes.Select(static p => p.Server.Index)); // no burst
        Assert.Equal("1212", Picks(after, 4));
        Tick(next, 2);
        Assert.Equal([2, 0, 1], _probes.Select(static p => p.Server.Index)); // no gap
        Tick(monitor, 5);
        Assert.Equal(3, _probes.Count);
    }

    [Fact]
    public async Task A_check_that_a_reload_has_stopped_says_nothing_and_is_made_anew()
    {
        var check = new HealthCheckConfig();
        var (before, monitor) = await StartAsync(check, Server(1));
        monitor.Sweep(Now);
        var after = await _make.MakeAsync(Block(Server(1)) with { HealthCheck = check }, before);
        var next = Monitor(after, check);
        next.Sweep(Now);
        Assert.Single(_probes);

        monitor.Stop();
        AnswerAll(_ => Refused);
        Assert.Equal(HealthStatus.Unknown, after.Servers[0].Health);
        Tick(next, 1);

        Assert.Same(after.Servers[0], Assert.Single(_probes).Server);
    }

    [Fact]
    public async Task Without_checks_what_they_once_found_keeps_nobody_away()
    {
        var (before, monitor) = await StartAsync(new HealthCheckConfig(), Server(1));
        monitor.Sweep(Now);
        AnswerAll(_ => Refused);

        var after = await _make.MakeAsync(Block(Server(1)), before);

        Assert.Equal('0', Pick(after));
        Assert.Null(after.Servers[0].Health);
    }
}
