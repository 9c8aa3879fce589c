using System.Buffers.Text;
using System.Net;

namespace Ferry.Upstreams;

/// <summary>
/// Addresses as bytes and as the text that NGINX's <c>$remote_addr</c> has. An IPv4-mapped IPv6 address counts as IPv4.
/// .NET's own text is not used for IPv6: it adds the scope, and ends more addresses in dotted form.
/// </summary>
internal static class AddressText
{
    public const int MaxBytes = 16;

    /// <summary>Eight groups of four digits, or six and dotted IPv4, with their colons.</summary>
    public const int MaxText = 45;

    /// <summary>Writes 4 or 16 bytes in network order.</summary>
    public static int WriteBytes(IPAddress address, Span<byte> to)
    {
        address.TryWriteBytes(to, out var length);
        if (!address.IsIPv4MappedToIPv6)
            return length;
        to[12..16].CopyTo(to);
        return 4;
    }

    public static int WriteText(IPAddress address, Span<byte> to)
    {
        Span<byte> bytes = stackalloc byte[MaxBytes];
        return WriteText(bytes[..WriteBytes(address, bytes)], to);
    }

    /// <summary>Writes an address of 4 or 16 bytes.</summary>
    public static int WriteText(ReadOnlySpan<byte> bytes, Span<byte> to) => bytes.Length == 4 ? WriteDotted(bytes, to) : WriteGroups(bytes, to);

    private static int WriteDotted(ReadOnlySpan<byte> bytes, Span<byte> to)
    {
        var at = 0;
        for (var i = 0; i < bytes.Length; i++)
        {
            if (i > 0)
                to[at++] = (byte)'.';
            Utf8Formatter.TryFormat(bytes[i], to[at..], out var length);
            at += length;
        }
        return at;
    }

    private static int WriteGroups(ReadOnlySpan<byte> bytes, Span<byte> to)
    {
        var (first, count) = LongestZeros(bytes);
        // NGINX takes these for IPv4-compatible addresses (RFC 4291 section 2.5.5.1), "::1" and its like not among them.
        var isDotted = first == 0 && (count == 6 || (count == 7 && bytes[14] != 0 && bytes[15] != 1));
        var groups = isDotted ? 6 : 8;
        var at = 0;
        if (first == 0)
            to[at++] = (byte)':';
        for (var i = 0; i < groups; i++)
        {
            if (i == first)
            {
                to[at++] = (byte)':';
                i += count - 1;
                continue;
            }
            Utf8Formatter.TryFormat((ushort)(bytes[i * 2] << 8 | bytes[i * 2 + 1]), to[at..], out var length, new('x'));
            at += length;
            if (i < 7)
                to[at++] = (byte)':';
        }
        return isDotted ? at + WriteDotted(bytes[12..], to[at..]) : at;
    }

    /// <summary>The first of the longest runs of zero groups; a single one is not shortened (RFC 5952 section 4.2.2).</summary>
    private static (int First, int Count) LongestZeros(ReadOnlySpan<byte> bytes)
    {
        var (first, count) = (-1, 1);
        for (var start = 0; start < 8; start++)
        {
            var end = start;
            while (end < 8 && bytes[end * 2] == 0 && bytes[end * 2 + 1] == 0)
                end++;
            if (end - start > count)
                (first, count) = (start, end - start);
        }
        return (first, count);
    }
}
