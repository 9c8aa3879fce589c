using System.Buffers.Binary;
using System.Linq;
using System.Text;
using Ferry.Config;

namespace Ferry.Sessions;

/// <summary>A <c>split_clients</c>, with the hash and the bounds of NGINX, so that both put a client into the same share.</summary>
internal sealed class SplitVariable : IVariable
{
    private readonly TextTemplate _source;
    private readonly (uint Below, string Value)[] _shares;
    private readonly string _rest;

    public SplitVariable(SplitClientsConfig config)
    {
        _source = config.Source;
        var last = 0u;
        // ngx_stream_split_clients: each share's end is the sum of parts that were each rounded down.
        _shares = [.. config.Shares.Where(s => s.Percent is not null).Select(s => (last += (uint)((ulong)(s.Percent!.Value * 100) * uint.MaxValue / 10_000), s.Value))];
        _rest = config.Shares.FirstOrDefault(static s => s.Percent is null)?.Value ?? "";
    }

    public string ValueIn(VariableScope scope)
    {
        var hash = Hash(Encoding.UTF8.GetBytes(scope.Expand(_source)));
        foreach (var (below, value) in _shares)
        {
            if (hash < below)
                return value;
        }
        return _rest;
    }

    /// <summary>MurmurHash2 of 32 bits with the seed 0 (Austin Appleby, in the public domain), as NGINX has it.</summary>
    internal static uint Hash(ReadOnlySpan<byte> data)
    {
        const uint m = 0x5bd1e995;
        var h = (uint)data.Length;
        for (; data.Length >= 4; data = data[4..])
        {
            var k = BinaryPrimitives.ReadUInt32LittleEndian(data) * m;
            k ^= k >> 24;
            h = (h * m) ^ (k * m);
        }
        if (!data.IsEmpty)
        {
            for (var i = 0; i < data.Length; i++)
                h ^= (uint)data[i] << (8 * i);
            h *= m;
        }
        h ^= h >> 13;
        h *= m;
        return h ^ (h >> 15);
    }
}
