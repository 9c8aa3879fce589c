using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Ferry.Transport.Linux;

/// <summary>End points as the kernel takes and gives them.</summary>
internal static class NativeAddress
{
    // struct sockaddr_in (ip(7))                        struct sockaddr_in6 (ipv6(7))
    // 0      2      4            8             16        0      2      4          8             24      28
    // | AF   | port | address    | zero        |         | AF   | port | flow     | address     | scope |
    public const int LengthOfIPv4 = 16;

    public const int LengthOfIPv6 = 28;

    /// <summary>Writes an end point into <paramref name="to"/>, which has room for either kind.</summary>
    /// <returns>How long it is.</returns>
    public static int Write(IPEndPoint endPoint, Span<byte> to)
    {
        to[..LengthOfIPv6].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(to[2..], (ushort)endPoint.Port);
        if (endPoint.AddressFamily == AddressFamily.InterNetwork)
        {
            BitConverter.TryWriteBytes(to, (ushort)Libc.AF_INET);
            endPoint.Address.TryWriteBytes(to[4..], out _);
            return LengthOfIPv4;
        }
        BitConverter.TryWriteBytes(to, (ushort)Libc.AF_INET6);
        endPoint.Address.TryWriteBytes(to[8..], out _);
        BitConverter.TryWriteBytes(to[24..], (uint)endPoint.Address.ScopeId);
        return LengthOfIPv6;
    }

    /// <summary>Null where it is no Internet address.</summary>
    public static IPEndPoint? Read(ReadOnlySpan<byte> from)
    {
        if (from.Length < LengthOfIPv4)
            return null;
        var port = BinaryPrimitives.ReadUInt16BigEndian(from[2..]);
        return BitConverter.ToUInt16(from) switch
        {
            Libc.AF_INET => new IPEndPoint(new IPAddress(from.Slice(4, 4)), port),
            Libc.AF_INET6 when from.Length >= LengthOfIPv6 => new IPEndPoint(new IPAddress(from.Slice(8, 16), BitConverter.ToUInt32(from[24..])), port),
            _ => null,
        };
    }
}
