using System.Linq;
using Ferry.Upstreams;
using static Ferry.Tests.Upstreams.GroupBuilder;

namespace Ferry.Tests.Upstreams;

public sealed class RoundRobinTests
{
    private readonly GroupBuilder _make = new();

    [Fact]
    public async Task Weights_of_4_3_2_are_spread_as_nginx_spreads_them()
    {
        var group = await _make.MakeAsync(Server(1, 4), Server(2, 3), Server(3, 2));

        Assert.Equal("012010210" + "012010210", Picks(group, 18));
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(5, 1, 1)]
    [InlineData(100, 7, 13)]
    public async Task Every_round_gives_each_server_its_weight(int first, int second, int third)
    {
        var group = await _make.MakeAsync(Server(1, first), Server(2, second), Server(3, third));

        var picks = Picks(group, first + second + third);

        Assert.Equal((first, second, third), (picks.Count(c => c == '0'), picks.Count(c => c == '1'), picks.Count(c => c == '2')));
    }

    [Fact]
    public async Task A_walk_has_every_server_once()
    {
        var group = await _make.MakeAsync(Server(1, 9), Server(2), Server(3, 4));

        Assert.Equal("021", Walk(group));
    }

    [Fact]
    public async Task A_walk_over_more_servers_than_a_word_has_bits_has_every_server_once()
    {
        var group = await _make.MakeAsync([.. Enumerable.Range(1, 200).Select(i => Server(i))]);
        var choice = group.Choose(new ChoiceFacts(Client, Listener));
        var seen = new HashSet<UpstreamServer>();

        while (choice.TryNext() is { } server)
            Assert.True(seen.Add(server));

        Assert.Equal(200, seen.Count);
        Assert.All(group.Servers, s => Assert.Equal(1, s.Sessions));
    }

    [Fact]
    public async Task A_server_that_is_down_is_never_used()
    {
        var group = await _make.MakeAsync(Server(1), Server(2) with { Down = true }, Server(3));

        Assert.Equal("0202", Picks(group, 4));
        Assert.False(group.Servers[1].IsAvailable(_make.Time.GetTimestamp()));
    }

    [Fact]
    public async Task A_backup_is_used_only_while_no_other_can_be()
    {
        var group = await _make.MakeAsync(Server(1) with { Backup = true }, Server(2), Server(3));

        Assert.Equal("1212", Picks(group, 4));
        Assert.Equal("120", Walk(group));

        group.Servers[1].ReportFailure();
        Assert.Equal("22", Picks(group, 2));
        group.Servers[2].ReportFailure();
        Assert.Equal("00", Picks(group, 2));
        _make.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.NotEqual('0', Pick(group));
    }

    [Fact]
    public async Task A_full_server_is_passed_over_until_a_session_ends()
    {
        var group = await _make.MakeAsync(Server(1) with { MaxConnections = 2 }, Server(2) with { MaxConnections = 1 });
        var held = Enumerable.Range(0, 3).Select(_ => group.Choose(new ChoiceFacts(Client, Listener)).TryNext()!).ToList();

        Assert.Equal([2, 1], group.Servers.Select(s => s.Sessions));
        Assert.Equal('-', Pick(group));

        held.First(s => s.Index == 0).Release();
        Assert.Equal('0', Pick(group));
        Assert.Equal([3L, 1L], group.Servers.Select(s => s.TotalSessions));
    }

    [Fact]
    public async Task Many_threads_leave_every_count_as_it_was()
    {
        var group = await _make.MakeAsync(Server(1, 2), Server(2) with { MaxConnections = 3 }, Server(3));

        Parallel.For(0, 2000, _ =>
        {
            var server = group.Choose(new ChoiceFacts(Client, Listener)).TryNext()!;
            Assert.True(server.Index != 1 || server.Sessions <= 3);
            server.ReportSuccess();
            server.Release();
        });

        Assert.All(group.Servers, s => Assert.Equal(0, s.Sessions));
        Assert.Equal(2000, group.Servers.Sum(s => s.TotalSessions));
    }
}
