using System.Linq;

namespace Ferry.Config;

/// <summary>Conversations of checks.</summary>
internal sealed partial class ConfigBinder
{
    private const int MostMatches = 1000;

    private MatchDraft? _match;

    public void SetMatch(ConfigNode node)
    {
        var name = node.Arguments is [var word] ? word : node.Name;
        if (node.Arguments.Count == 1 && Main.Matches.TryGetValue(name.Text, out var first))
            findings.Error(name, $"match {ConfigFindings.Show(name.Text)} is duplicate; the first is at {first.Node.Position}");
        else if (Main.Matches.Count == MostMatches)
            findings.Error(name, $"more than {MostMatches} \"match\" blocks");
        var outer = _match;
        _match = new MatchDraft(node, new HealthMatchConfig(name.Text) { Position = node.Position });
        BindBlock(node.Block!, ConfigContexts.Match);
        if (node.Block!.Count == 0)
            findings.Error(node.Name, $"match {ConfigFindings.Show(name.Text)} says nothing: write what is to be expected, as in: expect ~ \"^220\";");
        else if (!node.Block.Exists(static n => n.Name.Text == "expect"))
            findings.Warning(node.Name, $"match {ConfigFindings.Show(name.Text)} expects nothing: a check passes as soon as its text is sent, as in nginx");
        Main.Matches.TryAdd(name.Text, _match);
        _match = outer;
    }

    public void SetMatchSend(ConfigNode node)
    {
        if (_match is not null && MatchBytes(node, node.Arguments[0]))
            _match.Config = _match.Config with { Send = node.Arguments[0].Text };
    }

    public void SetMatchExpect(ConfigNode node)
    {
        if (_match is null)
            return;
        switch (node.Arguments)
        {
            case [var text] when !text.IsQuoted && text.Text is ['~', ..]:
                findings.Error(text, "a space belongs behind \"~\" and \"~*\", as in: expect ~ \"^220\";");
                break;
            case [var text]:
                if (MatchBytes(node, text))
                    _match.Config = _match.Config with { Expect = text.Text };
                break;
            case [{ Text: "~" or "~*" } how, var pattern]:
                var ignoresCase = how.Text == "~*";
                if (pattern.Text.Length is 0 or > HealthDraft.LongestText)
                    findings.Error(pattern, $"\"{node.Name.Text}\" needs a regular expression of 1 to {HealthDraft.LongestText} characters");
                else if (MapRegex.TryCreate(MatchText.OverBytes(pattern.Text), ignoresCase, out var fault) is null)
                    findings.Error(pattern, $"this regular expression cannot be used: {fault}");
                else
                    _match.Config = _match.Config with { Expect = pattern.Text, Kind = ignoresCase ? HealthExpectation.RegexIgnoreCase : HealthExpectation.Regex };
                break;
            case [var other, _]:
                findings.Error(other, $"\"{node.Name.Text}\" needs a text, or a regular expression behind \"~\" or \"~*\"");
                break;
        }
    }

    private bool MatchBytes(ConfigNode node, ConfigToken word)
    {
        if (word.Text.Length is 0 or > HealthDraft.LongestText)
            findings.Error(word, $"\"{node.Name.Text}\" needs a text of 1 to {HealthDraft.LongestText} characters");
        else if (MatchText.Decode(word.Text) is null)
            findings.Error(word, "\"\\x\" stands before two hexadecimal digits, as in \\x0d");
        else
            return true;
        return false;
    }

    /// <summary>What <c>match=</c> needs of what stands beside it.</summary>
    private void CheckMatch(Dictionary<string, ConfigToken> seen)
    {
        if (!seen.TryGetValue("match", out var match))
            return;
        foreach (var key in new[] { "type", "user", "password_file", "path", "expect" })
        {
            if (seen.TryGetValue(key, out var argument))
                findings.Error(argument, $"\"{key}=\" has no effect with {ConfigFindings.Show(match.Text)}, which says itself what is sent and expected");
        }
        if (seen.TryGetValue("tls", out var tls) && tls.Text == "tls=explicit")
            findings.Error(tls, "a \"match\" speaks no AUTH: with it TLS is off or implicit");
    }

    /// <summary>Gives a check the block that it names.</summary>
    private HealthDraft? WithMatch(HealthDraft? draft)
    {
        if (draft?.Check is not { } check || MatchName(draft) is not { } word)
            return draft;
        return Main.Matches.TryGetValue(word.Text, out var match) ? draft with { Check = check with { Match = match.Config } } : draft;
    }

    private static ConfigToken? MatchName(HealthDraft draft)
    {
        const string Key = "match=";
        return draft.Seen.TryGetValue("match", out var word) && word.Text.StartsWith(Key, StringComparison.Ordinal) ? word.Part(Key.Length) : null;
    }

    /// <summary>Reports names that no block has, and blocks that nobody names.</summary>
    private void CheckMatches()
    {
        HashSet<string> used = new(StringComparer.Ordinal);
        foreach (var draft in Main.Upstreams.Select(static u => u.HealthCheck).Concat(Main.Servers.Select(static s => s.HealthCheck)))
        {
            if (draft is null || MatchName(draft) is not { } name)
                continue;
            used.Add(name.Text);
            if (!Main.Matches.ContainsKey(name.Text))
                findings.Error(name, $"there is no \"match\" block {ConfigFindings.Show(name.Text)}{Spelling.DidYouMean(name.Text, Main.Matches.Keys)}");
        }
        foreach (var (name, match) in Main.Matches)
        {
            if (!used.Contains(name))
                findings.Warning(match.Node.Name, $"match {ConfigFindings.Show(name)} is used by no \"health_check\"");
        }
    }
}

/// <summary>A <c>match</c> block.</summary>
internal sealed class MatchDraft(ConfigNode node, HealthMatchConfig config)
{
    public ConfigNode Node { get; } = node;
    public HealthMatchConfig Config { get; set; } = config;
}
