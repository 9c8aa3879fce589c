using System.Collections.Immutable;
using System.Net;

namespace Ferry.Config;

/// <summary>Whom names with <c>resolve</c> are asked of while Ferry runs.</summary>
public sealed record ResolverConfig
{
    /// <summary>The name servers (<c>resolver</c>); empty: those of the system, and its hosts file first.</summary>
    public ImmutableArray<IPEndPoint> Servers { get; init; } = [];

    /// <summary>How long an answer is used (<c>valid=</c>); null: as long as it says itself.</summary>
    public TimeSpan? Valid { get; init; }

    /// <summary>Whether IPv4 addresses are looked for (<c>ipv4=</c>). Default yes, as nginx.</summary>
    public bool IPv4 { get; init; } = true;

    /// <summary>Whether IPv6 addresses are looked for (<c>ipv6=</c>). Default yes, as nginx.</summary>
    public bool IPv6 { get; init; } = true;

    /// <summary>The bound of one resolution, all questions together (<c>resolver_timeout</c>). Default 30 s, as nginx.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);
}
