namespace Ferry.Protocol;

// Replies that tell what software a server is, and what stands in their place.
internal sealed partial class ControlEngine
{
    private const string HelpText = "Help is not available here.";

    private const string StatusText = "The service is in order.";

    // RFC 959 §4.1.3 has them from the list of system names; clients read listings by them.
    private static readonly string[] Systems = ["UNIX Type: L8", "Windows_NT", "MVS", "VMS", "OS/400", "MACOS", "NETWARE"];

    /// <summary>What stands in the place of a reply of the server's; null where it passes.</summary>
    private byte[]? MaskOf(PendingCommand asker, int code, ReadOnlySpan<byte> text)
    {
        if (asker.IsGreeting && (_greeting.HidesServer || _greeting.Greeting is not null))
        {
            return code switch
            {
                220 => Greeting,
                120 => ReplyWriter.Line(120, "Please wait."), // another one follows
                _ => null,
            };
        }
        if (!_greeting.HidesServer)
            return null;
        return (asker.Verb, code) switch
        {
            (FtpVerb.Syst, 215) => ReplyWriter.Line(215, SystemOf(text)),
            (FtpVerb.Help, >= 200 and < 300) => ReplyWriter.Line(214, HelpText),
            (FtpVerb.Stat, >= 200 and < 300) when asker.IsBare => ReplyWriter.Line(211, StatusText),
            (FtpVerb.User, 331) => ReplyWriter.Line(331, PasswordWanted),
            (FtpVerb.Pass, 530) => ReplyWriter.Line(530, LoginRefused),
            _ => null,
        };
    }

    private static string SystemOf(ReadOnlySpan<byte> text)
    {
        foreach (var system in Systems)
        {
            var word = system.Split(' ')[0];
            if (text.Length >= word.Length && Is(text[..word.Length], System.Text.Encoding.ASCII.GetBytes(word)))
                return system;
        }
        return Systems[0];
    }
}
