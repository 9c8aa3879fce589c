using System.IO;
using System.Linq;
using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Ferry.Config;

namespace Ferry.Tests.Solution;

public sealed partial class DocumentationTests
{
    /// <summary>What System.CommandLine adds by itself.</summary>
    private static readonly string[] BuiltIn = ["--help", "-h", "--version"];

    public static TheoryData<string> Pages => [.. Repository.Files(".", "*.md")];

    [Fact]
    public void The_pages_that_a_newcomer_looks_for_are_there()
    {
        string[] expected =
        [
            "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "LICENSE",
            "docs/architecture.md", "docs/configuration.md", "docs/operations.md", "docs/performance.md", "docs/threat-model.md",
        ];
        Repository.AssertNone([.. expected.Where(path => !Repository.Exists(path))]);
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_link_leads_to_a_file_and_to_a_heading_in_it(string page)
    {
        var problems = new List<string>();
        foreach (var link in Markdown.Read(page).Links.Where(link => !link.Contains("://", StringComparison.Ordinal) && !link.StartsWith("mailto:", StringComparison.Ordinal)))
        {
            var cut = link.Split('#');
            var target = cut[0].Length == 0 ? page : Path.Combine(Path.GetDirectoryName(page)!, Uri.UnescapeDataString(cut[0]));
            if (!Repository.Exists(target))
                problems.Add($"{page}: {link}: no such file");
            else if (cut is [_, var anchor] && target.EndsWith(".md", StringComparison.Ordinal) && !Markdown.Read(target).Anchors.Contains(anchor))
                problems.Add($"{page}: {link}: no such heading");
        }
        Repository.AssertNone(problems);
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_file_that_is_mentioned_exists(string page)
    {
        var markdown = Markdown.Read(page);
        var words = markdown.Spans.Concat(markdown.Blocks.Select(block => block.Text)).SelectMany(code => code.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        Repository.AssertNone([.. words.Select(word => TreePath().Match(word)).Where(match => match.Success).Select(match => match.Groups[1].Value)
            .Distinct().Where(path => !Repository.Exists(path)).Select(path => $"{page}: {path}: no such file")]);
    }

    /// <summary>Flags, verbs and signals are looked for as quoted words in the daemon's sources, which is where its command line is declared.</summary>
    [Theory]
    [MemberData(nameof(Pages))]
    public void A_command_line_of_ferryd_has_only_words_that_ferryd_knows(string page)
    {
        var daemon = string.Concat(Repository.Files("src/Ferry.Daemon", "*.cs").Select(Repository.Read));
        var markdown = Markdown.Read(page);
        var problems = new List<string>();
        foreach (var line in markdown.Spans.Concat(markdown.Blocks.SelectMany(block => block.Text.Split('\n'))))
        {
            var call = Call().Match(line);
            if (!call.Success)
                continue;
            var words = call.Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries).TakeWhile(word => word[0] is not ('#' or '|')).ToList();
            for (var at = 0; at < words.Count; at++)
            {
                var isWord = words[at][0] == '-' || (char.IsAsciiLetterLower(words[at][0]) && (at == 0 || words[at - 1] == "-s"));
                if (isWord && !BuiltIn.Contains(words[at]) && !daemon.Contains($"\"{words[at]}\"", StringComparison.Ordinal))
                    problems.Add($"{page}: {line.Trim()}: {words[at]}");
            }
        }
        Repository.AssertNone(problems);
    }

    /// <summary>Directives of FTP, of proxying and of workers have names of their own, so they are known when seen.</summary>
    [Theory]
    [MemberData(nameof(Pages))]
    public void A_directive_that_is_mentioned_is_in_the_manual(string page)
    {
        var manual = Repository.Read("docs/configuration.md");
        var named = Markdown.Read(page).Spans.SelectMany(span => DirectiveName().Matches(span)).Select(match => match.Value).Distinct();
        Repository.AssertNone([.. named.Where(name => !manual.Contains(name, StringComparison.Ordinal)).Select(name => $"{page}: {name}")]);
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_whole_configuration_that_is_shown_can_be_used(string page)
    {
        var problems = new List<string>();
        // A block marked as text may show the configuration of another program.
        foreach (var (_, text) in Markdown.Read(page).Blocks.Where(block => block.Language != "text" && block.Text.Contains("stream {", StringComparison.Ordinal)))
        {
            problems.AddRange(ConfigFile.Parse(text, page).Diagnostics
                .Where(found => found.Severity == ConfigSeverity.Error).Select(found => found.ToString()));
        }
        Repository.AssertNone(problems);
    }

    [Fact]
    public void The_README_shows_CSharp_of_the_sample()
    {
        var sample = Repository.Read("samples/EmbeddedProxy/Program.cs").Split('\n').Select(line => line.Trim()).ToList();
        var shown = Markdown.Read("README.md").Blocks.Where(block => block.Language == "csharp").ToList();
        Assert.NotEmpty(shown);
        Repository.AssertNone([.. shown.SelectMany(block => block.Text.Split('\n')).Select(line => line.Trim()).Where(line => !sample.Contains(line))]);
    }

    /// <summary>The tags are what operators search for; a new one needs a row that says what to do.</summary>
    [Theory]
    [InlineData("src/Ferry/Sessions/SessionEndReason.cs")]
    [InlineData("src/Ferry/Sessions/TransferOutcome.cs")]
    public void Every_way_to_end_is_explained_to_operators(string source)
    {
        var tags = Tag().Matches(Repository.Read(source)).Select(match => match.Groups[1].Value).ToList();
        var explained = Markdown.Read("docs/operations.md").Spans.ToHashSet();
        Assert.NotEmpty(tags);
        Repository.AssertNone([.. tags.Where(tag => !explained.Contains(tag))]);
    }

    [Fact]
    public void A_log_line_that_operators_are_told_to_look_for_is_said()
    {
        var sources = string.Concat(Repository.Files("src/Ferry", "*.cs").Select(Repository.Read));
        var section = Repository.Read("docs/operations.md").Split("### Lines of the error log\n")[1].Split("\n###")[0];
        var texts = section.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)).SelectMany(line => Markdown.Parse(line.Split(" | ")[0]).Spans).ToList();
        Assert.NotEmpty(texts);
        Repository.AssertNone([.. texts.Where(text => !sources.Contains(text, StringComparison.Ordinal))]);
    }

    [Fact]
    public void Every_public_member_has_a_summary()
    {
        var assembly = typeof(FerryConfig).Assembly;
        var documented = XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml")).Descendants("member")
            .Where(member => member.Element("inheritdoc") != null || !string.IsNullOrWhiteSpace(member.Element("summary")?.Value))
            .Select(member => member.Attribute("name")!.Value).ToHashSet();
        var expected = new List<string>();
        foreach (var type in assembly.GetExportedTypes())
        {
            expected.Add(DocumentationIds.Of(type));
            expected.AddRange(PublicApiText.VisibleMembers(type).Where(CanHaveSummary).Select(DocumentationIds.Of));
        }
        Assert.NotEmpty(documented);
        Repository.AssertNone([.. expected.Where(id => !documented.Contains(id))]);
    }

    [Theory]
    [InlineData("# Two words", "two-words")]
    [InlineData("## `ferryd -t`, 2.0", "ferryd--t-20")]
    [InlineData("# A\n\n# A", "a-1")]
    public void A_heading_makes_the_anchor_that_GitHub_makes(string text, string anchor) => Assert.Contains(anchor, Markdown.Parse(text).Anchors);

    /// <summary>A constructor without parameters may be the compiler's, and a positional record's Deconstruct always is.</summary>
    private static bool CanHaveSummary(MemberInfo member) =>
        member is not ConstructorInfo constructor ? member.Name != "Deconstruct" : constructor.GetParameters().Length > 0;

    [GeneratedRegex(@"^(?:\./)?((?:src|test|docs|bench|samples|packaging|\.ci)/[\w./-]*[\w/]|(?<=\./)(?:run|test|build))(?=[\])}:;,.]*$)")]
    private static partial Regex TreePath();

    [GeneratedRegex(@"(?<![$\w])(?:ftp|proxy|worker)_[a-z_]+")]
    private static partial Regex DirectiveName();

    [GeneratedRegex("=> \"([a-z_]+)\"")]
    private static partial Regex Tag();

    [GeneratedRegex(@"^\s*(?:\$ |# )?(?:sudo |exec )?(?:[\w./-]*/)?ferryd((?: +[^\s]+)*)\s*$")]
    private static partial Regex Call();
}
