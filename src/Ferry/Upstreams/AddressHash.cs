using System.Buffers.Binary;
using System.Net;
using System.Numerics;

namespace Ferry.Upstreams;

/// <summary>The hashes that LVS makes of addresses, so that both send a client to the same server.</summary>
internal static class AddressHash
{
    /// <summary>The four bytes of an IPv4 address as a number, of an IPv6 address its four words in one.</summary>
    public static uint Fold(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[AddressText.MaxBytes];
        var length = AddressText.WriteBytes(address, bytes);
        var fold = 0u;
        for (var i = 0; i < length; i += sizeof(uint))
            fold ^= BinaryPrimitives.ReadUInt32BigEndian(bytes[i..]);
        return fold;
    }

    /// <summary>The kernel's multiplicative hash: the upper bits of the product with 2^32 times (3 - √5)/2.</summary>
    public static uint Multiply(uint value, int bits) => unchecked(value * 0x61c8_8647) >> 32 - bits;

    /// <summary>SipHash-1-3 of four bytes, little endian, of which the kernel takes the lower half. Both words of the key are the same.</summary>
    public static uint Sip(uint value, ulong key)
    {
        var v0 = 0x736f_6d65_7073_6575UL ^ key;
        var v1 = 0x646f_7261_6e64_6f6dUL ^ key;
        var v2 = 0x6c79_6765_6e65_7261UL ^ key;
        var v3 = 0x7465_6462_7974_6573UL ^ key;
        var last = (ulong)sizeof(uint) << 56 | value;
        v3 ^= last;
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= last;
        v2 ^= 0xff;
        for (var i = 0; i < 3; i++)
            Round(ref v0, ref v1, ref v2, ref v3);
        return (uint)(v0 ^ v1 ^ v2 ^ v3);
    }

    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        unchecked
        {
            v0 += v1;
            v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
            v0 = BitOperations.RotateLeft(v0, 32);
            v2 += v3;
            v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
            v0 += v3;
            v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
            v2 += v1;
            v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
            v2 = BitOperations.RotateLeft(v2, 32);
        }
    }
}
