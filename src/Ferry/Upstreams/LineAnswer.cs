using System.Collections.Immutable;
using System.Linq;
using System.Net.Sockets;
using Ferry.Config;

namespace Ferry.Upstreams;

/// <summary>Finds the addresses that a <c>server</c> line with <c>resolve</c> stands for.</summary>
internal delegate Task<LineAnswer> FindPlaces(UpstreamServerConfig line, CancellationToken ct);

/// <summary>What a <c>server</c> line with <c>resolve</c> stands for.</summary>
/// <param name="Places">Its addresses.</param>
/// <param name="Lifetime">How long this may be used.</param>
/// <param name="Failure">Why nothing could be learnt; null where this is an answer, be it that there is nothing.</param>
internal sealed record LineAnswer(ImmutableArray<ServerPlace> Places, TimeSpan Lifetime, string? Failure)
{
    /// <summary>Hosts and the families of their addresses that could not be asked for; what was known of them stays. No family: neither could.</summary>
    public ImmutableArray<(string Host, AddressFamily? Family)> Unanswered { get; init; } = [];

    /// <summary>The places from now on: those from before that stay, in their order, then the new ones.</summary>
    public ImmutableArray<ServerPlace> After(ImmutableArray<ServerPlace> before)
    {
        var kept = before.Where(b => Unanswered.Any(u => u.Host == b.Config.Host && (u.Family ?? b.EndPoint.AddressFamily) == b.EndPoint.AddressFamily));
        var now = Places.Concat(kept.Where(k => !Places.Any(p => IsSame(p, k)))).ToList();
        var order = before.Select(b => now.FindIndex(n => IsSame(n, b))).Where(i => i >= 0).ToList();
        return [.. order.Select(i => now[i]), .. now.Where((_, i) => !order.Contains(i))];
    }

    /// <summary>Whether two lists stand for the same servers, in whatever order a name server had them.</summary>
    public static bool AreSame(ImmutableArray<ServerPlace> a, ImmutableArray<ServerPlace> b) =>
        a.Length == b.Length && a.Zip(b).All(p => IsSame(p.First, p.Second) && (p.First.Config.Weight, p.First.Config.Backup) == (p.Second.Config.Weight, p.Second.Config.Backup));

    private static bool IsSame(ServerPlace a, ServerPlace b) => a.Config.Host == b.Config.Host && a.EndPoint.Equals(b.EndPoint);
}
