using System.Text;

namespace Ferry.Protocol;

/// <summary>
/// The time before the login where the server is chosen by user: Ferry speaks for itself, and a server is there for USER, PASS and ACCT alone.
/// <code>
///   no server ──USER: Route──> Routed ──331──> PASS: LogIn ──230──> as with any server ──REIN: Release──> no server
///        ^                        │                  └──530──> no server is asked but by the next USER
///        └── PASS: Deny (530) ── Unrouted (331)
/// </code>
/// </summary>
internal sealed partial class ControlEngine
{
    /// <summary>A session in which so many logins were refused is ended, as vsftpd and ProFTPD do: each USER may have led to a server of its own.</summary>
    private const int MostRefusals = 3;

    /// <summary>The longest name that is looked up.</summary>
    private const int LongestName = 256;

    private readonly GreetingRules _greeting;
    private readonly List<(string Kind, byte[] Line)> _heard = [];
    private bool _hasServer;
    private bool _isUnknown;
    private bool _isReplaceable;
    private int _refusals;
    private byte[] _userLine = [];

    /// <summary>No login has been accepted yet, and the server is chosen by user: no line reaches a server but USER, PASS and ACCT.</summary>
    public bool IsAtFront => _greeting.ChoosesAtUser && !LoggedIn;

    /// <summary>The name of the latest HOST (RFC 7151), at most 256 bytes of it; null before the first.</summary>
    public string? Host { get; private set; }

    /// <summary>Ferry's own 220.</summary>
    public byte[] Greeting => ReplyWriter.Line(220, _greeting.Greeting ?? "FTP server ready");

    /// <summary>What the client has said that a server must know: whole lines, in the order said.</summary>
    public IEnumerable<byte[]> Heard => _heard.ConvertAll(static h => h.Line);

    /// <summary>The USER that a server is told.</summary>
    public ReadOnlyMemory<byte> UserLine => _userLine;

    /// <summary>PASS has not been answered: a server that fails may be replaced by another, which is told <see cref="Heard"/> and <see cref="UserLine"/>.</summary>
    public bool IsReplaceable => _isReplaceable;

    /// <summary>A reply has begun and not ended.</summary>
    public bool IsInsideReply => _inside != Inside.Nothing;

    /// <summary>The client has been refused as often as it may.</summary>
    public bool IsRefusedTooOften => _refusals >= MostRefusals;

    /// <summary>A place has been found for the user of the Route.</summary>
    /// <param name="name">What the server is to call the user; null: as the client does.</param>
    /// <returns>Rewrite, with the line that the server is to be told.</returns>
    public ControlDecision Routed(string? name)
    {
        _hasServer = _isReplaceable = true;
        _isUnknown = false;
        if (name is not null)
            _userLine = [.. "USER "u8, .. Encoding.UTF8.GetBytes(name), .. "\r\n"u8];
        _pending.Add(new PendingCommand(FtpVerb.User));
        return new ControlDecision(DecisionKind.Rewrite) { Verb = FtpVerb.User, Bytes = _userLine };
    }

    /// <summary>There is no place for the user of the Route: it is treated as one with a wrong password.</summary>
    /// <returns>Answer, or Queued.</returns>
    public ControlDecision Unrouted()
    {
        _isUnknown = true;
        return Answer(331, PasswordWanted);
    }

    /// <summary>The connection to the server is gone, and what was agreed on with it: another one may follow.</summary>
    public void UpstreamLeft()
    {
        UpstreamIsTls = _upstreamHasTls = _upstreamRefusesTls = _pbszDone = false;
        _upstreamData = Protection.Clear;
        _unknown = SetUpCommands.None;
        _setUp = null;
        ForgetRefusals();
    }

    private const string PasswordWanted = "Password required.";

    private const string LoginRefused = "Login incorrect.";

    private ControlDecision DecideAtFront(FtpCommand command)
    {
        var argument = command.Argument.Trim((byte)' ');
        switch (command.Verb)
        {
            case FtpVerb.Auth:
                return OnAuth(argument);
            case FtpVerb.Pbsz:
                return OnPbsz(argument);
            case FtpVerb.Prot:
                return OnProt(argument);
            case FtpVerb.User:
                return OnUser(command.Argument);
            case FtpVerb.Pass or FtpVerb.Acct:
                return OnPassword(command.Verb, command.Argument);
            case FtpVerb.Host:
                return OnHost(argument);
            case FtpVerb.Opts when FtpCommand.Parse(argument).Word is var option && (Is(option, "UTF8"u8) || Is(option, "UTF-8"u8)):
                return Hear("OPTS", command.Word, argument, "UTF8 is taken.");
            case FtpVerb.Clnt:
                return Hear("CLNT", command.Word, argument, "Noted.");
            case FtpVerb.Lang:
                return Hear("LANG", command.Word, argument, "Noted.");
            case FtpVerb.Feat:
                return new ControlDecision(DecisionKind.Answer) { Bytes = FeatureList.Whole([.. " CLNT\r\n"u8, .. TlsFeatures, .. FeatureList.Extended(eprt: true, epsv: true), .. " HOST\r\n UTF8\r\n"u8]) };
            case FtpVerb.Syst:
                return Answer(215, "UNIX Type: L8");
            case FtpVerb.Noop:
                return Answer(200, "OK.");
            case FtpVerb.Help:
                return Answer(214, HelpText);
            case FtpVerb.Stat when argument.IsEmpty:
                return Answer(211, StatusText);
            case FtpVerb.Rein when !ClientIsTls && !_clientCleared:
                return Reinitialize();
            case FtpVerb.Rein: // RFC 4217 would have TLS end with it
                return Answer(502, "REIN is not available here; connect again.");
            case FtpVerb.Quit:
                return new ControlDecision(DecisionKind.Farewell) { Code = 221, Bytes = ReplyWriter.Line(221, "Goodbye.") };
            default:
                return Answer(530, "Log in with USER and PASS.");
        }
    }

    private ControlDecision OnUser(ReadOnlySpan<byte> argument)
    {
        var name = FtpCommand.WithoutSecondLine(argument);
        if (name.Length is 0 or > LongestName)
            return Answer(501, name.IsEmpty ? "USER needs a name." : "The name is too long.");
        User = NameOf(name);
        _userIsStale = _hasServer = _isUnknown = _isReplaceable = _awaitsPassword = _isLookedUp = false;
        _userLine = [.. "USER "u8, .. name, .. "\r\n"u8];
        return new ControlDecision(DecisionKind.Route) { Verb = FtpVerb.User };
    }

    private ControlDecision OnPassword(FtpVerb verb, ReadOnlySpan<byte> argument)
    {
        if (_userIsStale)
            return Answer(503, "Log in with USER again, now that TLS is on.");
        if (_isUnknown && verb == FtpVerb.Pass)
        {
            _isUnknown = false;
            _refusals++;
            return new ControlDecision(DecisionKind.Deny) { Verb = verb, Code = 530, Bytes = ReplyWriter.Line(530, LoginRefused) };
        }
        if (_awaitsPassword && verb == FtpVerb.Pass)
        {
            _awaitsPassword = false;
            return new ControlDecision(DecisionKind.LookUp) { Verb = verb, Bytes = argument.ToArray() };
        }
        if (!_hasServer)
            return Answer(503, "Log in with USER first.");
        _pending.Add(new PendingCommand(verb));
        return new ControlDecision(DecisionKind.LogIn) { Verb = verb };
    }

    // RFC 7151 §3.
    private ControlDecision OnHost(ReadOnlySpan<byte> argument)
    {
        var name = FtpCommand.WithoutSecondLine(argument);
        if (name.Length is 0 or > LongestName || name.ContainsAny((byte)' ', (byte)'\t'))
            return Answer(501, "HOST needs a name.");
        if (_hasServer || _isUnknown || _awaitsPassword)
            return Answer(503, "HOST comes before USER.");
        Host = NameOf(name);
        return Hear("HOST", "HOST"u8, name, "Host accepted.", 220);
    }

    private ControlDecision Hear(string kind, ReadOnlySpan<byte> word, ReadOnlySpan<byte> argument, string text, int code = 200)
    {
        var heard = FtpCommand.WithoutSecondLine(argument);
        if (heard.Length > LongestName)
            return Answer(501, "That is too long.");
        _heard.RemoveAll(h => h.Kind == kind);
        _heard.Add((kind, heard.IsEmpty ? [.. word, .. "\r\n"u8] : [.. word, (byte)' ', .. heard, .. "\r\n"u8]));
        return Answer(code, text);
    }

    /// <summary>REIN (RFC 959 §4.1.1), where a server can be left by itself.</summary>
    private ControlDecision Reinitialize()
    {
        if (!IsQuiet)
            return WaitForQuiet();
        LoggedIn = _channelReady = _onlyEpsv = _hasServer = _isUnknown = _isReplaceable = _userIsStale = _awaitsPassword = _isLookedUp = false;
        User = Host = null;
        _heard.Clear();
        return new ControlDecision(DecisionKind.Release) { Verb = FtpVerb.Rein, Bytes = Greeting };
    }

    /// <summary>A reply to USER, PASS or ACCT at the front.</summary>
    private void AnsweredAtFront(FtpVerb verb, int code)
    {
        if (verb != FtpVerb.User || code < 300)
            _isReplaceable = false;
        if (verb == FtpVerb.Pass && code >= 400)
            _refusals++;
        if (_isLookedUp)
            LookedUpAnswered(verb, code);
    }
}
