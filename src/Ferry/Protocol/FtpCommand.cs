using System.Buffers;
using System.Text;

namespace Ferry.Protocol;

/// <summary>
/// A view of one command line without its end (RFC 959 §5.3).
/// <code>
///   RETR SP path/to file
///   \__/    \__________/
///   Word     Argument
/// </code>
/// </summary>
internal readonly ref struct FtpCommand
{
    private static readonly SearchValues<byte> Letters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private FtpCommand(FtpVerb verb, ReadOnlySpan<byte> word, ReadOnlySpan<byte> argument)
    {
        Verb = verb;
        Word = word;
        Argument = argument;
    }

    public FtpVerb Verb { get; }

    public ReadOnlySpan<byte> Word { get; }

    /// <summary>What follows the first space or tab, spaces and all: a path may begin with one.</summary>
    public ReadOnlySpan<byte> Argument { get; }

    /// <param name="line">The line, Telnet commands already taken out (<see cref="TelnetLine"/>).</param>
    public static FtpCommand Parse(ReadOnlySpan<byte> line)
    {
        // ProFTPD takes space before a command and a tab behind it, so what it would obey must not be overlooked here.
        line = line.TrimStart(" \t"u8);
        var space = line.IndexOfAny((byte)' ', (byte)'\t');
        var word = space < 0 ? line : line[..space];
        return new FtpCommand(FtpVerbs.Parse(word), word, space < 0 ? default : line[(space + 1)..]);
    }

    /// <summary>The command as it may be logged: never the argument of a command that carries a secret, nor a line that is no command and may be one by mistake.</summary>
    public override string ToString()
    {
        if (!IsWord)
            return "***";
        var word = Printable(Word);
        return Argument.IsEmpty ? word
            : CarriesSecret ? word + " ***"
            : word + " " + Printable(Argument);
    }

    // RFC 959 §5.3: a command is three or four letters. "?PASS secret" and a password on a line of its own are none.
    private bool IsWord => Word.Length is 3 or 4 && !Word.ContainsAnyExcept(Letters);

    // SITE carries one in forms such as SITE PSWD and SITE CHPASS; which ones is the server's affair, so none is shown.
    // RFC 2228 §3, §5: ADAT is a login of its own; MIC, CONF and ENC wrap other commands, PASS among them.
    private bool CarriesSecret => Verb is FtpVerb.Pass or FtpVerb.Acct
        || Is("SITE"u8) || Is("ADAT"u8) || Is("MIC"u8) || Is("CONF"u8) || Is("ENC"u8);

    /// <summary>What stands before the first CR: a client that ends its lines with CR alone has its PASS behind it.</summary>
    public static ReadOnlySpan<byte> WithoutSecondLine(ReadOnlySpan<byte> argument) => argument.IndexOf((byte)'\r') is >= 0 and var end ? argument[..end] : argument;

    private bool Is(ReadOnlySpan<byte> word) => Ascii.EqualsIgnoreCase(Word, word);

    private static string Printable(ReadOnlySpan<byte> bytes)
    {
        const int most = 200;
        var shown = WithoutSecondLine(bytes.Length > most ? bytes[..most] : bytes);
        return string.Create(shown.Length, shown, static (text, source) =>
        {
            for (var i = 0; i < source.Length; i++)
                text[i] = source[i] is >= 0x20 and < 0x7F ? (char)source[i] : '?';
        });
    }
}
