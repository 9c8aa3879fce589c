using System.Buffers.Binary;
using System.Text;
using Ferry.Config;

namespace Ferry.Upstreams;

/// <summary>
/// The points of a consistent hash, equal to NGINX's (and Cache::Memcached::Fast's): 160 for each unit of weight, the first at
/// crc32(HOST \0 PORT 0000), each further one at crc32(HOST \0 PORT previous-point), the point as four bytes, little endian.
/// </summary>
internal sealed class KetamaRing
{
    public const int PointsPerWeight = 160;

    /// <summary>So many units of weight fill 80 MiB with points; more can only be a mistake.</summary>
    public const int WeightLimit = 65_536;

    private readonly uint[] _points;
    private readonly int[] _owners;

    /// <param name="owners">The text of each owner, and how many points it has. Servers of one text put the same points on the ring, so the heaviest one's are all.</param>
    public KetamaRing(ReadOnlySpan<(string Text, int Points)> owners)
    {
        var count = 0;
        foreach (var (_, points) in owners)
            count = checked(count + points);
        var sorted = new ulong[count];
        var next = 0;
        for (var owner = 0; owner < owners.Length; owner++)
        {
            var text = Append(owners[owner].Text);
            Span<byte> previous = [0, 0, 0, 0];
            for (var j = 0; j < owners[owner].Points; j++)
            {
                var point = Crc32.End(Crc32.Append(text, previous));
                BinaryPrimitives.WriteUInt32LittleEndian(previous, point);
                // The owner in the low half makes the order among equal points that of the configuration, of which NGINX keeps the first.
                sorted[next++] = (ulong)point << 32 | (uint)owner;
            }
        }
        Array.Sort(sorted);
        var kept = 0;
        for (var i = 0; i < sorted.Length; i++)
            if (kept == 0 || sorted[kept - 1] >> 32 != sorted[i] >> 32)
                sorted[kept++] = sorted[i];
        _points = new uint[kept];
        _owners = new int[kept];
        for (var i = 0; i < kept; i++)
            (_points[i], _owners[i]) = ((uint)(sorted[i] >> 32), (int)(uint)sorted[i]);
    }

    /// <summary>Points on the ring, after equal ones were dropped.</summary>
    public int Count => _points.Length;

    /// <summary>The first point at or after <paramref name="hash"/>; <see cref="Count"/> stands for the first of the ring.</summary>
    public int Find(uint hash)
    {
        var found = Array.BinarySearch(_points, hash);
        return found < 0 ? ~found : found;
    }

    /// <summary>Whose a point is; beyond the last the ring begins again.</summary>
    public int OwnerAt(uint point) => _owners[point % (uint)_owners.Length];

    /// <summary>The text that NGINX would hash for a server.</summary>
    public static string TextOf(UpstreamServerConfig server) => server.Text
        ?? (server.Host.Contains(':', StringComparison.Ordinal) ? $"[{server.Host}]:{server.Port}" : $"{server.Host}:{server.Port}");

    /// <summary>HOST \0 PORT, where the port is what NGINX takes for one: the digits behind the last colon, if there is nothing else behind it.</summary>
    private static uint Append(string text)
    {
        var colon = text.LastIndexOf(':');
        var hasPort = colon >= 0 && text.AsSpan(colon + 1).IndexOfAnyExceptInRange('0', '9') < 0;
        var crc = Crc32.Append(Crc32.Start, Encoding.UTF8.GetBytes(hasPort ? text[..colon] : text));
        crc = Crc32.Append(crc, [0]);
        return hasPort ? Crc32.Append(crc, Encoding.UTF8.GetBytes(text[(colon + 1)..])) : crc;
    }
}
