using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Numerics;

namespace Ferry.Transport;

/// <summary>
/// Whose connection somebody in front passes on, by its first bytes: HAProxy's proxy-protocol.txt, §2.1 and §2.2.
/// <code>
///   PROXY TCP4|TCP6 source destination sport dport CR LF                      version 1, 107 bytes at most
///   PROXY UNKNOWN [anything] CR LF
///   signature  2|command  family|transport  length  addresses  [TLVs]         version 2, 16 bytes and so many as length says
/// </code>
/// </summary>
/// <param name="Source">The client; null where the header names none.</param>
/// <param name="Destination">What the client connected to; null where the header does not say.</param>
internal sealed record ProxyHeader(IPEndPoint? Source, IPEndPoint? Destination)
{
    /// <summary>The longest header, TLVs included; as nginx.</summary>
    public const int MaxLength = 4096;

    private const int LongestLine = 107; // §2.1
    private const int FixedLength = 16;

    private static readonly ProxyHeader Nobody = new(null, null);
    private static readonly SearchValues<byte> InSix = SearchValues.Create("0123456789abcdefABCDEF:."u8);

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    private static ReadOnlySpan<byte> LineStart => "PROXY "u8;

    /// <summary>Reads a header. As long as it is not whole, all bytes are the header's.</summary>
    /// <param name="bytes">What the connection began with.</param>
    /// <param name="header">The header.</param>
    /// <param name="length">How many bytes of <paramref name="bytes"/> it is.</param>
    public static OperationStatus TryRead(ReadOnlySpan<byte> bytes, out ProxyHeader header, out int length)
    {
        header = Nobody;
        length = 0;
        if (Begins(bytes, Signature))
            return ReadBinary(bytes, ref header, out length);
        return Begins(bytes, LineStart) ? ReadLine(bytes, ref header, out length) : OperationStatus.InvalidData;
    }

    /// <summary>Where a header that cannot be read has words that belong to it; a client that sent none may have said a password.</summary>
    /// <returns>How many bytes at the front may be shown.</returns>
    public static int Showable(ReadOnlySpan<byte> bytes)
    {
        const int LongestWord = 16;
        if (bytes.StartsWith(Signature))
            return Math.Min(bytes.Length, FixedLength);
        var isLine = bytes.StartsWith(LineStart);
        var end = isLine ? bytes.IndexOfAny("\r\n"u8) : bytes.IndexOfAny(" \t\r\n"u8);
        return Math.Min(end < 0 ? bytes.Length : end, isLine ? LongestLine : LongestWord);
    }

    private static bool Begins(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> with)
    {
        var common = Math.Min(bytes.Length, with.Length);
        return bytes[..common].SequenceEqual(with[..common]);
    }

    private static OperationStatus ReadLine(ReadOnlySpan<byte> bytes, ref ProxyHeader header, out int length)
    {
        length = 0;
        var end = bytes.IndexOfAny((byte)'\r', (byte)'\n');
        if (end < 0 ? bytes.Length > LongestLine - 2 : end > LongestLine - 2 || bytes[end] == '\n')
            return OperationStatus.InvalidData;
        if (end < 0 || end + 1 == bytes.Length)
            return OperationStatus.NeedMoreData;
        if (bytes[end + 1] != '\n')
            return OperationStatus.InvalidData;
        var rest = bytes[LineStart.Length..end];
        if (!rest.SequenceEqual("UNKNOWN"u8) && !rest.StartsWith("UNKNOWN "u8) && !TryReadAddresses(rest, ref header))
            return OperationStatus.InvalidData;
        length = end + 2;
        return OperationStatus.Done;
    }

    private static bool TryReadAddresses(ReadOnlySpan<byte> text, ref ProxyHeader header)
    {
        var isSix = text.StartsWith("TCP6 "u8);
        if (!isSix && !text.StartsWith("TCP4 "u8))
            return false;
        text = text[5..];
        if (!TryCutAddress(ref text, isSix, out var source) || !TryCutAddress(ref text, isSix, out var destination))
            return false;
        var space = text.IndexOf((byte)' ');
        if (space < 0 || !TryReadNumber(text[..space], ushort.MaxValue, out var sourcePort) || !TryReadNumber(text[(space + 1)..], ushort.MaxValue, out var port))
            return false;
        header = Of(source, sourcePort, destination, port);
        return true;
    }

    private static bool TryCutAddress(ref ReadOnlySpan<byte> text, bool isSix, out IPAddress address)
    {
        address = IPAddress.None;
        var space = text.IndexOf((byte)' ');
        if (space < 0)
            return false;
        var word = text[..space];
        text = text[(space + 1)..];
        return isSix ? TryReadSix(word, out address) : TryReadFour(word, out address);
    }

    // The parser of .NET also takes "1", "0x7f.1" and leading zeros.
    private static bool TryReadFour(ReadOnlySpan<byte> word, out IPAddress address)
    {
        address = IPAddress.None;
        Span<byte> bytes = stackalloc byte[4];
        for (var i = 0; i < 4; i++)
        {
            var end = i < 3 ? word.IndexOf((byte)'.') : word.Length;
            if (end < 0 || !TryReadNumber(word[..end], byte.MaxValue, out var number))
                return false;
            bytes[i] = (byte)number;
            word = i < 3 ? word[(end + 1)..] : default;
        }
        address = new IPAddress(bytes);
        return true;
    }

    // And zone indices, brackets and ports.
    private static bool TryReadSix(ReadOnlySpan<byte> word, out IPAddress address)
    {
        address = IPAddress.None;
        if (!word.Contains((byte)':') || word.ContainsAnyExcept(InSix) || !IPAddress.TryParse(word, out var parsed))
            return false;
        address = parsed;
        return true;
    }

    private static bool TryReadNumber(ReadOnlySpan<byte> digits, int most, out int number)
    {
        number = 0;
        if (digits.IsEmpty || digits.Length > 5 || (digits[0] == '0' && digits.Length > 1))
            return false;
        foreach (var digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'9')
                return false;
            number = (number * 10) + (digit - '0');
        }
        return number <= most;
    }

    private static OperationStatus ReadBinary(ReadOnlySpan<byte> bytes, ref ProxyHeader header, out int length)
    {
        length = 0;
        const int Local = 0x20, Proxy = 0x21;
        if (bytes.Length > 12 && bytes[12] is not (Local or Proxy))
            return OperationStatus.InvalidData;
        if (bytes.Length > 13 && (bytes[13] >> 4 > 3 || (bytes[13] & 0xF) > 2))
            return OperationStatus.InvalidData;
        if (bytes.Length < FixedLength)
            return OperationStatus.NeedMoreData;
        var whole = FixedLength + BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]);
        // The addresses of Unix sockets are two names of 108 bytes each.
        var addresses = (bytes[13] >> 4) switch { 1 => 12, 2 => 36, 3 => 216, _ => 0 };
        // Of a connection of the sender's own nothing but the length counts (§2.2).
        var isForwarded = bytes[12] == Proxy && addresses > 0;
        if (whole > MaxLength || (isForwarded && whole < FixedLength + addresses))
            return OperationStatus.InvalidData;
        if (bytes.Length < whole)
            return OperationStatus.NeedMoreData;
        if (isForwarded)
        {
            if (!AreSound(bytes[..whole], FixedLength + addresses))
                return OperationStatus.InvalidData;
            // Of a datagram, or of a Unix socket: somebody, but nobody that we could know.
            if (bytes[13] is 0x11 or 0x21)
                header = OfBinary(bytes[FixedLength..], (addresses - 4) / 2);
        }
        length = whole;
        return OperationStatus.Done;
    }

    private static ProxyHeader OfBinary(ReadOnlySpan<byte> addresses, int size)
    {
        var ports = addresses[(2 * size)..];
        return Of(
            new IPAddress(addresses[..size]), BinaryPrimitives.ReadUInt16BigEndian(ports),
            new IPAddress(addresses[size..(2 * size)]), BinaryPrimitives.ReadUInt16BigEndian(ports[2..]));
    }

    // §2.2.1 to §2.2.5: none of them is used, but they fill their place, and a checksum is right where there is one.
    private static bool AreSound(ReadOnlySpan<byte> bytes, int at)
    {
        const byte Checksum = 0x03;
        var checksum = -1;
        while (at < bytes.Length)
        {
            if (bytes.Length - at < 3)
                return false;
            var size = BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 1)..]);
            var type = bytes[at];
            at += 3;
            if (size > bytes.Length - at)
                return false;
            if (type == Checksum)
            {
                if (size != 4 || checksum >= 0)
                    return false;
                checksum = at;
            }
            at += size;
        }
        return checksum < 0 || BinaryPrimitives.ReadUInt32BigEndian(bytes[checksum..]) == ChecksumOf(bytes, checksum);
    }

    // CRC32c of the header with zeros in the checksum's place.
    private static uint ChecksumOf(ReadOnlySpan<byte> bytes, int place)
    {
        var crc = uint.MaxValue;
        for (var i = 0; i < bytes.Length; i++)
            crc = BitOperations.Crc32C(crc, i >= place && i < place + 4 ? (byte)0 : bytes[i]);
        return ~crc;
    }

    // The unspecified address is nobody's, and stands for anybody elsewhere.
    private static ProxyHeader Of(IPAddress source, int sourcePort, IPAddress destination, int port)
    {
        (source, destination) = (EndPoints.Plain(source), EndPoints.Plain(destination));
        return IsUnspecified(source) ? Nobody : new ProxyHeader(new IPEndPoint(source, sourcePort), IsUnspecified(destination) ? null : new IPEndPoint(destination, port));
    }

    private static bool IsUnspecified(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
}
