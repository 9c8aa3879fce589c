using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Ferry.Telemetry;

/// <summary>
/// How words from outside are written down. Whoever chooses a user name or a path must not be able to end a line, to begin another, or to send an escape sequence
/// to the terminal of the person who reads the log.
/// </summary>
internal static class LogText
{
    /// <summary>Most characters of one message, as NGX_MAX_ERROR_STR of nginx.</summary>
    public const int MostMessage = 2048;

    /// <summary>Most characters of any other value: a path may be longer than PATH_MAX only by mistake or malice.</summary>
    public const int MostValue = 4096;

    /// <summary>Adds text with its control, format and separator characters as <c>\xXX</c> or <c>\uXXXX</c> and the backslash doubled, cut after <paramref name="most"/> characters.</summary>
    public static void AddSafe(this LogLine line, ReadOnlySpan<char> text, int most)
    {
        var isCut = text.Length > most;
        if (isCut)
            text = text[..most];
        while (text.Length > 0)
        {
            var safe = 0;
            while (safe < text.Length && IsSafe(text[safe]))
                safe++;
            line.Add(text[..safe]);
            text = text[safe..];
            if (text.IsEmpty)
                break;
            if (Rune.DecodeFromUtf16(text, out var rune, out var used) == OperationStatus.Done && rune.Value != '\\' && IsShown(rune))
                line.Add(text[..used]);
            else
            {
                foreach (var c in text[..used])
                {
                    if (c == '\\')
                        line.Add("\\\\"u8);
                    else if (c <= 0xFF)
                        line.Add("\\x"u8).Add((byte)c, "X2");
                    else
                        line.Add("\\u"u8).Add((int)c, "X4");
                }
            }
            text = text[used..];
        }
        if (isCut)
            line.Add("..."u8);
    }

    /// <summary>A value in a line of <c>log_format</c>, escaped as nginx's default: <c>"</c>, <c>\</c> and every byte below 32 or above 126 become <c>\xXX</c>.</summary>
    public static string AccessValue(string value)
    {
        value = Bounded(value);
        if (value.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0 && value.AsSpan().IndexOfAny('"', '\\') < 0)
            return value;
        return AccessBytes(Encoding.UTF8.GetBytes(value));
    }

    /// <inheritdoc cref="AccessValue"/>
    public static string AccessBytes(ReadOnlySpan<byte> value)
    {
        var text = new StringBuilder(value.Length + 16);
        foreach (var b in value)
        {
            if (b is < 32 or > 126 or (byte)'"' or (byte)'\\')
                text.Append(CultureInfo.InvariantCulture, $"\\x{b:X2}");
            else
                text.Append((char)b);
        }
        return text.ToString();
    }

    /// <summary>A name in an xferlog, whose fields end at white space: spaces and everything that is not shown become <c>_</c>, as wu-ftpd did. Bytes that are not UTF-8 stay
    /// as they are, unless a terminal would take them for control characters; an empty name is <c>-</c>, because readers count fields.</summary>
    public static void AddName(this LogLine line, ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty)
            line.Add((byte)'-');
        if (name.Length > MostValue)
            name = name[..MostValue];
        while (name.Length > 0)
        {
            var isText = Rune.DecodeFromUtf8(name, out var rune, out var used) == OperationStatus.Done;
            foreach (var b in name[..used])
            {
                if (isText ? !IsShown(rune) || Rune.IsWhiteSpace(rune) : b is >= 0x80 and < 0xA0)
                {
                    line.Add((byte)'_');
                    if (isText)
                        break;
                }
                else
                    line.Add(b);
            }
            name = name[used..];
        }
    }

    /// <summary>Bytes of any encoding as text: UTF-8 where they are that, else a character a byte (ISO 8859-1), which loses nothing.</summary>
    public static string Decode(ReadOnlySpan<byte> bytes) =>
        Bounded((Utf8.IsValid(bytes) ? Encoding.UTF8 : Encoding.Latin1).GetString(bytes));

    /// <summary>No more of a value than a line has room for.</summary>
    [return: NotNullIfNotNull(nameof(value))]
    public static string? Bounded(string? value) => value is { Length: > MostValue } ? value[..MostValue] : value;

    private static bool IsSafe(char c) => c is >= ' ' and <= '~' and not '\\';

    private static bool IsShown(Rune rune) => Rune.GetUnicodeCategory(rune) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.OtherNotAssigned);
}
