using System.Collections.Immutable;
using System.Linq;
using System.Text.RegularExpressions;
using Ferry.Config;

namespace Ferry.Sessions;

/// <summary>A <c>map</c>, in the order of precedence of NGINX's <c>ngx_stream_map_find</c>. A look-up takes as long as the text is, not as the map is.</summary>
internal sealed class MapVariable : IVariable
{
    private readonly TextTemplate _source;
    private readonly TextTemplate _default;
    private readonly bool _hostNames;
    private readonly Dictionary<string, TextTemplate> _exact;
    private readonly Dictionary<string, TextTemplate>.AlternateLookup<ReadOnlySpan<char>> _suffixes;
    private readonly Dictionary<string, TextTemplate>.AlternateLookup<ReadOnlySpan<char>> _prefixes;
    private readonly ImmutableArray<(Regex Regex, TextTemplate Value, bool HasCaptures)> _regexes;

    /// <exception cref="ArgumentException">A regular expression cannot be used, which a configuration that was read does not have.</exception>
    public MapVariable(MapConfig config)
    {
        _source = config.Source;
        _default = config.Default;
        _hostNames = config.HostNames;
        _exact = KeysOf(config, MapKeyKind.Exact, static key => key);
        _suffixes = KeysOf(config, MapKeyKind.Suffix, static key => key[1..]).GetAlternateLookup<ReadOnlySpan<char>>(); // ".example.com"
        _prefixes = KeysOf(config, MapKeyKind.Prefix, static key => key[..^1]).GetAlternateLookup<ReadOnlySpan<char>>(); // "ftp.example."
        _regexes = [.. config.Entries.Where(e => e.Kind is MapKeyKind.Regex or MapKeyKind.RegexIgnoreCase).Select(Make)];
    }

    public string ValueIn(VariableScope scope)
    {
        var text = scope.Expand(_source);
        if (_hostNames && text.EndsWith('.'))
            text = text[..^1];
        if (_exact.TryGetValue(text, out var value) || (_hostNames && TryWildcards(text, out value)))
            return scope.Expand(value!);
        if (text.Length > 0)
        {
            foreach (var (regex, template, hasCaptures) in _regexes)
            {
                if (!hasCaptures && regex.IsMatch(text))
                    return scope.Expand(template);
                if (hasCaptures && regex.Match(text) is { Success: true } match)
                    return scope.Expand(template, name => Capture(match, name));
            }
        }
        return scope.Expand(_default);
    }

    private static string? Capture(Match match, string name) => name is [>= '1' and <= '9' and var digit]
        ? digit - '0' < match.Groups.Count ? match.Groups[digit - '0'].Value : null
        : match.Groups.TryGetValue(name, out var group) ? group.Value : null;

    private bool TryWildcards(ReadOnlySpan<char> text, out TextTemplate? value)
    {
        for (var dot = IndexOfDot(text, 1); _suffixes.Dictionary.Count > 0 && dot >= 0; dot = IndexOfDot(text, dot + 1))
        {
            if (_suffixes.TryGetValue(text[dot..], out value))
                return true;
        }
        for (var dot = text.LastIndexOf('.'); _prefixes.Dictionary.Count > 0 && dot > 0; dot = text[..dot].LastIndexOf('.'))
        {
            if (_prefixes.TryGetValue(text[..(dot + 1)], out value))
                return true;
        }
        value = null;
        return false;
    }

    private static int IndexOfDot(ReadOnlySpan<char> text, int from)
    {
        var dot = from < text.Length ? text[from..].IndexOf('.') : -1;
        return dot < 0 ? -1 : dot + from;
    }

    private static Dictionary<string, TextTemplate> KeysOf(MapConfig config, MapKeyKind kind, Func<string, string> cut)
    {
        Dictionary<string, TextTemplate> keys = new(StringComparer.OrdinalIgnoreCase);
        foreach (var entry in config.Entries)
        {
            if (entry.Kind == kind)
                keys.TryAdd(cut(entry.Key), entry.Value);
        }
        return keys;
    }

    private static (Regex, TextTemplate, bool) Make(MapEntryConfig entry)
    {
        var regex = MapRegex.TryCreate(entry.Key, entry.Kind == MapKeyKind.RegexIgnoreCase, out var fault)
            ?? throw new ArgumentException($"the regular expression {entry.Key} of a map cannot be used: {fault}");
        var captures = MapRegex.Captures(regex);
        return (regex, entry.Value, entry.Value.Parts.Any(p => p.IsVariable && captures.Contains(p.Text)));
    }
}
