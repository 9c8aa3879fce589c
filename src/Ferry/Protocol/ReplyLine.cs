namespace Ferry.Protocol;

/// <summary>
/// A view of one line of a reply without its end (RFC 959 §4.2).
/// <code>
///   2 1 1 -  Features:      first line of several
///   ...      any text
///   2 1 1 SP End            last line; also the form of a reply of one line
/// </code>
/// </summary>
internal readonly ref struct ReplyLine
{
    private ReplyLine(int code, bool continues, ReadOnlySpan<byte> text)
    {
        Code = code;
        Continues = continues;
        Text = text;
    }

    /// <summary>100-599; 0 where the line does not begin with a code.</summary>
    public int Code { get; }

    /// <summary>True where a hyphen follows the code.</summary>
    public bool Continues { get; }

    public ReadOnlySpan<byte> Text { get; }

    /// <summary>Reads a line as the grammar has it: a space, a hyphen or nothing follows the code.</summary>
    public static ReplyLine Parse(ReadOnlySpan<byte> line) =>
        line.Length > 3 && line[3] is not ((byte)' ' or (byte)'-') ? new ReplyLine(0, false, line) : ParseFirst(line);

    /// <summary>
    /// Reads the first line of a reply as the laxest clients do, for whom anything may follow the code (Python's ftplib looks at three
    /// bytes): what they would take for a 227 must not pass as mere text.
    /// </summary>
    public static ReplyLine ParseFirst(ReadOnlySpan<byte> line)
    {
        if (line.Length < 3 || line[0] is < (byte)'1' or > (byte)'5' || !char.IsAsciiDigit((char)line[1]) || !char.IsAsciiDigit((char)line[2]))
            return new ReplyLine(0, false, line);
        var code = ((line[0] - '0') * 100) + ((line[1] - '0') * 10) + (line[2] - '0');
        var text = line[3..];
        var continues = text is [(byte)'-', ..];
        return new ReplyLine(code, continues, continues || text is [(byte)' ', ..] ? text[1..] : text);
    }
}
