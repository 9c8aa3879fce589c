using System.Linq;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

public sealed class ModeCellsTests
{
    public static TheoryData<ServerKind> Servers => new(ModeCells.Servers);

    [Theory]
    [MemberData(nameof(Servers))]
    public void Any_three_values_meet_in_the_matrix(ServerKind server)
    {
        var there = ModeCells.Choose(server).SelectMany(ModeCells.Triples).ToHashSet();
        Assert.Empty(ModeCells.Possible(server).SelectMany(ModeCells.Triples).Where(t => !there.Contains(t)).Distinct());
    }

    [Fact]
    public void With_one_server_every_pair_of_verbs_meets_every_TLS_and_every_pair_of_families()
    {
        var there = ModeCells.Choose(ModeCells.Complete).ToHashSet();
        var pairs = ModeCells.Possible(ModeCells.Complete).Where(c => ModeCells.Verbs.Contains(c.Mode)).ToArray();
        Assert.Equal(4 * 4 * 4 * 4, pairs.Length);
        Assert.Empty(pairs.Except(there));
    }

    [Fact]
    public void Only_PASV_and_PORT_on_a_side_with_IPv6_are_refused()
    {
        var refused = ModeCells.Possible(ModeCells.Complete).Where(c => c.IsRefused).ToArray();
        Assert.All(refused, c => Assert.True(
            (c.ClientV6 && c.Verb is DataVerb.Pasv or DataVerb.Port) || (c.ServerV6 && c.Mode is UpstreamDataMode.Pasv or UpstreamDataMode.Port)));
        // Of the pairs of verbs: 2 of 4 on the side or sides with IPv6.
        Assert.Equal(4 * (0 + 8 + 8 + 12), refused.Count(c => ModeCells.Verbs.Contains(c.Mode)));
    }
}
