using System.Collections.Immutable;
using System.Net;

namespace Ferry.Config;

/// <summary>A variable that the configuration defines itself.</summary>
/// <param name="Name">Without the dollar sign.</param>
public abstract record VariableConfig(string Name)
{
    /// <summary>Copies a variable, for <c>with</c>.</summary>
    /// <param name="original">The other one.</param>
    protected VariableConfig(VariableConfig original) => (Name, Position) = (original.Name, original.Position);

    /// <summary>Where the block begins, for messages.</summary>
    public ConfigPosition Position { get; init; } = new("(code)", 0, 0);
}

/// <summary>A <c>map</c> block: a text leads to a value.</summary>
/// <param name="Name">Without the dollar sign.</param>
/// <param name="Source">The text that is looked up.</param>
/// <param name="Entries">The lines; those with regular expressions in the order in which they are tried.</param>
public sealed record MapConfig(string Name, TextTemplate Source, ImmutableArray<MapEntryConfig> Entries) : VariableConfig(Name)
{
    /// <summary>The value where no line matches. Default empty, as nginx.</summary>
    public TextTemplate Default { get; init; } = new("", []);

    /// <summary>Names with wildcards are taken as such (<c>hostnames</c>).</summary>
    public bool HostNames { get; init; }
}

/// <summary>A line of a <c>map</c>.</summary>
/// <param name="Kind">How its key is matched.</param>
/// <param name="Key">The text, the name with its wildcard, or the regular expression without its <c>~</c>.</param>
/// <param name="Value">The value, in which a regular expression's captures stand as variables.</param>
public sealed record MapEntryConfig(MapKeyKind Kind, string Key, TextTemplate Value);

/// <summary>How a key of a <c>map</c> is matched, in the order of precedence.</summary>
public enum MapKeyKind
{
    /// <summary>The whole text, in upper or lower case.</summary>
    Exact,

    /// <summary><c>*.example.com</c>: whatever ends so; the longest wins.</summary>
    Suffix,

    /// <summary><c>ftp.example.*</c>: whatever begins so; the longest wins.</summary>
    Prefix,

    /// <summary><c>~</c>: a regular expression; the first that matches wins.</summary>
    Regex,

    /// <summary><c>~*</c>: a regular expression without regard to case.</summary>
    RegexIgnoreCase,
}

/// <summary>A <c>split_clients</c> block: the hash of a text leads to a share.</summary>
/// <param name="Name">Without the dollar sign.</param>
/// <param name="Source">The text that is hashed.</param>
/// <param name="Shares">The shares in their order.</param>
public sealed record SplitClientsConfig(string Name, TextTemplate Source, ImmutableArray<ShareConfig> Shares) : VariableConfig(Name);

/// <summary>A share of a <c>split_clients</c> block.</summary>
/// <param name="Percent">More than 0 and at most 100, with two places; null: all the rest (<c>*</c>).</param>
/// <param name="Value">The value.</param>
public sealed record ShareConfig(decimal? Percent, string Value);

/// <summary>A <c>geo</c> block: an address leads to the value of the narrowest network that holds it.</summary>
/// <param name="Name">Without the dollar sign.</param>
/// <param name="Address">The variable that the address is read from, without its dollar sign.</param>
/// <param name="Networks">The networks, each once.</param>
public sealed record GeoConfig(string Name, string Address, ImmutableArray<GeoNetworkConfig> Networks) : VariableConfig(Name)
{
    /// <summary>The value where no network holds the address, or it is none. Default empty, as nginx.</summary>
    public string Default { get; init; } = "";
}

/// <summary>A line of a <c>geo</c> block.</summary>
/// <param name="Network">The network.</param>
/// <param name="Value">The value.</param>
public sealed record GeoNetworkConfig(IPNetwork Network, string Value);

/// <summary>A <c>proxy_pass</c> that leads to several places.</summary>
/// <param name="Target">The text whose value names one of <paramref name="Upstreams"/>; empty: none of them.</param>
/// <param name="Upstreams">All places that it may name, by <see cref="UpstreamConfig.Name"/>; at least one.</param>
public sealed record RouteConfig(TextTemplate Target, ImmutableArray<UpstreamConfig> Upstreams)
{
    /// <summary>The choice needs what the client says with USER or HOST: Ferry greets by itself, and chooses when USER comes.</summary>
    public bool AtUser { get; init; }

    /// <summary>The name that the server is given with USER (<c>ftp_user</c>); null: the client's own.</summary>
    public TextTemplate? User { get; init; }

    /// <summary>The service that is asked first, and decides before <see cref="Target"/> (<c>ftp_route</c>); null: none.</summary>
    public RouteLookupConfig? Lookup { get; init; }
}
