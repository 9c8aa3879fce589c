namespace Ferry.Config;

/// <summary>The keys of a <c>map</c>.</summary>
internal static class MapKeys
{
    /// <summary>Two keys are one without regard to case, save regular expressions.</summary>
    public static IEqualityComparer<(MapKeyKind Kind, string Text)> Comparer { get; } = EqualityComparer<(MapKeyKind Kind, string Text)>.Create(
        static (a, b) => a.Kind == b.Kind && string.Equals(a.Text, b.Text, HowOf(a.Kind)),
        static key => HashCode.Combine(key.Kind, key.Text.GetHashCode(HowOf(key.Kind))));

    /// <summary>How a name is matched among <c>hostnames</c>; null where its wildcard is in the wrong place.</summary>
    public static MapKeyKind? HostNameKind(string name)
    {
        var (head, tail) = (name.StartsWith("*.", StringComparison.Ordinal) || name is ['.', _, ..], name.EndsWith(".*", StringComparison.Ordinal));
        var bare = name.AsSpan(name.StartsWith('*') ? 2 : head ? 1 : 0);
        bare = tail ? bare[..Math.Max(0, bare.Length - 2)] : bare;
        if ((head && tail) || bare.Contains('*') || (bare.IsEmpty && name.Length > 0) || bare.StartsWith("."))
            return name.Contains('*') || name.StartsWith('.') ? null : MapKeyKind.Exact;
        return head ? MapKeyKind.Suffix : tail ? MapKeyKind.Prefix : MapKeyKind.Exact;
    }

    /// <summary>The entries of a line: <c>.example.com</c> stands for two keys.</summary>
    public static IEnumerable<MapEntryConfig> Entries(MapKeyKind kind, string key, TextTemplate value)
    {
        if (kind == MapKeyKind.Suffix && key.StartsWith('.'))
        {
            yield return new MapEntryConfig(MapKeyKind.Exact, key[1..], value);
            key = "*" + key;
        }
        yield return new MapEntryConfig(kind, key, value);
    }

    /// <summary>A key as a file has it, before it is quoted.</summary>
    public static string Written(MapEntryConfig entry) => entry.Kind switch
    {
        MapKeyKind.Regex => "~" + entry.Key,
        MapKeyKind.RegexIgnoreCase => "~*" + entry.Key,
        MapKeyKind.Exact when entry.Key is "default" or "hostnames" or "volatile" or "include" or ['~' or '\\', ..] => "\\" + entry.Key,
        MapKeyKind.Exact when HostNameKind(entry.Key) != MapKeyKind.Exact => "\\" + entry.Key,
        _ => entry.Key,
    };

    private static StringComparison HowOf(MapKeyKind kind) =>
        kind is MapKeyKind.Regex or MapKeyKind.RegexIgnoreCase ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;
}
