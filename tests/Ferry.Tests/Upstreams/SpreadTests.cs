using System.Linq;
using System.Net;
using Ferry.Config;
using Ferry.Upstreams;
using static Ferry.Tests.Upstreams.GroupBuilder;

namespace Ferry.Tests.Upstreams;

/// <summary>Ten thousand picks of each method among servers of the weights 4, 3 and 2, held against the method's definition.</summary>
public sealed class SpreadTests
{
    private const int Picked = 10_000;

    private static readonly UpstreamServerConfig[] Three = [Server(1, 4), Server(2, 3), Server(3, 2)];

    private readonly GroupBuilder _make = new();

    /// <summary>1111 rounds of nine and one more, or 3333 rounds of three and one more. Those of <c>sh</c> and <c>mh</c> were computed by an independent program from the kernel's definitions.</summary>
    [Theory]
    [InlineData(BalanceMethod.RoundRobin, 4445, 3333, 2222)]
    [InlineData(BalanceMethod.LeastConnections, 4445, 3333, 2222)]
    [InlineData(BalanceMethod.Wrr, 4445, 3333, 2222)]
    [InlineData(BalanceMethod.Rr, 3334, 3333, 3333)]
    [InlineData(BalanceMethod.Lc, Picked, 0, 0)]
    [InlineData(BalanceMethod.Wlc, Picked, 0, 0)]
    [InlineData(BalanceMethod.Sed, Picked, 0, 0)]
    [InlineData(BalanceMethod.Nq, Picked, 0, 0)]
    [InlineData(BalanceMethod.Fo, Picked, 0, 0)]
    [InlineData(BalanceMethod.Ovf, Picked, 0, 0)]
    [InlineData(BalanceMethod.Lblc, Picked, 0, 0)]
    [InlineData(BalanceMethod.Lblcr, Picked, 0, 0)]
    [InlineData(BalanceMethod.Sh, 4533, 3282, 2185)]
    [InlineData(BalanceMethod.Mh, 4436, 3379, 2185)]
    public async Task Sessions_that_are_over_at_once(BalanceMethod method, int first, int second, int third)
    {
        var group = await _make.MakeAsync(Balanced(method, Three));

        Assert.Equal([first, second, third], Spread(group, Picked));
    }

    /// <summary>Where all sessions go on, the methods that count them keep them in proportion; how far <c>lblc</c> goes before it stays where it is, is LVS's definition too.</summary>
    [Theory]
    [InlineData(BalanceMethod.LeastConnections, 4444, 3334, 2222)]
    [InlineData(BalanceMethod.Lc, 3334, 3333, 3333)]
    [InlineData(BalanceMethod.Wlc, 4445, 3333, 2222)]
    [InlineData(BalanceMethod.Sed, 4445, 3333, 2222)]
    [InlineData(BalanceMethod.Nq, 4445, 3333, 2222)]
    [InlineData(BalanceMethod.Lblc, 5, 4, 9991)]
    public async Task Sessions_that_go_on(BalanceMethod method, int first, int second, int third)
    {
        var group = await _make.MakeAsync(Balanced(method, Three));

        for (var i = 0; i < Picked; i++)
            Hold(group, Other(i));

        Assert.Equal([first, second, third], group.Servers.Select(s => s.Sessions));
    }

    /// <summary>Within six standard deviations, which one run in five hundred million misses.</summary>
    [Fact]
    public async Task Random_follows_the_weights()
    {
        var group = await _make.MakeAsync(Balanced(BalanceMethod.Random, Three));

        var counts = Spread(group, Picked);

        foreach (var (count, weight) in counts.Zip([4, 3, 2]))
        {
            var share = weight / 9.0;
            Assert.InRange(count - (Picked * share), -6 * Math.Sqrt(Picked * share * (1 - share)), 6 * Math.Sqrt(Picked * share * (1 - share)));
        }
    }

    [Fact]
    public async Task The_better_of_two_by_chance_keeps_the_load_close_to_the_weights()
    {
        var group = await _make.MakeAsync(Balanced(BalanceMethod.RandomTwo, Three));

        for (var i = 0; i < Picked; i++)
            Hold(group);

        // By chance alone the first would be off by fifty.
        Assert.All(group.Servers, s => Assert.InRange(s.Sessions - (Picked * s.Weight / 9.0), -20, 20));
    }

    [Theory]
    [InlineData(BalanceMethod.ConsistentHash)]
    [InlineData(BalanceMethod.Mh)]
    public async Task The_removal_of_one_of_ten_moves_few_clients(BalanceMethod method)
    {
        var key = Variable("remote_addr");
        UpstreamServerConfig[] ten = [.. Enumerable.Range(1, 10).Select(i => Server(i))];
        var whole = await _make.MakeAsync(Hashed(method, key, ten));
        var less = await _make.MakeAsync(Hashed(method, key, [.. ten.Where((_, i) => i != 4)]));

        var moved = Enumerable.Range(0, Picked).Count(i => !EndOf(whole, i).Equals(EndOf(less, i)));

        Assert.InRange(moved, 1, Picked * 12 / 100);
        Assert.InRange(Spread(whole, Picked).Max() / (double)Picked, 0.1, 0.14);
    }

    [Fact]
    public async Task Destinations_are_hashed_without_their_port_and_the_weights_as_lvs_does()
    {
        var group = await _make.MakeAsync(Balanced(BalanceMethod.Dh, Three));
        string[] listeners = ["192.168.40.90", "10.0.0.1", "203.0.113.77", "8.8.8.8", "172.16.5.200", "1.2.3.4", "198.51.100.23", "192.0.2.255", "100.64.0.9", "2001:db8::5", "2001:db8:1:2:3:4:5:6", "fe80::1"];

        var picks = listeners.Select((a, i) => group.Choose(new ChoiceFacts(Other(i), new IPEndPoint(IPAddress.Parse(a), i))).TryNext()!.Index);

        Assert.Equal("200211110011", string.Concat(picks));
    }

    private static IPEndPoint EndOf(UpstreamGroup group, int client)
    {
        var server = Hold(group, Other(client));
        server.Release();
        return server.EndPoint;
    }
}
