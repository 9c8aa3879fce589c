using System.Linq;
using Ferry.Config;
using Ferry.Upstreams;
using static Ferry.Tests.Upstreams.GroupBuilder;

namespace Ferry.Tests.Upstreams;

public sealed class SlowStartTests
{
    private readonly GroupBuilder _make = new();

    private static UpstreamServerConfig Slow(int number, int weight = 1) => Server(number, weight) with { SlowStart = TimeSpan.FromSeconds(100) };

    private static int Count(UpstreamGroup group, int picks, char server) => Picks(group, picks).Count(c => c == server);

    [Fact]
    public async Task A_server_that_recovers_gets_a_share_that_grows_with_time()
    {
        var group = await _make.MakeAsync(Slow(1), Server(2));
        group.Servers[0].ReportFailure("refused");
        _make.Time.Advance(TimeSpan.FromSeconds(11));
        Picks(group, 2);
        group.Servers[0].ReportSuccess();

        Assert.InRange(Count(group, 100, '0'), 0, 1);
        _make.Time.Advance(TimeSpan.FromSeconds(25));
        // 1/4 to 1.
        Assert.InRange(Count(group, 100, '0'), 18, 22);
        _make.Time.Advance(TimeSpan.FromSeconds(25));
        // 1/2 to 1.
        Assert.InRange(Count(group, 99, '0'), 31, 35);
        _make.Time.Advance(TimeSpan.FromSeconds(50));
        Assert.Equal(50, Count(group, 100, '0'));
        lock (group.Gate)
            Assert.False(group.Servers[0].IsRising);
    }

    [Fact]
    public async Task A_server_that_was_never_away_has_its_whole_share_at_once()
    {
        var group = await _make.MakeAsync(Slow(1, 3), Server(2));

        Assert.Equal(75, Count(group, 100, '0'));
        group.Servers[0].ReportSuccess();
        Assert.Equal(75, Count(group, 100, '0'));
    }

    [Fact]
    public async Task A_server_that_a_reload_puts_up_again_begins_slowly()
    {
        var before = await _make.MakeAsync(Slow(1) with { Down = true }, Server(2));
        before.EnterForce(null);
        var group = await _make.MakeAsync(Block(Slow(1), Server(2)), before);

        Assert.Equal(50, Count(group, 100, '0'));
        group.EnterForce(before);

        Assert.InRange(Count(group, 100, '0'), 0, 1);
        _make.Time.Advance(TimeSpan.FromSeconds(101));
        Assert.Equal(50, Count(group, 100, '0'));
    }

    [Fact]
    public async Task Servers_that_come_back_together_take_turns()
    {
        var group = await _make.MakeAsync(Slow(1), Slow(2));
        foreach (var server in group.Servers)
            server.ReportFailure("refused");
        _make.Time.Advance(TimeSpan.FromSeconds(11));
        Picks(group, 2);
        foreach (var server in group.Servers)
            server.ReportSuccess();

        Assert.Equal(50, Count(group, 100, '0'));
    }

    [Fact]
    public async Task The_only_server_has_no_slow_start()
    {
        var group = await _make.MakeAsync(Slow(1));

        lock (group.Gate)
        {
            group.Servers[0].BeginSlowStart();
            Assert.False(group.Servers[0].IsRising);
        }
    }

    [Fact]
    public async Task A_record_with_a_slow_start_for_a_method_without_turns_is_refused()
    {
        var result = await _make.TryMakeAsync(Hashed(BalanceMethod.Hash, Variable("remote_addr"), Slow(1), Server(2)));

        Assert.Null(result.Group);
        Assert.Contains("slow start of 10.0.0.1", Assert.Single(result.Errors).Message, StringComparison.Ordinal);
    }
}
