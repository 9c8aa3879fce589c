namespace Ferry.Protocol;

/// <summary>
/// The Telnet layer of a command line (RFC 854; RFC 959 §4.1.3 has clients send ABOR behind IAC IP, IAC DM).
/// <code>
///   FF F4        FF F2        A B O R      FF FB 01        FF FF
///   IAC IP       IAC DM       the command  IAC WILL ECHO   one byte of value 255
/// </code>
/// </summary>
internal static class TelnetLine
{
    private const byte Iac = 0xFF;

    /// <summary>True if the line has a byte that may begin a Telnet command.</summary>
    public static bool HasTelnet(ReadOnlySpan<byte> line) => line.Contains(Iac);

    /// <summary>Writes the line without its Telnet commands and with doubled 0xFF undone.</summary>
    /// <param name="line">A line without its end.</param>
    /// <param name="clean">At least as long as the line.</param>
    /// <returns>Bytes written.</returns>
    public static int Clean(ReadOnlySpan<byte> line, Span<byte> clean)
    {
        var written = 0;
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] != Iac || i + 1 == line.Length)
            {
                clean[written++] = line[i];
                continue;
            }
            switch (line[i + 1])
            {
                case Iac:
                    clean[written++] = Iac;
                    i++;
                    break;
                case >= 0xFB and <= 0xFE: // WILL, WONT, DO, DONT and their option
                    i += 2;
                    break;
                case >= 0xF0:
                    i++;
                    break;
                default: // a file name in an eight-bit encoding, from a client that does not know Telnet
                    clean[written++] = Iac;
                    break;
            }
        }
        return written;
    }
}
