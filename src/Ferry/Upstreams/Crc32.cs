namespace Ferry.Upstreams;

/// <summary>CRC-32 of IEEE 802.3, reflected (polynomial 0xEDB88320), in pieces: <see cref="Start"/>, any number of <see cref="Append"/>, <see cref="End"/>.</summary>
internal static class Crc32
{
    public const uint Start = 0xffff_ffff;

    private static readonly uint[] Table = MakeTable();

    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        foreach (var b in bytes)
            crc = crc >> 8 ^ Table[(byte)(crc ^ b)];
        return crc;
    }

    public static uint End(uint crc) => ~crc;

    private static uint[] MakeTable()
    {
        var table = new uint[256];
        for (var i = 0u; i < table.Length; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++)
                value = value >> 1 ^ ((value & 1) * 0xedb8_8320);
            table[i] = value;
        }
        return table;
    }
}
