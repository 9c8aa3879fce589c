using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Ferry.Config;

/// <summary>The values that directives take, as nginx writes them.</summary>
internal static class ConfigValue
{
    public const int MaxPort = 65535;

    /// <summary>Longer times are mistakes, and would overflow sums of times.</summary>
    private const long LongestTime = 100L * 365 * 24 * 3600 * 1000;

    private static readonly SearchValues<char> DigitsAndDots = SearchValues.Create("0123456789.");
    private static readonly SearchValues<char> DigitsAndSpace = SearchValues.Create("0123456789 ");

    private static readonly (string Unit, long Milliseconds)[] TimeUnits =
    [
        ("y", 365L * 24 * 3600 * 1000), ("M", 30L * 24 * 3600 * 1000), ("w", 7L * 24 * 3600 * 1000), ("d", 24L * 3600 * 1000),
        ("h", 3600 * 1000), ("m", 60 * 1000), ("s", 1000), ("ms", 1),
    ];

    /// <summary>As ngx_parse_time: <c>1h30m</c>, units from large to small and each once, seconds where none is written.</summary>
    public static bool TryTime(ReadOnlySpan<char> text, out TimeSpan time)
    {
        time = default;
        long total = 0;
        var nextUnit = 0;
        if (text.IsEmpty)
            return false;
        while (!text.IsEmpty)
        {
            var digits = text.IndexOfAnyExceptInRange('0', '9');
            if (digits < 0)
                digits = text.Length;
            if (!long.TryParse(text[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                return false;
            text = text[digits..];
            var letters = text.IndexOfAny(DigitsAndSpace);
            var unit = text[..(letters < 0 ? text.Length : letters)];
            var index = unit.IsEmpty ? Array.FindIndex(TimeUnits, u => u.Unit == "s") : UnitIndex(unit);
            // A number without a unit is the last one.
            if (index < nextUnit || (unit.IsEmpty && !text.IsEmpty) || number > LongestTime / TimeUnits[index].Milliseconds)
                return false;
            nextUnit = index + 1;
            total += number * TimeUnits[index].Milliseconds;
            text = text[unit.Length..];
            if (text.ContainsAnyExcept(' '))
                text = text.TrimStart(' ');
        }
        time = TimeSpan.FromMilliseconds(Math.Min(total, LongestTime));
        return total <= LongestTime;

        static int UnitIndex(ReadOnlySpan<char> unit)
        {
            for (var i = 0; i < TimeUnits.Length; i++)
            {
                if (unit.SequenceEqual(TimeUnits[i].Unit))
                    return i;
            }
            return -1;
        }
    }

    /// <summary>Bytes: <c>8192</c>, <c>8k</c>, <c>10m</c>, <c>1g</c>, in either case.</summary>
    public static bool TrySize(ReadOnlySpan<char> text, out long size)
    {
        var shift = text.IsEmpty ? 0 : text[^1] switch { 'k' or 'K' => 10, 'm' or 'M' => 20, 'g' or 'G' => 30, _ => 0 };
        var digits = shift == 0 ? text : text[..^1];
        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out size) || size > long.MaxValue >> shift)
            return false;
        size <<= shift;
        return true;
    }

    public static bool TryInt(ReadOnlySpan<char> text, int min, int max, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= min && value <= max;

    public static bool TryPort(ReadOnlySpan<char> text, out int port) => TryInt(text, 1, MaxPort, out port);

    /// <summary>An IPv4 address with its four numbers, or an IPv6 address with or without brackets.</summary>
    public static bool TryAddress(ReadOnlySpan<char> text, out IPAddress address)
    {
        address = IPAddress.None;
        var isBracketed = text.Length > 2 && text[0] == '[' && text[^1] == ']';
        var bare = isBracketed ? text[1..^1] : text;
        // The parser of .NET also takes "1", "0x7f.1" and zone indices, which nobody means here.
        if (bare.Contains(':') ? bare.Contains('%') : isBracketed || bare.Count('.') != 3 || bare.ContainsAnyExcept(DigitsAndDots))
            return false;
        if (!IPAddress.TryParse(bare, out var parsed))
            return false;
        address = parsed;
        return true;
    }

    /// <summary>An address, or a network such as <c>10.0.0.0/8</c>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="network">The network, its bits beyond the prefix cleared.</param>
    /// <param name="hadLowBits">Whether any of those was set, which is probably a slip.</param>
    public static bool TryNetwork(ReadOnlySpan<char> text, out IPNetwork network, out bool hadLowBits)
    {
        network = default;
        hadLowBits = false;
        var slash = text.IndexOf('/');
        if (!TryAddress(slash < 0 ? text : text[..slash], out var address))
            return false;
        var bytes = address.GetAddressBytes();
        var prefix = bytes.Length * 8;
        if (slash >= 0 && !TryInt(text[(slash + 1)..], 0, prefix, out prefix))
            return false;
        for (var i = 0; i < bytes.Length; i++)
        {
            var kept = Math.Clamp(prefix - (i * 8), 0, 8);
            var mask = (byte)(0xff << (8 - kept));
            hadLowBits |= (bytes[i] & ~mask) != 0;
            bytes[i] &= mask;
        }
        network = new IPNetwork(new IPAddress(bytes), prefix);
        return true;
    }

    /// <summary>Cuts <c>HOST</c>, <c>HOST:PORT</c>, <c>[v6]</c>, <c>[v6]:PORT</c>; the port's text is null where there is none.</summary>
    public static void SplitHostPort(string text, out string host, out string? port)
    {
        var colon = text.StartsWith('[') ? text.IndexOf("]:", StringComparison.Ordinal) + 1 : text.IndexOf(':');
        (host, port) = colon <= 0 ? (text, null) : (text[..colon], text[(colon + 1)..]);
    }

    /// <summary>Whether a text can be the name of a host: letters, digits, hyphens and underscores between dots.</summary>
    public static bool IsHostName(string text)
    {
        if (text.Length is 0 or > 253)
            return false;
        foreach (var label in text.TrimEnd('.').Split('.'))
        {
            if (label.Length is 0 or > 63 || label[0] == '-' || label[^1] == '-')
                return false;
            foreach (var c in label)
            {
                if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
                    return false;
            }
        }
        // Only digits and dots: an address gone wrong.
        return text.AsSpan().ContainsAnyExcept(DigitsAndDots);
    }

    public static bool IsWildcard(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    /// <summary>Whether the kernel would see two listening addresses as one.</summary>
    public static bool Overlap(IPAddress a, IPAddress b) =>
        a.AddressFamily == b.AddressFamily && (a.Equals(b) || IsWildcard(a) || IsWildcard(b));

    /// <summary>An address as <c>listen</c> and <c>server</c> write it.</summary>
    public static string Show(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]" : address.ToString();
}
