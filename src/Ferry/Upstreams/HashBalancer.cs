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
    private readonly UpstreamServer[] _primaries;

    /// <summary>The sum of the weights up to and with each server, so that a server is found by binary search.</summary>
    private readonly long[] _bounds;

    public HashBalancer(ImmutableArray<UpstreamServer> servers, HashKey key)
    {
        _key = key;
        _roundRobin = new RoundRobinBalancer(servers);
        _primaries = [.. servers.Where(s => !s.Config.Backup)];
        _bounds = new long[_primaries.Length];
        var sum = 0L;
        for (var i = 0; i < _primaries.Length; i++)
            _bounds[i] = sum += _primaries[i].Config.Weight;
    }

    public UpstreamServer? Pick(UpstreamChoice choice)
    {
        if (_key.IsEmpty)
            return _roundRobin.Pick(choice);
        while (choice.Misses <= MissLimit)
        {
            choice.Hash = unchecked(choice.Hash + HashOf(choice));
            choice.Rehashes++;
            var server = At(choice.Hash % _bounds[^1]);
            if (choice.MayTry(server))
                return server;
            choice.Misses++;
        }
        return _roundRobin.Pick(choice);
    }

    private uint HashOf(UpstreamChoice choice)
    {
        var crc = Crc32.Start;
        if (choice.Rehashes > 0)
        {
            Span<byte> digits = stackalloc byte[10];
            Utf8Formatter.TryFormat(choice.Rehashes, digits, out var length);
            crc = Crc32.Append(crc, digits[..length]);
        }
        return Crc32.End(_key.AppendTo(crc, choice.Facts)) >> 16 & 0x7fff;
    }

    private UpstreamServer At(long weight)
    {
        var found = Array.BinarySearch(_bounds, weight);
        return _primaries[found < 0 ? ~found : found + 1];
    }
}
