using System.Linq;
using Ferry.Config;
using Ferry.Upstreams;
using static Ferry.Tests.Upstreams.GroupBuilder;

namespace Ferry.Tests.Upstreams;

/// <summary>The share that an agent leaves of a server's weight, method by method.</summary>
public sealed class AgentSpreadTests : AgentRig
{
    private static UpstreamConfig With(BalanceMethod method, params UpstreamServerConfig[] servers) =>
        method is BalanceMethod.Hash or BalanceMethod.ConsistentHash ? Hashed(method, Variable("remote_addr"), servers) : Balanced(method, servers);

    [Theory]
    [InlineData(BalanceMethod.RoundRobin, 0)]
    [InlineData(BalanceMethod.LeastConnections, 0)]
    [InlineData(BalanceMethod.Wrr, 0)]
    [InlineData(BalanceMethod.Hash, 200)]
    [InlineData(BalanceMethod.ConsistentHash, 400)]
    [InlineData(BalanceMethod.Random, 200)]
    [InlineData(BalanceMethod.Sh, 300)]
    [InlineData(BalanceMethod.Mh, 300)]
    public async Task Half_of_its_weight_is_half_of_its_share(BalanceMethod method, int tolerance)
    {
        var group = await MakeAsync(With(method, Server(1), Server(2)));
        Say(group, 0, "50%");
        group.Sweep(Now);

        var spread = Spread(group, 9000);

        Assert.InRange(spread[0], 3000 - tolerance, 3000 + tolerance);
    }

    [Theory]
    [InlineData(BalanceMethod.LeastConnections)]
    [InlineData(BalanceMethod.Wlc)]
    [InlineData(BalanceMethod.Sed)]
    [InlineData(BalanceMethod.Nq)]
    [InlineData(BalanceMethod.RandomTwo)]
    public async Task Sessions_that_go_on_are_kept_in_proportion(BalanceMethod method)
    {
        var group = await MakeAsync(Balanced(method, Server(1, 2), Server(2, 2)));
        Say(group, 0, "50%");
        group.Sweep(Now);

        Assert.InRange(Holds(group, 900).Count(c => c == '0'), 299, 301);
    }

    [Theory]
    [InlineData(BalanceMethod.RoundRobin)]
    [InlineData(BalanceMethod.LeastConnections)]
    [InlineData(BalanceMethod.Wlc)]
    public async Task Among_many_servers_too(BalanceMethod method)
    {
        var group = await MakeAsync(Balanced(method, [.. Enumerable.Range(1, 40).Select(i => Server(i))]));
        var before = group.Choose(new ChoiceFacts(Client, Listener)).TryNext();
        before!.Release(); // whatever is kept in an order has been made
        Say(group, 7, "50%");

        var sessions = Enumerable.Range(0, 790).Select(_ => Hold(group)).CountBy(s => s.Index).ToDictionary();

        Assert.InRange(sessions[7], 10, 11);
        Assert.All(Enumerable.Range(0, 40).Where(i => i != 7), i => Assert.InRange(sessions[i], 19, 21));
    }

    [Fact]
    public async Task With_a_consistent_hash_only_clients_of_the_server_move_that_has_less()
    {
        var group = await MakeAsync(With(BalanceMethod.ConsistentHash, Server(1), Server(2), Server(3)));
        var before = Enumerable.Range(0, 3000).Select(i => Pick(group, Other(i))).ToList();
        Say(group, 0, "50%");
        group.Sweep(Now);

        var after = Enumerable.Range(0, 3000).Select(i => Pick(group, Other(i))).ToList();

        var moved = before.Zip(after).Where(p => p.First != p.Second).ToList();
        Assert.All(moved, p => Assert.Equal('0', p.First));
        Assert.InRange(moved.Count / (double)before.Count(c => c == '0'), 0.3, 0.7);
        Say(group, 0, "100%");
        group.Sweep(Now);
        Assert.Equal(before, Enumerable.Range(0, 3000).Select(i => Pick(group, Other(i))));
    }

    [Theory]
    [InlineData(BalanceMethod.Hash)]
    [InlineData(BalanceMethod.ConsistentHash)]
    public async Task A_server_at_zero_has_no_share_and_leaves_the_others_theirs(BalanceMethod method)
    {
        var group = await MakeAsync(With(method, Server(1), Server(2), Server(3)));
        var before = Enumerable.Range(0, 1000).Select(i => Pick(group, Other(i))).ToList();
        Say(group, 0, "0%");
        group.Sweep(Now);

        var after = Enumerable.Range(0, 1000).Select(i => Pick(group, Other(i))).ToList();

        Assert.DoesNotContain('0', after);
        Assert.All(before.Zip(after).Where(p => p.First != '0'), p => Assert.Equal(p.First, p.Second));
    }

    [Theory]
    [InlineData(1, "25600%", 256)]
    [InlineData(1, "300%", 3)]
    [InlineData(100, "150%", 150)]
    [InlineData(100, "1000%", 256)]
    [InlineData(1000, "200%", 1000)]
    [InlineData(65_535, "1%", 655.35)]
    public async Task An_agent_goes_to_256_or_to_what_is_configured(int weight, string says, double share)
    {
        var group = await MakeAsync(Server(1, weight), Server(2));
        Say(group, 0, says);
        Assert.Equal(share, group.Servers[0].Hundredths / 100.0);
    }

    [Fact]
    public async Task No_agents_make_a_ring_larger_than_a_configuration_could()
    {
        var group = await MakeAsync(With(BalanceMethod.ConsistentHash, [.. Enumerable.Range(0, 500).Select(i => new UpstreamServerConfig($"10.1.{i / 250}.{i % 250}", 21))]));
        for (var i = 0; i < 500; i++)
            Say(group, i, "25600%");
        var before = GC.GetAllocatedBytesForCurrentThread();
        group.Sweep(Now);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1 << 20, 256 << 20);
        Assert.NotEqual('-', Pick(group));
    }

    [Fact]
    public async Task Nor_a_table_where_agents_leave_weights_that_have_a_hundred_in_common()
    {
        var group = await MakeAsync([.. Enumerable.Range(1, 200).Select(i => Server(i, 100))]);
        for (var i = 0; i < 200; i++)
            Say(group, i, i == 7 ? "101%" : "200%");

        var weights = Weights.Of([.. group.Servers]);

        Assert.InRange(weights.Sum(), 1900, 2200);
        Assert.InRange(weights[7] / (double)weights[0], 0.4, 0.6);
    }

    [Fact]
    public async Task Among_many_servers_one_that_had_little_has_its_new_share_at_once()
    {
        var group = await MakeAsync(Balanced(BalanceMethod.LeastConnections, [.. Enumerable.Range(1, 40).Select(i => Server(i))]));
        Say(group, 7, "1%");
        Assert.Equal(1, Spread(group, 200)[7]);

        Say(group, 7, "100%");

        Assert.InRange(Spread(group, 200)[7], 4, 6);
    }

    [Fact]
    public async Task The_weight_by_hand_is_what_the_share_is_of()
    {
        var group = await MakeAsync(Server(1), Server(2));
        Say(group, 0, "50%");
        group.TryChange(UpstreamGroup.Change("10.0.0.1:21", new UpstreamServerChange { Weight = 4 }), null);

        Assert.Equal(600, Spread(group, 900)[0]);
    }
}
