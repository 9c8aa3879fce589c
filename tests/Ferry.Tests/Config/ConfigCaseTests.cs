using System.IO;
using System.Linq;
using Ferry.Config;

namespace Ferry.Tests.Config;

/// <summary>
/// Files of <c>Config/Cases</c>, each with what is found in it in lines at its end:
/// <c>#> line:column+length severity: message</c>.
/// </summary>
public sealed class ConfigCaseTests
{
    private static string Folder => Path.Combine(AppContext.BaseDirectory, "Config", "Cases");

    public static TheoryData<string> Files => [.. Directory.EnumerateFiles(Folder, "*.conf").Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void A_case_says_exactly_what_stands_at_its_end(string file)
    {
        var lines = File.ReadAllLines(Path.Combine(Folder, file));
        var expected = lines.Where(l => l.StartsWith("#> ", StringComparison.Ordinal)).Select(l => l[3..]).ToList();
        // What is expected is no part of the case: a quote in it would close one of the case.
        var text = string.Join('\n', lines.TakeWhile(l => !l.StartsWith("#> ", StringComparison.Ordinal)));

        var read = ConfigFile.Parse(text, file, "/srv/ferry");

        Assert.NotEmpty(expected);
        Assert.Equal(expected, read.Diagnostics.Select(d => $"{d.Position.Line}:{d.Position.Column}+{d.Length} {d.Severity.ToString().ToLowerInvariant()}: {d.Message}"));
        Assert.All(read.Diagnostics, d => Assert.Equal(file, d.Position.File));
        Assert.All(read.Diagnostics, d => Assert.Equal(text.Split('\n')[d.Position.Line - 1], d.SourceLine));
        Assert.Equal(read.Diagnostics.Any(d => d.Severity == ConfigSeverity.Error), read.Config is null);
    }
}
