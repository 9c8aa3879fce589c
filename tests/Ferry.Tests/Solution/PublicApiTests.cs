using System.IO;
using Ferry.Config;

namespace Ferry.Tests.Solution;

public sealed class PublicApiTests
{
    private const string Snapshot = "tests/Ferry.Tests/Solution/PublicApi.txt";

    /// <summary>What embedders may call changes on purpose or not at all.</summary>
    [Fact]
    public void The_public_API_is_the_one_in_the_snapshot()
    {
        var actual = PublicApiText.Of(typeof(FerryConfig).Assembly);
        if (Environment.GetEnvironmentVariable("FERRY_ACCEPT_API") == "1")
            File.WriteAllText(Path.Combine(Repository.Root, Snapshot), actual);
        var expected = Repository.Exists(Snapshot) ? Repository.Read(Snapshot) : "";
        if (actual == expected)
            return;
        var written = Path.Combine(AppContext.BaseDirectory, "PublicApi.actual.txt");
        File.WriteAllText(written, actual);
        Assert.Fail($"""
            The public API is not the one in {Snapshot}. First difference:
            {FirstDifference(expected, actual)}
            The whole of it is in {written}.
            Where it changed on purpose: FERRY_ACCEPT_API=1 ./test PublicApiTests, then commit {Snapshot} and add a line to CHANGELOG.md.
            """);
    }

    private static string FirstDifference(string expected, string actual)
    {
        var was = expected.Split('\n');
        var now = actual.Split('\n');
        var at = 0;
        while (at < was.Length && at < now.Length && was[at] == now[at])
            at++;
        return $"  line {at + 1}\n  - {(at < was.Length ? was[at] : "(end)")}\n  + {(at < now.Length ? now[at] : "(end)")}";
    }
}
