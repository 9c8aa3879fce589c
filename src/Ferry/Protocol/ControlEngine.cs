using System.Net.Sockets;
using System.Text;

namespace Ferry.Protocol;

/// <summary>
/// The rules of a control conversation. It has no socket, clock or log: it is shown one line at a time and says what to do with it.
/// It keeps the commands in flight in the order sent, so that every reply is read as the answer to the command that asked (RFC 959 §5.4).
/// Not thread-safe: the session guards it.
/// </summary>
internal sealed partial class ControlEngine
{
    /// <summary>Most commands in flight; a client that pipelines more waits until replies have come.</summary>
    public const int MaxInFlight = 32;

    private readonly bool _clientIsIPv6;
    // The greeting is the first reply: what a client sends before it (120 announces a delay) is answered after it.
    private readonly List<PendingCommand> _pending = [new PendingCommand(FtpVerb.Other) { IsGreeting = true }];
    private bool _onlyEpsv;

    /// <param name="clientFamily">The family of the client's control connection: InterNetwork or InterNetworkV6.</param>
    /// <param name="tls">What to do about TLS; none on either side unless said.</param>
    /// <param name="data">What to do about data connections.</param>
    /// <param name="greeting">What is said in place of a server.</param>
    public ControlEngine(AddressFamily clientFamily, TlsRules? tls = null, DataRules? data = null, GreetingRules? greeting = null)
    {
        _greeting = greeting ?? GreetingRules.None;
        if (_greeting.ChoosesAtUser)
            _pending.Clear();
        _clientIsIPv6 = clientFamily == AddressFamily.InterNetworkV6;
        _rules = tls ?? TlsRules.None;
        _data = data ?? DataRules.Default;
        ClientIsTls = ClientDataIsPrivate = _rules.ClientOffer == ClientTlsOffer.Implicit;
    }

    /// <summary>A login has been accepted (230 or 232) and not ended by REIN.</summary>
    public bool LoggedIn { get; private set; }

    /// <summary>The name of the latest USER, at most 256 bytes of it; null before the first.</summary>
    public string? User { get; private set; }

    /// <summary>Commands without a final reply, the greeting, Ferry's own commands and its waiting answers included.</summary>
    public int InFlight => _pending.Count;

    /// <summary>The client has asked for an abort that has not been answered yet.</summary>
    public bool AbortInFlight => _pending.Exists(static p => p.Verb == FtpVerb.Abor);

    /// <summary>A command that was told to wait would be told so again.</summary>
    public bool MustWait => _pending.Count >= MaxInFlight || IsSettingUp || MustWaitForTls;

    /// <summary>Shows a command of the client.</summary>
    /// <param name="line">The line without its end, Telnet commands taken out.</param>
    public ControlDecision OnCommand(ReadOnlySpan<byte> line)
    {
        _waitsForQuiet = _waitsForTransfers = false;
        // While a channel is being set up even that, for the server may have to be asked twice, and replies keep the order of their commands.
        if (MustWait)
            return ControlDecision.Wait;
        var decision = Decide(FtpCommand.Parse(line));
        if (decision.Kind is not (DecisionKind.Wait or DecisionKind.Insert))
            ForgetAsked();
        return decision;
    }

    private ControlDecision Decide(FtpCommand command)
    {
        if (IsTooEarly(command))
            return Answer(530, "This server wants TLS; send AUTH TLS first.");
        if (IsAtFront)
            return DecideAtFront(command);
        switch (command.Verb)
        {
            case FtpVerb.Rein when _greeting.ChoosesAtUser && !ClientIsTls && !_clientCleared:
                return Reinitialize();
            case FtpVerb.User when _greeting.ChoosesAtUser: // this server may not be the other user's
                return Answer(530, "Logged in already; log out first.");
            case FtpVerb.Stat:
                _pending.Add(new PendingCommand(FtpVerb.Stat) { IsBare = command.Argument.Trim((byte)' ').IsEmpty });
                return ControlDecision.Forward;
            case FtpVerb.Host:
                Host = NameOf(command.Argument.Trim((byte)' '));
                return Send(command.Verb);
            case FtpVerb.Pasv or FtpVerb.Epsv or FtpVerb.Port or FtpVerb.Eprt:
                return OnSetUp(command.Verb, command.Argument.Trim((byte)' '));
            case FtpVerb.Cpsv or FtpVerb.Lprt or FtpVerb.Lpsv or FtpVerb.Spsv:
                return Answer(502, "Command not implemented; use PASV or EPSV.");
            case FtpVerb.Esta or FtpVerb.Estp: // Pure-FTPd's; they tell the addresses of its data connection
                return Answer(502, "Command not implemented.");
            case FtpVerb.Sscn: // it would make the server the TLS client of its data connections
                return Answer(502, "Command not implemented.");
            case FtpVerb.Auth:
                return OnAuth(command.Argument.Trim((byte)' '));
            case FtpVerb.Pbsz:
                return OnPbsz(command.Argument.Trim((byte)' '));
            case FtpVerb.Prot:
                return OnProt(command.Argument.Trim((byte)' '));
            case FtpVerb.Ccc:
                return OnCcc();
            case FtpVerb.Rein when UsesTls: // RFC 4217 would have TLS end with it, on both sides at once; no client is known that asks for this
                return Answer(502, "REIN is not available here; connect again.");
            case FtpVerb.Pass or FtpVerb.Acct when _userIsStale:
                return Answer(503, "Log in with USER again, now that TLS is on.");
            case FtpVerb.Mode when command.Argument.Trim((byte)' ') is [(byte)'B' or (byte)'b' or (byte)'C' or (byte)'c']:
                return Answer(504, "Only stream mode is available here (MODE S).");
            case FtpVerb.User:
                User = NameOf(command.Argument);
                _userIsStale = false;
                return Send(command.Verb);
        }
        if (FtpVerbs.DataOf(command.Verb) == DataUse.None)
            return Send(command.Verb);
        if (SecureData() is { } instead)
            return instead;
        if (!_channelReady)
            return Send(command.Verb);
        return new ControlDecision(DecisionKind.OpenTransfer) { Verb = command.Verb, ClientIsPrivate = ClientDataIsPrivate, UpstreamIsPrivate = UpstreamDataIsPrivate };
    }

    /// <summary>The number of the latest transfer, counted from 1.</summary>
    public int LastTransfer { get; private set; }

    /// <summary>The number of the oldest transfer without a final reply; those before it are over, whether the server has said so or not.</summary>
    public int OldestTransfer
    {
        get
        {
            var index = _pending.FindIndex(static p => p.HasData);
            return index < 0 ? LastTransfer + 1 : _pending[index].Transfer;
        }
    }

    /// <summary>The data connection to the server stands: forward the transfer command that OpenTransfer was said of.</summary>
    public ControlDecision TransferOpened(FtpVerb verb)
    {
        _channelReady = false;
        _pending.Add(Noted(verb) with { Transfer = ++LastTransfer });
        return ControlDecision.Forward;
    }

    /// <summary>There is no data connection to the server: the transfer command is answered 425.</summary>
    public ControlDecision TransferRefused(string text)
    {
        _channelReady = false;
        return Answer(425, text);
    }

    /// <summary>The client is answered in place of the server, in its turn: for a line that is no command.</summary>
    public ControlDecision Answer(int code, string text)
    {
        var line = ReplyWriter.Line(code, text);
        if (IsQuiet)
            return new ControlDecision(DecisionKind.Answer) { Bytes = line };
        _pending.Add(new PendingCommand(FtpVerb.Other) { Answer = line });
        return new ControlDecision(DecisionKind.Queued);
    }

    /// <summary>Takes the next answer of Ferry's own whose turn has come; null when there is none. Call after each reply until null.</summary>
    public byte[]? TakeAnswer()
    {
        if (_held || _inside != Inside.Nothing || _pending.Count == 0 || _pending[0].Answer is not { } answer)
            return null;
        _pending.RemoveAt(0);
        return answer;
    }

    private ControlDecision Send(FtpVerb verb)
    {
        _pending.Add(Noted(verb));
        return ControlDecision.Forward;
    }

    private PendingCommand Noted(FtpVerb verb) => new(verb) { ClientIsPrivate = ClientDataIsPrivate, UpstreamIsPrivate = UpstreamDataIsPrivate };

    private static string NameOf(ReadOnlySpan<byte> argument)
    {
        const int most = 256;
        return Encoding.UTF8.GetString(FtpCommand.WithoutSecondLine(argument.Length > most ? argument[..most] : argument));
    }
}
