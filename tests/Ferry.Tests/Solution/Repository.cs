using System.IO;
using System.Linq;
using System.Text.RegularExpressions;

namespace Ferry.Tests.Solution;

/// <summary>The source tree that the test binaries were built from.</summary>
internal static partial class Repository
{
    private static readonly string[] NotSource = ["bin", "obj", "out", "node_modules", "TestResults"];

    public static string Root { get; } = FindRoot();

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    public static bool Exists(string path) => Path.Exists(Path.Combine(Root, path));

    /// <summary>The files under a folder whose names match the pattern, as paths from the root with <c>/</c>, sorted; what a build or a tool made is left out.</summary>
    public static List<string> Files(string folder, string pattern)
    {
        var found = new List<string>();
        Collect(Path.Combine(Root, folder), pattern, found);
        found.Sort(StringComparer.Ordinal);
        return found;
    }

    /// <summary>The text of a C# file without its comments and without what stands in quotes.</summary>
    public static string ReadCode(string path) =>
        CommentsAndQuotes().Replace(Read(path), match => match.Value[0] == '/' ? " " : "\"\"");

    /// <summary>Fails with every problem on a line of its own; xunit would cut the list short.</summary>
    public static void AssertNone(IReadOnlyCollection<string> problems) =>
        Assert.True(problems.Count == 0, $"{problems.Count} found:\n{string.Join('\n', problems)}");

    private static void Collect(string folder, string pattern, List<string> found)
    {
        foreach (var file in Directory.EnumerateFiles(folder, pattern))
            found.Add(Path.GetRelativePath(Root, file).Replace('\\', '/'));
        foreach (var inner in Directory.EnumerateDirectories(folder))
        {
            var name = Path.GetFileName(inner);
            if (!NotSource.Contains(name) && (!name.StartsWith('.') || name == ".ci"))
                Collect(inner, pattern, found);
        }
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder != null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Ferry.slnx")))
                return folder.FullName;
        }
        throw new InvalidOperationException($"No Ferry.slnx above {AppContext.BaseDirectory}: these tests read the sources.");
    }

    [GeneratedRegex("""
        //[^\n]* | /\*.*?\*/ | \$*"{3,}.*?"{3,} | \$?@\$?"(?:[^"]|"")*" | \$?"(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.[^'\n]*)'
        """, RegexOptions.Singleline | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex CommentsAndQuotes();
}
