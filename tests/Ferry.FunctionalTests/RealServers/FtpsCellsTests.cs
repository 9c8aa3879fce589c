using System.Linq;

namespace Ferry.FunctionalTests.RealServers;

public sealed class FtpsCellsTests
{
    [Fact]
    public void Any_three_values_that_can_meet_do_meet_in_the_matrix()
    {
        var there = FtpsCells.Chosen.SelectMany(FtpsCells.Triples).ToHashSet();
        var missing = FtpsCells.Possible.SelectMany(g => g).SelectMany(FtpsCells.Triples).Where(t => !there.Contains(t)).Distinct();
        Assert.Empty(missing);
    }

    [Fact]
    public void Every_client_meets_every_server_in_every_version_and_protection()
    {
        Assert.All(FtpsCells.Possible, group => Assert.True(FtpsCells.Chosen.Intersect(group).Any(), $"{group[0]} and its like are missing."));
    }
}
