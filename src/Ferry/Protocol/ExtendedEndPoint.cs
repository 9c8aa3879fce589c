namespace Ferry.Protocol;

/// <summary>
/// The port of a 229 (RFC 2428 §3): the delimiter is any printable character, the two fields before the port are empty.
/// <code>
///   229 Entering Extended Passive Mode (|||6446|)
/// </code>
/// </summary>
internal static class ExtendedEndPoint
{
    /// <summary>Finds the port.</summary>
    /// <param name="text">The reply's text, without its code.</param>
    /// <param name="port">1-65535.</param>
    public static bool TryParse(ReadOnlySpan<byte> text, out int port)
    {
        for (var i = 0; i + 4 < text.Length; i++)
        {
            var delimiter = text[i];
            if (delimiter is < 33 or > 126 || char.IsAsciiDigit((char)delimiter) || text[i + 1] != delimiter || text[i + 2] != delimiter)
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
}
