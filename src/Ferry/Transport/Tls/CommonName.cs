using System.Buffers;
using System.Globalization;
using System.Text;

namespace Ferry.Transport.Tls;

/// <summary>The common name out of a subject in the form of RFC 2253.</summary>
internal static class CommonName
{
    /// <summary>Reads the first of a subject, which is the most specific.</summary>
    /// <param name="subject">Such as <c>CN=anna,O=Example\, Inc</c>.</param>
    /// <param name="to">Takes it in UTF-8.</param>
    /// <returns>Its length; 0 where there is none that can be told whole: it is too long, has control characters, or is of a strange type.</returns>
    public static int Read(string subject, Span<byte> to)
    {
        var rest = subject.AsSpan();
        while (!rest.IsEmpty)
        {
            var end = EndOf(rest);
            var part = rest[..end];
            if (part.StartsWith("CN="))
                return end == rest.Length && subject.Length >= PeerCertificate.MostSubject ? 0 : Unescape(part[3..], to);
            rest = rest[Math.Min(end + 1, rest.Length)..];
        }
        return 0;
    }

    private static int EndOf(ReadOnlySpan<char> text)
    {
        var at = 0;
        while (at < text.Length && text[at] is not (',' or '+'))
            at += text[at] == '\\' ? 2 : 1;
        return Math.Min(at, text.Length);
    }

    // RFC 2253 §2.4: a backslash stands before a character that has a meaning, or before the two digits of a byte.
    private static int Unescape(ReadOnlySpan<char> value, Span<byte> to)
    {
        var length = 0;
        if (value.StartsWith("#")) // the encoding of a value that is no text
            return 0;
        Span<byte> bytes = stackalloc byte[4];
        while (!value.IsEmpty)
        {
            var (taken, count) = (1, 1);
            if (value[0] == '\\' && value.Length >= 3 && byte.TryParse(value.Slice(1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out bytes[0]))
            {
                taken = 3;
            }
            else
            {
                var skip = value[0] == '\\' ? 1 : 0;
                if (Rune.DecodeFromUtf16(value[skip..], out var rune, out var units) != OperationStatus.Done)
                    return 0;
                (taken, count) = (skip + units, rune.EncodeToUtf8(bytes));
            }
            if (bytes[0] is < 0x20 or 0x7F || count > to.Length - length)
                return 0;
            bytes[..count].CopyTo(to[length..]);
            length += count;
            value = value[taken..];
        }
        return length;
    }
}
