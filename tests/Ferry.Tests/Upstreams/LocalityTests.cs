using System.Linq;
using System.Net;
using Ferry.Config;
using Ferry.Upstreams;
using static Ferry.Tests.Upstreams.GroupBuilder;

namespace Ferry.Tests.Upstreams;

/// <summary>LVS's <c>lblc</c> and <c>lblcr</c>.</summary>
public sealed class LocalityTests
{
    private readonly GroupBuilder _make = new();

    [Theory]
    [InlineData(BalanceMethod.Lblc)]
    [InlineData(BalanceMethod.Lblcr)]
    public async Task An_address_keeps_its_server_until_that_has_more_sessions_than_its_weight_and_another_is_half_idle(BalanceMethod method)
    {
        var group = await _make.MakeAsync(Balanced(method, Server(1, 4), Server(2, 4)));

        Assert.Equal("00000", HoldsAt(group, 1, 5));
        Assert.Equal("1", HoldsAt(group, 2, 1));
        // 5 > 4, and 1 * 2 < 4: the first address gets the second server, alone or beside its own.
        Assert.Equal("1", HoldsAt(group, 1, 1));
        Assert.Equal((5, 2), (group.Servers[0].Sessions, group.Servers[1].Sessions));
        // 2 * 2 is not below 4: nobody is idle enough any more.
        Assert.Equal("111", HoldsAt(group, 1, 3));
    }

    [Fact]
    public async Task A_set_gives_its_least_loaded_server_and_loses_the_most_loaded_after_a_day()
    {
        var group = await _make.MakeAsync(Balanced(BalanceMethod.Lblcr, Server(1, 4), Server(2, 4), Server(3, 4)));
        var held = Enumerable.Range(0, 5).Select(_ => HoldAt(group, 1)).ToList();
        Assert.Equal([5, 0, 0], group.Servers.Select(s => s.Sessions));
        Assert.Equal("1", HoldsAt(group, 1, 1));

        // The set is 0 and 1 now. When 0 is idle again it is the least loaded.
        held.ForEach(s => s.Release());
        Assert.Equal("0", HoldsAt(group, 1, 1));

        // A day later, with sessions in between so that the address is not forgotten: the set has 1 and 0, at one session each.
        _make.Time.Advance(TimeSpan.FromHours(23));
        Assert.Equal("1", HoldsAt(group, 1, 1));
        _make.Time.Advance(TimeSpan.FromHours(2));
        Assert.Equal("0", HoldsAt(group, 1, 1)); // and 1, with two sessions to one, leaves
        group.Servers[0].ReportFailure();
        Assert.Equal("2", HoldsAt(group, 1, 1)); // not 1: it is not of the set, and not the least loaded
    }

    [Fact]
    public async Task Without_replication_an_overloaded_server_loses_the_address()
    {
        var group = await _make.MakeAsync(Balanced(BalanceMethod.Lblc, Server(1, 4), Server(2, 4)));
        var held = Enumerable.Range(0, 5).Select(_ => HoldAt(group, 1)).ToList();
        Assert.Equal("1", HoldsAt(group, 1, 1));

        held.ForEach(s => s.Release());

        Assert.Equal("1", HoldsAt(group, 1, 1));
    }

    [Theory]
    [InlineData(BalanceMethod.Lblc)]
    [InlineData(BalanceMethod.Lblcr)]
    public async Task An_address_keeps_its_server_over_a_reload_and_leaves_one_that_is_gone(BalanceMethod method)
    {
        var old = await _make.MakeAsync(Balanced(method, Server(1), Server(2)));
        Assert.Equal("00", HoldsAt(old, 1, 2));

        var renewed = await _make.MakeAsync(Balanced(method, Server(3, 3), Server(1, 4)), old);
        Assert.Equal("1", HoldsAt(renewed, 1, 1));

        var without = await _make.MakeAsync(Balanced(method, Server(5), Server(3)), renewed);
        Assert.Equal("00", HoldsAt(without, 1, 2));
    }

    [Theory]
    [InlineData(BalanceMethod.Lblc)]
    [InlineData(BalanceMethod.Lblcr)]
    public async Task A_backup_is_used_while_nothing_else_can_be_and_not_remembered(BalanceMethod method)
    {
        var group = await _make.MakeAsync(Balanced(method, Server(1), Server(2) with { Backup = true }));
        group.Servers[0].ReportFailure();

        Assert.Equal("11", HoldsAt(group, 1, 2));
        _make.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal("0", HoldsAt(group, 1, 1));
    }

    private static UpstreamServer HoldAt(UpstreamGroup group, int listener) =>
        group.Choose(new ChoiceFacts(Client, new IPEndPoint(new IPAddress([192, 0, 2, (byte)listener]), 21))).TryNext()!;

    private static string HoldsAt(UpstreamGroup group, int listener, int count) => string.Concat(Enumerable.Range(0, count).Select(_ => HoldAt(group, listener).Index));
}
