using System.Collections.Immutable;
using System.Linq;

namespace Ferry.Upstreams;

/// <summary>
/// The same choices as <see cref="RoundRobinBalancer"/>, without a look at each of many servers. The turns of servers of one weight grow by the same
/// number with every pick, so that their order stays: they share a <see cref="TurnLane"/>, and only the first of each lane is looked at. As soon as
/// it has changed what can be had, and for a session that has tried a server already, each server is looked at once, and the lanes are made anew.
/// </summary>
/// <param name="servers">The servers.</param>
/// <param name="changes">Shared by all generations.</param>
internal sealed class SmoothBalancer(ImmutableArray<UpstreamServer> servers, ChangeLog changes) : IBalancer
{
    private readonly UpstreamServer[] _primaries = [.. servers.Where(s => !s.Config.Backup)];
    private readonly UpstreamServer[] _backups = [.. servers.Where(s => s.Config.Backup)];
    private readonly List<UpstreamServer> _absent = [];
    private readonly Dictionary<long, TurnLane> _laneOf = [];

    /// <summary>Those that have a server.</summary>
    private readonly List<TurnLane> _lanes = [];
    private bool _hasLanes;
    private long _seen;
    private long _total;

    public UpstreamServer? Pick(UpstreamChoice choice)
    {
        if (_hasLanes && PickFromLanes(choice) is { } first)
            return first;
        LeaveLanes();
        var server = RoundRobinBalancer.PickFrom(_primaries, choice);
        MakeLanes(choice.Now);
        return server ?? RoundRobinBalancer.PickFrom(_backups, choice);
    }

    private UpstreamServer? PickFromLanes(UpstreamChoice choice)
    {
        if (choice.HasTried || changes.Standing != _seen)
            return null;
        foreach (var server in _absent)
        {
            if (server.IsEligible(choice.Now))
                return null;
        }
        TurnLane? best = null;
        foreach (var lane in _lanes)
        {
            if (best is null || lane.IsBefore(best))
                best = lane;
        }
        if (best is null || !choice.MayTry(best.First))
            return null;
        foreach (var lane in _lanes)
            lane.Grow();
        return best.Take(_total);
    }

    private void MakeLanes(long now)
    {
        foreach (var server in _primaries)
        {
            if (server.SteadyWeight is null && server.IsEligible(now))
                return;
        }
        _seen = changes.Standing;
        foreach (var server in _primaries)
        {
            if (server.SteadyWeight is not { } weight || !server.IsEligible(now))
            {
                _absent.Add(server);
                continue;
            }
            if (!_laneOf.TryGetValue(weight, out var lane))
                _laneOf.Add(weight, lane = new TurnLane(weight));
            if (lane.IsEmpty)
                _lanes.Add(lane);
            lane.Add(server);
            _total += weight;
        }
        foreach (var lane in _lanes)
            lane.Order();
        _hasLanes = _lanes.Count > 0;
    }

    private void LeaveLanes()
    {
        foreach (var lane in _lanes)
            lane.GiveBack();
        _lanes.Clear();
        _absent.Clear();
        _hasLanes = false;
        _total = 0;
    }
}
