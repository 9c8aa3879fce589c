using System.Linq;
using System.Numerics;

namespace Ferry.Upstreams;

/// <summary>
/// The same choices as <see cref="LeastLoadBalancer.PickFrom"/>, without a look at each of many servers: a knock-out tournament whose rounds are
/// played again only for servers whose sessions have changed. Servers that cannot be had are left out, and looked at again with every pick.
/// </summary>
/// <remarks>Where equals are to take turns, each has a tag that grows by the inverse of its weight when it is chosen, and the lowest is next: the shares of a
/// weighted round robin, for one step up the tree (Goyal, Vin and Cheng, "Start-time Fair Queuing", SIGCOMM 1996).</remarks>
internal sealed class LoadTree
{
    private readonly UpstreamServer[] _servers;
    private readonly ServerLoad _load;
    private readonly ChangeLog _changes;
    private readonly Dictionary<ServerTally, int> _places;

    /// <summary>The winner below each node, -1 where nobody takes part: the root at 1, the children of n at 2n and 2n + 1, the servers in the last row.</summary>
    private readonly int[] _winners;
    private readonly bool[] _isOut;
    private readonly int _width;
    private readonly List<int> _absent = [];
    private readonly List<int> _tried = [];

    /// <summary>How much a tag grows for a weight of 1.</summary>
    private const long Stride = 1 << 24;

    /// <summary>The tags; null where the first of equals is taken.</summary>
    private readonly long[]? _tags;

    /// <summary>Where the tags are. One who was left out does not catch up on all that it has missed.</summary>
    private long _reached;

    /// <summary>So old that all is played with the first pick, when the counts stand still.</summary>
    private long _seen = -ChangeLog.Kept - 1;
    private long _weightsSeen;

    public LoadTree(UpstreamServer[] servers, ServerLoad load, ChangeLog changes, bool takesTurns = false)
    {
        _servers = servers;
        _load = load;
        _changes = changes;
        _places = servers.Index().ToDictionary(s => s.Item.Tally, s => s.Index);
        _width = (int)BitOperations.RoundUpToPowerOf2((uint)servers.Length);
        _winners = new int[_width * 2];
        _isOut = new bool[servers.Length];
        _tags = takesTurns ? new long[servers.Length] : null;
    }

    public UpstreamServer? Pick(UpstreamChoice choice)
    {
        CatchUp();
        for (var i = _absent.Count - 1; i >= 0; i--)
        {
            var place = _absent[i];
            if (!_servers[place].IsEligible(choice.Now))
                continue;
            _absent.RemoveAt(i);
            Set(place, isOut: false);
        }
        while (_winners[1] is >= 0 and var winner && !choice.MayTry(_servers[winner]))
        {
            (_servers[winner].IsEligible(choice.Now) ? _tried : _absent).Add(winner);
            Set(winner, isOut: true);
        }
        var best = _winners[1] >= 0 ? _servers[_winners[1]] : null;
        if (best is not null && _tags is not null)
            TakeTurn(_winners[1]);
        foreach (var place in _tried)
            Set(place, isOut: false);
        _tried.Clear();
        return best;
    }

    private void TakeTurn(int place)
    {
        _reached = Math.Max(_reached, _tags![place]);
        _tags[place] = NextTag(place);
        Play(place);
    }

    private long NextTag(int place) => _reached + Stride * 100 / _servers[place].Hundredths;

    private void CatchUp()
    {
        // A server that has a greater weight now does not wait as long for its turn as it would have with the smaller one.
        for (var i = 0; _tags is not null && _changes.Weights != _weightsSeen && i < _tags.Length; i++)
            _tags[i] = Math.Min(_tags[i], NextTag(i));
        if (_changes.Sessions - _seen > ChangeLog.Kept || _changes.Weights != _weightsSeen)
            PlayAll();
        for (; _seen < _changes.Sessions; _seen++)
        {
            if (_places.TryGetValue(_changes[_seen], out var place))
                Play(place);
        }
    }

    private void Set(int place, bool isOut)
    {
        _isOut[place] = isOut;
        Play(place);
    }

    private void PlayAll()
    {
        for (var i = 0; i < _width; i++)
            _winners[_width + i] = Entry(i);
        for (var node = _width - 1; node > 0; node--)
            _winners[node] = Winner(_winners[node * 2], _winners[node * 2 + 1]);
        (_seen, _weightsSeen) = (_changes.Sessions, _changes.Weights);
    }

    private void Play(int place)
    {
        var node = _width + place;
        _winners[node] = Entry(place);
        for (node /= 2; node > 0; node /= 2)
            _winners[node] = Winner(_winners[node * 2], _winners[node * 2 + 1]);
    }

    private int Entry(int place) =>
        place < _servers.Length && !_isOut[place] && LeastLoadBalancer.IsWithin(_servers[place], _load) ? place : -1;

    private int Winner(int left, int right) =>
        left < 0 ? right : right >= 0 && IsBefore(right, left) ? right : left;

    /// <summary>Of equals the one whose turn it is, or else the first, which is the left one.</summary>
    private bool IsBefore(int right, int left)
    {
        if (LeastLoadBalancer.IsLess(_servers[right], _servers[left], _load))
            return true;
        return _tags is not null && _tags[right] < _tags[left] && !LeastLoadBalancer.IsLess(_servers[left], _servers[right], _load);
    }
}
