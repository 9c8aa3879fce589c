using System.Collections.Immutable;
using System.Linq;

namespace Ferry.Upstreams;

/// <summary>
/// NGINX's smooth weighted round robin: with every pick each server's turn grows by its effective weight, the one with the highest turn is
/// chosen, and its turn falls by the sum of all. Backup servers only when no other can be had.
/// </summary>
internal sealed class RoundRobinBalancer(ImmutableArray<UpstreamServer> servers) : IBalancer
{
    private readonly UpstreamServer[] _primaries = [.. servers.Where(s => !s.Config.Backup)];
    private readonly UpstreamServer[] _backups = [.. servers.Where(s => s.Config.Backup)];

    public UpstreamServer? Pick(UpstreamChoice choice) => PickFrom(_primaries, choice) ?? PickFrom(_backups, choice);

    /// <summary>The round robin among <paramref name="servers"/> only.</summary>
    public static UpstreamServer? PickFrom(UpstreamServer[] servers, UpstreamChoice choice)
    {
        UpstreamServer? best = null;
        var total = 0L;
        foreach (var server in servers)
        {
            if (!choice.MayTry(server))
                continue;
            var weight = server.TakeEffectiveWeight();
            server.Turn += weight;
            total += weight;
            if (best is null || server.Turn > best.Turn)
                best = server;
        }
        best?.Turn -= total;
        return best;
    }
}
