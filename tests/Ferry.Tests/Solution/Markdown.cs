using System.Linq;
using System.Text;
using System.Text.RegularExpressions;

namespace Ferry.Tests.Solution;

/// <summary>A Markdown page, seen as far as the documentation tests need it: links, anchors and code.</summary>
internal sealed partial class Markdown
{
    private readonly StringBuilder _prose = new();
    private readonly List<(string Language, string Text)> _blocks = [];

    private Markdown(string text)
    {
        var fence = "";
        var block = new StringBuilder();
        foreach (var line in text.Split('\n'))
        {
            var mark = Fence().Match(line);
            if (fence.Length > 0)
            {
                if (line.Trim() == fence[..3])
                {
                    _blocks.Add((fence[3..].Trim(), block.ToString()));
                    block.Clear();
                    fence = "";
                }
                else
                    block.Append(line).Append('\n');
            }
            else if (mark.Success)
                fence = line.Trim();
            else if (line.StartsWith("    ", StringComparison.Ordinal))
                _blocks.Add(("", line.Trim() + "\n"));
            else
                _prose.Append(line).Append('\n');
        }
    }

    /// <summary>Code blocks: fenced ones with the language they name; of indented ones each line.</summary>
    public IReadOnlyList<(string Language, string Text)> Blocks => _blocks;

    /// <summary>What stands in backquotes within the text.</summary>
    public IEnumerable<string> Spans => Span().Matches(_prose.ToString()).Select(span => span.Groups[1].Value);

    /// <summary>The targets of all links, pictures and link definitions.</summary>
    public IEnumerable<string> Links
    {
        get
        {
            var text = Span().Replace(_prose.ToString(), "code");
            return Link().Matches(text).Concat(Definition().Matches(text)).Select(link => link.Groups[1].Value);
        }
    }

    /// <summary>The anchors that headings make, by the rule of GitHub: lower case, punctuation dropped, blanks to hyphens, repetitions numbered.</summary>
    public IReadOnlySet<string> Anchors
    {
        get
        {
            var anchors = new HashSet<string>(StringComparer.Ordinal);
            foreach (var heading in Heading().Matches(_prose.ToString()).Select(match => match.Groups[1].Value))
            {
                var name = string.Concat(heading.Trim().ToLowerInvariant().Where(letter => char.IsLetterOrDigit(letter) || letter is ' ' or '-' or '_'))
                    .Replace(' ', '-');
                var unique = name;
                for (var count = 1; !anchors.Add(unique); count++)
                    unique = $"{name}-{count}";
            }
            anchors.UnionWith(Target().Matches(_prose.ToString()).Select(match => match.Groups[1].Value));
            return anchors;
        }
    }

    public static Markdown Read(string path) => Parse(Repository.Read(path));

    public static Markdown Parse(string text) => new(text);

    [GeneratedRegex(@"^\s*(?:```|~~~)")]
    private static partial Regex Fence();

    [GeneratedRegex(@"`([^`\n]+)`")]
    private static partial Regex Span();

    [GeneratedRegex(@"\]\(\s*([^)\s]+)[^)]*\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^\[[^\]]+\]:\s*(\S+)", RegexOptions.Multiline)]
    private static partial Regex Definition();

    [GeneratedRegex(@"^#{1,6}\s+(.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex("<a (?:id|name)=\"([^\"]+)\"")]
    private static partial Regex Target();
}
