namespace Ferry.Upstreams;

/// <summary>Servers side by side on a line, each as long as its weight, so that one is found by a number in O(log n).</summary>
internal sealed class WeightedPlaces
{
    private readonly UpstreamServer[] _servers;

    /// <summary>The sum of the weights up to and with each server.</summary>
    private readonly long[] _bounds;

    public WeightedPlaces(UpstreamServer[] servers)
    {
        _servers = servers;
        _bounds = new long[servers.Length];
        var weights = Weights.Of(servers);
        for (var i = 0; i < servers.Length; i++)
            _bounds[i] = Total += weights[i];
    }

    /// <summary>The length of the line.</summary>
    public long Total { get; }

    /// <summary>Whose place it is, from 0 to below <see cref="Total"/>.</summary>
    public UpstreamServer At(long place)
    {
        var found = Array.BinarySearch(_bounds, place);
        return _servers[found < 0 ? ~found : found + 1];
    }
}
