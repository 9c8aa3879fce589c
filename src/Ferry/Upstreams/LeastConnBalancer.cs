using System.Collections.Immutable;
using System.Linq;

namespace Ferry.Upstreams;

/// <summary>
/// <c>least_conn</c>, choosing as NGINX does: the fewest sessions for its weight; among equals the smooth weighted round robin. Equals among many servers
/// have the same shares in another order.
/// </summary>
internal sealed class LeastConnBalancer : IBalancer
{
    private readonly UpstreamServer[] _primaries;
    private readonly UpstreamServer[] _backups;
    private readonly ChangeLog _changes;

    /// <summary>Where there are many servers.</summary>
    private readonly LoadTree? _tree;
    private long _seen = -1;
    private bool _isRising;

    /// <param name="servers">The servers.</param>
    /// <param name="changes">Shared by all generations.</param>
    public LeastConnBalancer(ImmutableArray<UpstreamServer> servers, ChangeLog changes)
    {
        _primaries = [.. servers.Where(s => !s.Config.Backup)];
        _backups = [.. servers.Where(s => s.Config.Backup)];
        _changes = changes;
        if (_primaries.Length > Balancing.Few)
            _tree = new LoadTree(_primaries, ServerLoad.WeightedSessions, changes, takesTurns: true);
    }

    public UpstreamServer? Pick(UpstreamChoice choice) =>
        (_tree is null || IsRising() ? PickFrom(_primaries, choice) : _tree.Pick(choice)) ?? PickFrom(_backups, choice);

    /// <summary>Whether weights grow with time, which no order outlasts.</summary>
    private bool IsRising()
    {
        if (_seen == _changes.Standing && !_isRising)
            return false;
        _seen = _changes.Standing;
        return _isRising = _primaries.Any(static s => s.IsRising);
    }

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
