using System.Linq;
using Ferry.Config;
using Ferry.Upstreams;
using static Ferry.Tests.Upstreams.GroupBuilder;

namespace Ferry.Tests.Upstreams;

/// <summary>The order of choices of NGINX's <c>least_conn</c> and <c>random</c>, and of LVS's schedulers. Long orders were computed by an independent program from the definitions.</summary>
public sealed class SchedulerTests
{
    private readonly GroupBuilder _make = new();

    [Theory]
    [InlineData(BalanceMethod.Wrr, "001012012" + "001012012")]
    [InlineData(BalanceMethod.Rr, "012012012")]
    public async Task Turns_of_4_3_2_as_lvs_takes_them(BalanceMethod method, string expected)
    {
        var group = await _make.MakeAsync(Balanced(method, Server(1, 4), Server(2, 3), Server(3, 2)));

        Assert.Equal(expected, Picks(group, expected.Length));
    }

    [Fact]
    public async Task A_common_divisor_of_the_weights_changes_nothing()
    {
        var group = await _make.MakeAsync(Balanced(BalanceMethod.Wrr, Server(1, 400), Server(2, 300), Server(3, 200)));

        Assert.Equal("001012012" + "001012012", Picks(group, 18));
    }

    [Fact]
    public async Task Turns_pass_over_heavy_servers_that_cannot_be_had_without_a_look_at_each_of_their_weights()
    {
        var group = await _make.MakeAsync(Balanced(BalanceMethod.Wrr, Server(1, 65_535), Server(2, 2), Server(3)));

        Assert.Equal("0000", Picks(group, 4));
        group.Servers[0].ReportFailure();

        Assert.Equal("112112", Picks(group, 6));
        group.Servers[1].ReportFailure();
        group.Servers[2].ReportFailure();
        Assert.Equal("--", Picks(group, 2));
        _make.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal('0', Pick(group));
    }

    [Theory]
    [InlineData(BalanceMethod.LeastConnections, "012012010102")]
    [InlineData(BalanceMethod.Lc, "012012012012")]
    [InlineData(BalanceMethod.Wlc, "012010210012")]
    [InlineData(BalanceMethod.Sed, "010210012010")]
    [InlineData(BalanceMethod.Nq, "012010012010")]
    public async Task Sessions_that_go_on_are_laid_where_the_method_finds_the_least_load(BalanceMethod method, string expected)
    {
        var group = await _make.MakeAsync(Balanced(method, Server(1, 4), Server(2, 3), Server(3, 2)));

        Assert.Equal(expected, Holds(group, expected.Length));
    }

    [Fact]
    public async Task Never_queue_takes_an_idle_server_where_the_shortest_delay_is_elsewhere()
    {
        var sed = await _make.MakeAsync(Balanced(BalanceMethod.Sed, Server(1, 10), Server(2)));
        var nq = await _make.MakeAsync(Balanced(BalanceMethod.Nq, Server(1, 10), Server(2)));

        Assert.Equal(("00000000001000", "01000000000000"), (Holds(sed, 14), Holds(nq, 14)));
    }

    [Fact]
    public async Task A_session_that_ends_makes_its_server_the_least_loaded()
    {
        foreach (var method in new[] { BalanceMethod.LeastConnections, BalanceMethod.Lc, BalanceMethod.Wlc, BalanceMethod.Sed, BalanceMethod.Nq })
        {
            var group = await _make.MakeAsync(Balanced(method, Server(1), Server(2), Server(3)));
            var held = Enumerable.Range(0, 6).Select(_ => Hold(group)).ToList();

            held.Last(s => s.Index == 2).Release();

            Assert.Equal(2, Hold(group).Index);
        }
    }

    [Fact]
    public async Task Sessions_of_the_generation_before_count()
    {
        var old = await _make.MakeAsync(Server(1), Server(2));
        var held = Hold(old);

        var renewed = await _make.MakeAsync(Balanced(BalanceMethod.LeastConnections, Server(1), Server(2)), old);

        Assert.Equal("11", Picks(renewed, 2));
        held.Release();
        Assert.Equal("01", string.Concat(Picks(renewed, 2).Order()));
    }

    [Fact]
    public async Task Failover_stays_with_the_heaviest_server_that_can_be_had()
    {
        var group = await _make.MakeAsync(Balanced(BalanceMethod.Fo, Server(1), Server(2, 5), Server(3, 5), Server(4, 3)));

        Assert.Equal("1111", Holds(group, 4));
        Assert.Equal("1230", Walk(group));
        group.Servers[1].ReportFailure();
        Assert.Equal("22", Holds(group, 2));
    }

    /// <summary>LVS compares before it adds the session, so that a server of weight 2 gets three.</summary>
    [Fact]
    public async Task Overflow_fills_the_heaviest_server_first_and_in_the_end_has_none()
    {
        var group = await _make.MakeAsync(Balanced(BalanceMethod.Ovf, Server(1), Server(2, 2), Server(3) with { Backup = true }));

        Assert.Equal("11100" + "22", Holds(group, 7));
        Assert.Equal('-', Pick(group));
    }

    [Fact]
    public async Task Two_by_chance_are_two_different_servers()
    {
        var group = await _make.MakeAsync(Balanced(BalanceMethod.RandomTwo, Server(1), Server(2)));
        var busy = Hold(group).Index;

        Assert.Equal(new string((char)('1' - busy), 1000), Picks(group, 1000));
    }

    [Theory]
    [InlineData(BalanceMethod.Random)]
    [InlineData(BalanceMethod.RandomTwo)]
    public async Task After_twenty_misses_by_chance_round_robin_finds_the_last_server_and_then_the_backup(BalanceMethod method)
    {
        var down = Enumerable.Range(1, 99).Select(i => Server(i, 9) with { Down = true });
        var group = await _make.MakeAsync(Balanced(method, [.. down, Server(100), Server(101) with { Backup = true }]));
        var choice = group.Choose(new ChoiceFacts(Client, Listener));

        Assert.Equal([99, 100], [choice.TryNext()!.Index, choice.TryNext()!.Index]);
        Assert.Null(choice.TryNext());
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task Every_method_passes_over_what_cannot_be_had_and_tries_each_server_once(BalanceMethod method)
    {
        UpstreamServerConfig[] servers =
        [
            Server(1, 3) with { Down = true }, Server(2, 2) with { MaxConnections = 1 }, Server(3), Server(4, 5), Server(5, 4), Server(6) with { Backup = true }, Server(7) with { Backup = true },
        ];
        var group = await _make.MakeAsync(Hashed(method, Variable("remote_addr"), servers));
        while (group.Servers[1].Sessions == 0)
            Hold(group, Other(Random.Shared.Next(10_000)));
        group.Servers[3].ReportFailure();

        Assert.Equal("2456", string.Concat(Walk(group).Order()));
        Assert.Equal("56", string.Concat(Walk(group)[2..].Order()));
        group.Servers[2].ReportFailure();
        group.Servers[4].ReportFailure();
        Assert.All(Picks(group, 4), c => Assert.Contains(c, "56"));
    }

    public static TheoryData<BalanceMethod> Methods() => [.. Enum.GetValues<BalanceMethod>().Where(m => m is not (BalanceMethod.Ovf or BalanceMethod.Fo))];
}
