using System.Collections.Immutable;
using System.Linq;

namespace Ferry.Config;

/// <summary><c>map</c>, and what it has in common with <c>split_clients</c> and <c>geo</c>.</summary>
internal sealed partial class ConfigBinder
{
    private const int MostVariables = 1000;

    /// <summary>Each name that none of the lines before knows is held against all of them.</summary>
    private const int MostRegexes = 1000;

    private static readonly string[] VariableBlocks = ["map", "split_clients", "geo"];

    /// <summary>Notes which variables there are, for they may be used above their definition.</summary>
    private void DeclareVariables(List<ConfigNode> nodes)
    {
        foreach (var node in nodes.Where(n => n is { Name.Text: "stream", Block: not null }).SelectMany(n => n.Block!))
        {
            if (node.Block is null || !VariableBlocks.Contains(node.Name.Text) || node.Arguments is not [.., { Text: ['$', _, ..] } word]
                || (node.Name.Text != "geo" && node.Arguments.Count != 2))
                continue;
            if (!Main.Variables.TryAdd(word.Text[1..], new VariableDraft(node, word)))
                findings.Error(word, $"variable {ConfigFindings.Show(word.Text)} is defined twice; the first is at {Main.Variables[word.Text[1..]].Word.Position}");
            else if (ConfigVariables.IsBuiltIn(word.Text[1..]))
                findings.Error(word, $"{ConfigFindings.Show(word.Text)} is a variable of Ferry's own: choose another name");
            else if (word.Text.AsSpan(1).ContainsAnyExcept(NameCharacters) || char.IsAsciiDigit(word.Text[1]))
                findings.Error(word, $"{ConfigFindings.Show(word.Text)} is no name of a variable: letters, digits and underscores, not beginning with a digit");
        }
        if (Main.Variables.Count > MostVariables)
            findings.Error(Main.Variables.Values.Last().Word, $"more than {MostVariables} variables are defined");
    }

    private static readonly System.Buffers.SearchValues<char> NameCharacters =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    /// <summary>The draft of a block; null where its head is wrong, which is reported, or where it is a second one of its name.</summary>
    private VariableDraft? DraftOf(ConfigNode node)
    {
        if (node.Arguments is not [.., var word] || word.Text is not ['$', _, ..])
        {
            if (node.Arguments.Count > 0)
                findings.Error(node.Arguments[^1], $"\"{node.Name.Text}\" needs the name of a variable behind its text, such as $pool, not {ConfigFindings.Show(node.Arguments[^1].Text)}");
            return null;
        }
        return Main.Variables.TryGetValue(word.Text[1..], out var draft) && draft.Node == node ? draft : null;
    }

    private IReadOnlyCollection<string> OwnNames => Main.Variables.Keys;

    private TextTemplate? Source(ConfigNode node) => ConfigVariables.ParseRoute(node.Arguments[0].Text, node.Arguments[0], OwnNames, [], findings);

    /// <summary>The lines of a block; those that are none are reported.</summary>
    private IEnumerable<(ConfigToken Key, ConfigToken Value)> Lines(ConfigNode node)
    {
        foreach (var line in node.Block!)
        {
            if (findings.IsFull)
                yield break;
            if (line.Block is not null)
                findings.Error(line.Name, $"there are no blocks within \"{node.Name.Text}\"");
            else if (line.Arguments is [var value])
                yield return (line.Name, value);
            else if (node.Name.Text != "map" || line.Arguments.Count > 0 || !IsFlag(line.Name))
                findings.Error(line.Name, $"a line of \"{node.Name.Text}\" has a key, a value and a \";\": {(line.Arguments.Count == 0 ? "the value is missing" : "is a \";\" missing?")}");
        }
    }

    private static bool IsFlag(ConfigToken word) => word.Text is "hostnames" or "volatile";

    public void SetMap(ConfigNode node)
    {
        if (DraftOf(node) is not { } draft)
            return;
        draft.Source = Source(node);
        var hostNames = node.Block!.Exists(l => l is { Name.Text: "hostnames", Arguments.Count: 0 });
        var entries = ImmutableArray.CreateBuilder<MapEntryConfig>(node.Block.Count);
        Dictionary<(MapKeyKind, string), ConfigToken> seen = new(MapKeys.Comparer);
        TextTemplate? otherwise = null;
        var isGood = draft.Source is not null;
        foreach (var (word, value) in Lines(node))
        {
            var key = KeyOf(word, hostNames, out var captures);
            var text = key is null ? null : ConfigVariables.ParseRoute(value.Text, value, OwnNames, captures, findings);
            isGood &= text is not null;
            if (key is not (var kind, var name))
                continue;
            var place = name is null ? (MapKeyKind.Exact, "\0default") : (kind, name);
            if (!seen.TryAdd(place, word))
                findings.Error(word, $"{ConfigFindings.Show(word.Text)} is there twice; the first is at {seen[place].Position}");
            else if (text is null)
                continue;
            else if (name is null)
                otherwise = text;
            else
                entries.AddRange(MapKeys.Entries(kind, name, text));
            if (text is not null)
                draft.Values.Add(new VariableValue(value, text, [.. captures]));
        }
        if (seen.Keys.Count(k => k.Item1 is MapKeyKind.Regex or MapKeyKind.RegexIgnoreCase) > MostRegexes)
            findings.Error(draft.Word, $"more than {MostRegexes} regular expressions");
        if (otherwise is null)
            draft.Values.Add(new VariableValue(draft.Word, new TextTemplate("", []), []));
        if (isGood)
            draft.Config = new MapConfig(draft.Name, draft.Source!, entries.ToImmutable()) { Default = otherwise ?? new TextTemplate("", []), HostNames = hostNames, Position = node.Position };
    }

    /// <summary>Reads a key. Its text is null for <c>default</c>.</summary>
    /// <returns>Null where it is wrong.</returns>
    private (MapKeyKind Kind, string? Text)? KeyOf(ConfigToken word, bool hostNames, out ImmutableArray<string> captures)
    {
        captures = [];
        switch (word.Text)
        {
            case "default":
                return (MapKeyKind.Exact, null);
            case ['\\', .. var escaped]:
                return (MapKeyKind.Exact, escaped);
            case ['~', .. var pattern]:
                var ignoresCase = pattern.StartsWith('*');
                pattern = ignoresCase ? pattern[1..] : pattern;
                if (MapRegex.TryCreate(pattern, ignoresCase, out var fault) is not { } regex)
                {
                    findings.Error(word, $"this regular expression cannot be used: {fault}");
                    return null;
                }
                captures = MapRegex.Captures(regex);
                return (ignoresCase ? MapKeyKind.RegexIgnoreCase : MapKeyKind.Regex, pattern);
            case var text when hostNames:
                if (MapKeys.HostNameKind(text) is { } kind)
                    return (kind, text);
                findings.Error(word, $"{ConfigFindings.Show(text)} is no name with a wildcard: that is *.NAME, .NAME or NAME.*");
                return null;
            case var text:
                return (MapKeyKind.Exact, text);
        }
    }

    /// <summary>Checks what only all of the variables together can tell: none may be made from itself.</summary>
    private void CheckVariables()
    {
        Dictionary<string, int> depths = new(StringComparer.Ordinal);
        foreach (var draft in Main.Variables.Values)
            _ = DepthOf(draft, depths, []);
    }

    /// <summary>A session that asks for a variable goes down a chain of them.</summary>
    private const int MostDepth = 16;

    private int DepthOf(VariableDraft draft, Dictionary<string, int> depths, List<string> above)
    {
        if (depths.TryGetValue(draft.Name, out var known))
            return known;
        above.Add(draft.Name);
        var depth = 1;
        foreach (var name in draft.References)
        {
            if (above.Contains(name))
            {
                findings.Error(draft.Word, $"variable \"${name}\" is made from itself: {string.Join(" -> ", above.SkipWhile(a => a != name).Append(name).Select(a => "$" + a))}");
                depths[draft.Name] = 1;
            }
            else if (Main.Variables.TryGetValue(name, out var next))
            {
                depth = Math.Max(depth, above.Count >= MostDepth ? MostDepth + 1 : 1 + DepthOf(next, depths, above));
            }
        }
        above.RemoveAt(above.Count - 1);
        if (depth == MostDepth + 1)
            findings.Error(draft.Word, $"variable \"${draft.Name}\" is at the end of a chain of more than {MostDepth} variables");
        return depths[draft.Name] = depth > MostDepth ? 1 : depth; // one error a chain
    }
}
