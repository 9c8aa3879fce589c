using System.Text;

namespace Ferry.Transport.Dns;

/// <summary>
/// Names on the wire (RFC 1035 §3.1, §4.1.4): labels of up to 63 bytes behind their lengths, ended by the root's empty one or by a pointer to
/// an earlier place of the message.
/// <code>
///   3 f t p 7 e x a m p l e 3 c o m 0        |1 1| offset within the message |
/// </code>
/// As text they are in lower case, without the last dot; bytes that no host name has are written <c>\ddd</c> (RFC 1035 §5.1), so that no two
/// names look alike.
/// </summary>
internal static class DnsName
{
    /// <summary>The longest name, lengths and root included.</summary>
    public const int MaxBytes = 255;

    private const int MaxLabel = 63;

    /// <summary>Writes a name of letters, digits, hyphens and underscores.</summary>
    /// <returns>How many bytes it took; 0 where the text is no such name.</returns>
    public static int Write(ReadOnlySpan<char> name, Span<byte> to)
    {
        var at = 0;
        name = name.EndsWith('.') ? name[..^1] : name;
        foreach (var range in name.Split('.'))
        {
            var label = name[range];
            if (label.Length is 0 or > MaxLabel || at + label.Length + 2 > Math.Min(to.Length, MaxBytes))
                return 0;
            to[at++] = (byte)label.Length;
            foreach (var c in label)
            {
                if (!IsOfHost(c))
                    return 0;
                to[at++] = (byte)c;
            }
        }
        to[at++] = 0;
        return at;
    }

    /// <summary>Reads a name.</summary>
    /// <param name="message">The whole message, which pointers lead into.</param>
    /// <param name="at">Where the name begins; then where what follows it does.</param>
    /// <returns>The name; null where it is none.</returns>
    public static string? Read(ReadOnlySpan<byte> message, ref int at)
    {
        var name = new StringBuilder();
        var (place, bytes, earliest) = (at, 1, at);
        var hasJumped = false;
        while (place < message.Length)
        {
            var length = message[place];
            if ((length & 0xC0) == 0xC0)
            {
                if (place + 1 >= message.Length)
                    return null;
                var target = (length & 0x3F) << 8 | message[place + 1];
                if (!hasJumped)
                    at = place + 2;
                // Only ever backwards: so no pointer is followed twice, and there is an end.
                if (target >= earliest)
                    return null;
                (place, earliest, hasJumped) = (target, target, true);
                continue;
            }
            bytes += length + 1;
            // The two other beginnings of a length are reserved (RFC 1035 §4.1.4).
            if (length > MaxLabel || bytes > MaxBytes || place + 1 + length > message.Length)
                return null;
            if (length == 0)
            {
                if (!hasJumped)
                    at = place + 1;
                return name.ToString();
            }
            AppendLabel(name, message.Slice(place + 1, length));
            place += length + 1;
        }
        return null;
    }

    private static void AppendLabel(StringBuilder name, ReadOnlySpan<byte> label)
    {
        if (name.Length > 0)
            name.Append('.');
        foreach (var b in label)
        {
            if (IsOfHost((char)b))
                name.Append(char.ToLowerInvariant((char)b));
            else
                name.Append('\\').Append((char)('0' + b / 100)).Append((char)('0' + b / 10 % 10)).Append((char)('0' + b % 10));
        }
    }

    private static bool IsOfHost(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_';
}
