using System.Collections.Immutable;
using System.Linq;

namespace Ferry.Upstreams;

/// <summary>
/// <c>hash KEY consistent</c> on a <see cref="KetamaRing"/>: from the key's point clockwise to the first server that can be had, and after
/// <see cref="HashBalancer.MissLimit"/> points without one, round robin over what is left. Both as NGINX.
/// </summary>
internal sealed class ConsistentHashBalancer : IBalancer
{
    private readonly HashKey _key;
    private readonly RoundRobinBalancer _roundRobin;
    private readonly KetamaRing _ring;

    /// <summary>The servers of each name on the ring; several where a name has several addresses, or is written twice.</summary>
    private readonly UpstreamServer[][] _owners;

    public ConsistentHashBalancer(ImmutableArray<UpstreamServer> servers, HashKey key)
    {
        _key = key;
        _roundRobin = new RoundRobinBalancer(servers);
        _owners = [.. servers.Where(s => !s.Config.Backup).GroupBy(s => KetamaRing.TextOf(s.Config), StringComparer.Ordinal).Select(g => g.ToArray())];
        var weights = Array.ConvertAll(_owners, static o => o.Max(static s => s.Hundredths));
        // What the configuration could not ask for no agent can.
        var scale = Math.Min(1, KetamaRing.WeightLimit * 100.0 / weights.Sum());
        _ring = new KetamaRing([.. _owners.Select((o, i) => (KetamaRing.TextOf(o[0].Config), PointsOf((long)(weights[i] * scale))))]);
    }

    /// <summary>A part of a unit has its part of the points, the first ones, so that few clients move when an agent changes a weight.</summary>
    private static int PointsOf(long hundredths) => (int)Math.Max(1, hundredths * KetamaRing.PointsPerWeight / 100);

    public UpstreamServer? Pick(UpstreamChoice choice)
    {
        if (choice.Rehashes == 0)
        {
            choice.Rehashes = 1;
            var sink = new KeySink([]);
            _key.WriteTo(ref sink, choice.Facts);
            choice.Hash = (uint)_ring.Find(sink.Checksum);
            // An empty key is balanced by round robin, as by NGINX.
            if (sink.Length == 0)
                choice.Misses = HashBalancer.MissLimit + 1;
        }
        while (choice.Misses <= HashBalancer.MissLimit)
        {
            if (RoundRobinBalancer.PickFrom(_owners[_ring.OwnerAt(choice.Hash)], choice) is { } server)
                return server;
            choice.Hash++;
            choice.Misses++;
        }
        return _roundRobin.Pick(choice);
    }
}
