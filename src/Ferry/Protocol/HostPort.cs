namespace Ferry.Protocol;

/// <summary>
/// An address and port as RFC 959 §4.1.2 writes them. A 227's are found by the numbers alone: RFC 1123 §4.1.2.6 warns that the text around them is free.
/// <code>
///   227 Entering Passive Mode (h1,h2,h3,h4,p1,p2).      port = p1 * 256 + p2
///   PORT h1,h2,h3,h4,p1,p2
/// </code>
/// </summary>
internal static class HostPort
{
    /// <summary>Finds the first six numbers of 0-255 with commas between them, and spaces behind those: clients that use scanf take them.</summary>
    /// <param name="text">The reply's text, without its code.</param>
    /// <param name="address">The address, h1 in the highest byte.</param>
    /// <param name="port">1-65535.</param>
    public static bool TryParse(ReadOnlySpan<byte> text, out uint address, out int port)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsAsciiDigit((char)text[i]))
                continue;
            if (TryParseSix(text[i..], out address, out port, out _))
                return true;
            while (i + 1 < text.Length && char.IsAsciiDigit((char)text[i + 1]))
                i++;
        }
        address = 0;
        port = 0;
        return false;
    }

    /// <summary>Reads the argument of PORT, which must be the six numbers and nothing else.</summary>
    /// <param name="argument">The argument without space around it.</param>
    /// <param name="address">The address, h1 in the highest byte.</param>
    /// <param name="port">1-65535.</param>
    public static bool TryParseArgument(ReadOnlySpan<byte> argument, out uint address, out int port)
    {
        if (TryParseSix(argument, out address, out port, out var length) && length == argument.Length)
            return true;
        address = 0;
        port = 0;
        return false;
    }

    private static bool TryParseSix(ReadOnlySpan<byte> text, out uint address, out int port, out int at)
    {
        ulong value = 0;
        address = 0;
        port = 0;
        at = 0;
        for (var n = 0; n < 6; n++)
        {
            if (n > 0 && (at == text.Length || text[at++] != ','))
                return false;
            while (n > 0 && at < text.Length && text[at] == ' ')
                at++;
            var digits = 0;
            var number = 0;
            while (at < text.Length && char.IsAsciiDigit((char)text[at]) && digits < 4)
            {
                number = (number * 10) + (text[at++] - '0');
                digits++;
            }
            if (digits is 0 or 4 || number > 255)
                return false;
            value = (value << 8) | (uint)number;
        }
        address = (uint)(value >> 16);
        port = (int)(value & 0xFFFF);
        return port != 0;
    }
}
