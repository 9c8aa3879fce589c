using System.Buffers;
using System.Net;

namespace Ferry.Protocol;

/// <summary>
/// An end point as RFC 2428 writes it; the delimiter is any printable character.
/// <code>
///   EPRT |1|132.235.1.2|6275|                       §2
///        d \ net-addr / \_/
///          net-prt       tcp-port
///   229 Entering Extended Passive Mode (|||6446|)   §3: the two fields before the port are empty
/// </code>
/// </summary>
internal readonly ref struct ExtendedEndPoint
{
    // "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"
    private const int LongestAddress = 45;

    private static readonly SearchValues<byte> OfIPv6 = SearchValues.Create("0123456789abcdefABCDEF:."u8);

    private ExtendedEndPoint(int protocol, ReadOnlySpan<byte> address, int port)
    {
        Protocol = protocol;
        Address = address;
        Port = port;
    }

    /// <summary>1: IPv4, 2: IPv6; other numbers of up to three digits are protocols that Ferry does not know.</summary>
    public int Protocol { get; }

    /// <summary>The text of the address.</summary>
    public ReadOnlySpan<byte> Address { get; }

    /// <summary>1-65535.</summary>
    public int Port { get; }

    /// <summary>Reads the argument of EPRT, which must be nothing else; what its address says depends on its protocol (<see cref="TryGetAddress"/>).</summary>
    public static bool TryParseArgument(ReadOnlySpan<byte> argument, out ExtendedEndPoint endPoint)
    {
        endPoint = default;
        if (argument.Length < 2 || !IsDelimiter(argument[0]))
            return false;
        var delimiter = argument[0];
        var rest = argument[1..];
        var ofProtocol = rest.IndexOf(delimiter);
        var ofAddress = ofProtocol < 0 ? -1 : rest[(ofProtocol + 1)..].IndexOf(delimiter);
        if (ofAddress < 0 || rest[^1] != delimiter)
            return false;
        var address = rest.Slice(ofProtocol + 1, ofAddress);
        var port = rest[(ofProtocol + ofAddress + 2)..];
        if (!TryReadNumber(rest[..ofProtocol], 3, out var protocol) || port.IsEmpty || !TryReadNumber(port[..^1], 5, out var number) || number is 0 or > 65535)
            return false;
        endPoint = new ExtendedEndPoint(protocol, address, number);
        return true;
    }

    /// <summary>The address, an IPv4-mapped one as IPv4; false where it is none of its protocol's, or has a scope.</summary>
    public bool TryGetAddress(out IPAddress address)
    {
        address = IPAddress.None;
        if (Protocol == 1)
            return TryReadIPv4(Address, ref address);
        // IPAddress would also take scopes, brackets, prefixes and ports.
        if (Protocol != 2 || Address.Length > LongestAddress || !Address.Contains((byte)':') || Address.ContainsAnyExcept(OfIPv6))
            return false;
        if (!IPAddress.TryParse(Address, out var read))
            return false;
        address = read.IsIPv4MappedToIPv6 ? read.MapToIPv4() : read;
        return true;
    }

    /// <summary>Finds the port of a 229.</summary>
    /// <param name="text">The reply's text, without its code.</param>
    /// <param name="port">1-65535.</param>
    public static bool TryParse(ReadOnlySpan<byte> text, out int port)
    {
        for (var i = 0; i + 4 < text.Length; i++)
        {
            var delimiter = text[i];
            if (!IsDelimiter(delimiter) || text[i + 1] != delimiter || text[i + 2] != delimiter)
                continue;
            var at = i + 3;
            var value = 0;
            while (at < text.Length && char.IsAsciiDigit((char)text[at]) && value <= 65535)
                value = (value * 10) + (text[at++] - '0');
            if (at < text.Length && text[at] == delimiter && value is > 0 and <= 65535)
            {
                port = value;
                return true;
            }
        }
        port = 0;
        return false;
    }

    private static bool IsDelimiter(byte value) => value is >= 33 and <= 126 && !char.IsAsciiDigit((char)value);

    private static bool TryReadNumber(ReadOnlySpan<byte> text, int digits, out int number)
    {
        number = 0;
        if (text.IsEmpty || text.Length > digits || text.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            return false;
        foreach (var digit in text)
            number = (number * 10) + (digit - '0');
        return true;
    }

    // IPAddress takes "10.1", "0x0a000001" and octal numbers, too, each of which names a host that a human reader does not see.
    private static bool TryReadIPv4(ReadOnlySpan<byte> text, ref IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[4];
        for (var i = 0; i < 4; i++)
        {
            var end = i < 3 ? text.IndexOf((byte)'.') : text.Length;
            if (end < 0 || !TryReadNumber(text[..end], 3, out var number) || number > 255)
                return false;
            bytes[i] = (byte)number;
            text = i < 3 ? text[(end + 1)..] : default;
        }
        address = new IPAddress(bytes);
        return true;
    }
}
