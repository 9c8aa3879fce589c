using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Linq;

namespace Ferry.Config;

/// <summary>Every directive that Ferry knows: the grammar, the source of the manual, and what the tests hold both to.</summary>
internal static partial class DirectiveTable
{
    private const ConfigContexts InMain = ConfigContexts.Main;
    private const ConfigContexts InEvents = ConfigContexts.Events;
    private const ConfigContexts InStream = ConfigContexts.Stream;
    private const ConfigContexts InServer = ConfigContexts.Server;
    private const ConfigContexts InUpstream = ConfigContexts.Upstream;
    private const ConfigContexts InMatch = ConfigContexts.Match;
    private const ConfigContexts InBoth = InStream | InServer;
    private const ConfigContexts Anywhere = InMain | InEvents | InStream | InServer | InUpstream | InMatch;

    /// <summary>All rows. A name has two rows where it means two things, such as <c>server</c>.</summary>
    public static ImmutableArray<Directive> All { get; } = [.. Supported(), .. RoutingRows(), .. NoMeaning(), .. NotYet(), .. NotYetTls()];

    private static readonly FrozenDictionary<string, Directive[]> ByName =
        All.GroupBy(d => d.Name, StringComparer.Ordinal).ToFrozenDictionary(g => g.Key, g => g.ToArray(), StringComparer.Ordinal);

    /// <summary>The row of a name within a context.</summary>
    public static Directive? Find(string name, ConfigContexts context) =>
        ByName.TryGetValue(name, out var rows) ? Array.Find(rows, d => (d.Contexts & context) != 0) : null;

    /// <summary>The row of a name within a context, of two the one that has a block or has none.</summary>
    public static Directive? Find(string name, ConfigContexts context, bool hasBlock) =>
        ByName.TryGetValue(name, out var rows)
            ? Array.Find(rows, d => (d.Contexts & context) != 0 && d.IsBlock == hasBlock) ?? (HasOther(rows, hasBlock) ? null : Find(name, context))
            : null;

    /// <summary>The block of a name, in this context or else in any.</summary>
    public static Directive? FindBlock(string name, ConfigContexts context) =>
        Find(name, context, hasBlock: true) is { IsBlock: true } here ? here : Elsewhere(name, hasBlock: true) is { IsBlock: true } other ? other : null;

    /// <summary>The row of a name in whatever context, rather one that has a block or none as asked.</summary>
    public static Directive? Elsewhere(string name, bool hasBlock) =>
        ByName.TryGetValue(name, out var rows) ? Array.Find(rows, d => d.IsBlock == hasBlock) ?? rows[0] : null;

    /// <summary>What an unknown name was probably meant to be: something of this context, or else of another; null for a known name.</summary>
    public static Directive? Meant(string name, ConfigContexts context)
    {
        if (ByName.ContainsKey(name))
            return null;
        var meant = Spelling.Closest(name, All.Where(d => (d.Contexts & context) != 0).Select(d => d.Name))
            ?? Spelling.Closest(name, ByName.Keys.Order(StringComparer.Ordinal));
        return meant is null ? null : Find(meant, context) ?? ByName[meant][0];
    }

    private static bool HasOther(Directive[] rows, bool hasBlock) => Array.Exists(rows, d => d.IsBlock == hasBlock);
}
