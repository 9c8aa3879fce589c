using System.Collections.Immutable;
using System.Linq;

namespace Ferry.Upstreams;

/// <summary><c>least_conn</c>, choosing as NGINX does: the fewest sessions for its weight; among equals the smooth weighted round robin.</summary>
internal sealed class LeastConnBalancer(ImmutableArray<UpstreamServer> servers) : IBalancer
{
    private readonly UpstreamServer[] _primaries = [.. servers.Where(s => !s.Config.Backup)];
    private readonly UpstreamServer[] _backups = [.. servers.Where(s => s.Config.Backup)];

    public UpstreamServer? Pick(UpstreamChoice choice) => PickFrom(_primaries, choice) ?? PickFrom(_backups, choice);

    private static UpstreamServer? PickFrom(UpstreamServer[] servers, UpstreamChoice choice)
    {
        UpstreamServer? best = null;
        var from = 0;
        var hasEqual = false;
        for (var i = 0; i < servers.Length; i++)
        {
            if (!choice.MayTry(servers[i]))
                continue;
            var order = best is null ? -1 : Compare(servers[i], best);
            if (order < 0)
                (best, from) = (servers[i], i);
            hasEqual = order == 0 || (order > 0 && hasEqual);
        }
        return hasEqual ? TakeTurns(servers.AsSpan(from), best!, choice) : best;
    }

    private static UpstreamServer TakeTurns(ReadOnlySpan<UpstreamServer> servers, UpstreamServer first, UpstreamChoice choice)
    {
        var best = first;
        var total = 0L;
        foreach (var server in servers)
        {
            if (Compare(server, first) != 0 || !choice.MayTry(server))
                continue;
            var weight = server.TakeEffectiveWeight();
            server.Turn += weight;
            total += weight;
            if (server.Turn > best.Turn)
                best = server;
        }
        best.Turn -= total;
        return best;
    }

    private static int Compare(UpstreamServer a, UpstreamServer b) => (a.Sessions * b.RisenWeight).CompareTo(b.Sessions * a.RisenWeight);
}
