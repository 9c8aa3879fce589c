using System.Linq;
using System.Net;
using System.Numerics;

namespace Ferry.Upstreams;

/// <summary>A table of servers and the place in it that an address leads to: LVS's <c>sh</c>, <c>dh</c> and <c>mh</c>.</summary>
internal sealed class AddressTable
{
    /// <summary>Places of <c>sh</c> and <c>dh</c> in LVS: 2 to this.</summary>
    private const int Bits = 8;

    private const int MostBits = 20;

    private const ulong FirstKey = 2_654_435_761;
    private const ulong SecondKey = 2_654_446_892;

    /// <summary>Sizes of the table of <c>mh</c>, of which 4093 is that of LVS where nobody has built it otherwise; the others are for more servers.</summary>
    private static readonly int[] Primes = [4093, 8191, 16381, 32749, 65521, 131_071];

    /// <summary>How many bits a weight of <c>mh</c> may have.</summary>
    private const int WeightBits = 6;

    private readonly UpstreamServer[] _places;

    /// <summary>Of <c>sh</c> and <c>dh</c>; 0 for <c>mh</c>.</summary>
    private readonly int _bits;

    private AddressTable(UpstreamServer[] places, int bits)
    {
        _places = places;
        _bits = bits;
    }

    /// <summary>
    /// Each server has as many places in a row as it weighs, and the list is gone through until the table is full. LVS's table has 256 places, and
    /// servers beyond them get no session; here it is as large as the weights need.
    /// </summary>
    public static AddressTable Filled(UpstreamServer[] servers, bool isWeighted)
    {
        var weights = isWeighted ? Weights.Of(servers) : [.. servers.Select(_ => 1L)];
        var total = weights.Sum();
        var shift = Math.Max(0, BitOperations.Log2((ulong)total) + 1 - MostBits);
        var needed = weights.Sum(Turns);
        var bits = Math.Clamp(BitOperations.Log2((ulong)needed - 1 | 1) + 1, Bits, MostBits);
        var places = new UpstreamServer[1 << bits];
        for (var i = 0; i < places.Length;)
        {
            for (var server = 0; server < servers.Length; server++)
            {
                for (var turn = Turns(weights[server]); turn > 0 && i < places.Length; turn--)
                    places[i++] = servers[server];
            }
        }
        return new AddressTable(places, bits);

        long Turns(long weight) => Math.Max(1, weight >> shift);
    }

    /// <summary>Maglev's table: in turns, as often as it weighs, each server takes the next free place of its own permutation.</summary>
    public static AddressTable Maglev(UpstreamServer[] servers)
    {
        var places = new UpstreamServer?[Primes.FirstOrDefault(p => p >= servers.Length, Primes[^1])];
        var weights = Weights.Of(servers);
        var divisor = Weights.Divisor(weights);
        var shift = Math.Max(0, BitOperations.Log2((ulong)(weights.Max() / divisor)) + 1 - WeightBits);
        var next = new uint[servers.Length];
        for (var i = 0; i < servers.Length; i++)
            next[i] = Hash(servers[i].EndPoint, FirstKey) % (uint)places.Length;
        for (var taken = 0; taken < places.Length;)
        {
            for (var i = 0; i < servers.Length; i++)
            {
                var skip = Hash(servers[i].EndPoint, SecondKey) % (uint)(places.Length - 1) + 1;
                for (var turn = Math.Max(1, weights[i] / divisor >> shift); turn > 0 && taken < places.Length; turn--, taken++)
                {
                    while (places[next[i]] is not null)
                        next[i] = (next[i] + skip) % (uint)places.Length;
                    places[next[i]] = servers[i];
                }
            }
        }
        return new AddressTable(places!, bits: 0);
    }

    /// <summary>The server of an address, and where that cannot be had, of the following tries, as LVS has them with its flag <c>fallback</c>.</summary>
    /// <param name="fold">The address, folded.</param>
    /// <param name="tries">0 for the address itself, then 1, 2 and so on.</param>
    public UpstreamServer At(uint fold, int tries)
    {
        var size = (uint)_places.Length;
        var first = Place(fold, 0);
        return _places[tries == 0 ? first : Place(fold, ((uint)tries - 1 + first) % size)];

        uint Place(uint fold, uint offset) => unchecked(_bits > 0
            ? (AddressHash.Multiply(fold, _bits) + offset) % size
            : AddressHash.Sip(fold + offset, FirstKey) % size);
    }

    private static uint Hash(IPEndPoint server, ulong key) => AddressHash.Sip(unchecked(AddressHash.Fold(server.Address) + (uint)server.Port), key);
}
