namespace Ferry.Upstreams;

/// <summary>
/// Servers of one weight in the order of their turns: a heap with the one whose turn is highest at the top, among equals the one that was configured
/// first. What all turns have grown by is kept once; <see cref="UpstreamServer.Turn"/> is without it meanwhile.
/// </summary>
/// <param name="weight">The weight.</param>
internal sealed class TurnLane(long weight)
{
    private readonly List<UpstreamServer> _heap = [];
    private long _grown;

    public long Weight => weight;

    public bool IsEmpty => _heap.Count == 0;

    public UpstreamServer First => _heap[0];

    public void Add(UpstreamServer server) => _heap.Add(server);

    /// <summary>Makes a heap of what was added.</summary>
    public void Order()
    {
        for (var i = _heap.Count / 2 - 1; i >= 0; i--)
            Sink(i);
    }

    /// <summary>Whether the first server would come before that of another lane, once both lanes have grown.</summary>
    public bool IsBefore(TurnLane other)
    {
        var (mine, others) = (First.Turn + _grown + weight, other.First.Turn + other._grown + other.Weight);
        return mine > others || (mine == others && First.Index < other.First.Index);
    }

    /// <summary>All turns grow by the weight.</summary>
    public void Grow() => _grown += weight;

    /// <summary>It was the first server's turn, which falls.</summary>
    public UpstreamServer Take(long fall)
    {
        var first = First;
        first.Turn -= fall;
        Sink(0);
        return first;
    }

    /// <summary>Gives the servers their whole turns, and has none any more.</summary>
    public void GiveBack()
    {
        foreach (var server in _heap)
            server.Turn += _grown;
        _heap.Clear();
        _grown = 0;
    }

    private void Sink(int at)
    {
        var server = _heap[at];
        while (true)
        {
            var child = at * 2 + 1;
            if (child >= _heap.Count)
                break;
            if (child + 1 < _heap.Count && IsBefore(_heap[child + 1], _heap[child]))
                child++;
            if (!IsBefore(_heap[child], server))
                break;
            _heap[at] = _heap[child];
            at = child;
        }
        _heap[at] = server;
    }

    private static bool IsBefore(UpstreamServer a, UpstreamServer b) => a.Turn > b.Turn || (a.Turn == b.Turn && a.Index < b.Index);
}
