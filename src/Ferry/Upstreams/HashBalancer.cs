using System.Buffers.Text;
using System.Collections.Immutable;
using System.Linq;

namespace Ferry.Upstreams;

/// <summary>
/// <c>hash KEY</c>, choosing as NGINX does (and Cache::Memcached before it): the sum of ((crc32([REHASH] KEY) >> 16) &amp; 0x7fff) over the tries,
/// modulo the sum of the weights, where REHASH is the number of the try in decimal and left out at the first.
/// After <see cref="MissLimit"/> looks at servers that cannot be had, round robin over what is left.
/// </summary>
internal sealed class HashBalancer : IBalancer
{
    public const int MissLimit = 20;

    private readonly HashKey _key;
    private readonly RoundRobinBalancer _roundRobin;
    private readonly WeightedPlaces _places;

    public HashBalancer(ImmutableArray<UpstreamServer> servers, HashKey key)
    {
        _key = key;
        _roundRobin = new RoundRobinBalancer(servers);
        _places = new WeightedPlaces([.. servers.Where(s => !s.Config.Backup)]);
    }

    public UpstreamServer? Pick(UpstreamChoice choice)
    {
        while (choice.Misses <= MissLimit && TryHash(choice, out var hash))
        {
            choice.Hash = unchecked(choice.Hash + hash);
            choice.Rehashes++;
            var server = _places.At(choice.Hash % _places.Total);
            if (choice.MayTry(server))
                return server;
            choice.Misses++;
        }
        return _roundRobin.Pick(choice);
    }

    /// <returns>False where the key is empty, which NGINX balances by round robin.</returns>
    private bool TryHash(UpstreamChoice choice, out uint hash)
    {
        var sink = new KeySink([]);
        if (choice.Rehashes > 0)
        {
            Span<byte> digits = stackalloc byte[10];
            Utf8Formatter.TryFormat(choice.Rehashes, digits, out var length);
            sink.Append(digits[..length]);
        }
        var before = sink.Length;
        _key.WriteTo(ref sink, choice.Facts);
        hash = sink.Checksum >> 16 & 0x7fff;
        return sink.Length > before;
    }
}
