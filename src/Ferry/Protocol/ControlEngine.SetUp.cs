using System.Net;
using System.Net.Sockets;

namespace Ferry.Protocol;

// The server's side of a data channel: one command at a time, and another one where the server does not know the first.
internal sealed partial class ControlEngine
{
    /// <summary>The commands that set up the server's side.</summary>
    [Flags]
    private enum SetUpCommands
    {
        None = 0,
        Pasv = 1,
        Epsv = 2,
        Port = 4,
        Eprt = 8,
    }

    /// <summary>What a server's reply means for the channel that is being set up.</summary>
    private enum SetUpVerdict
    {
        /// <summary>The reply is the client's to read.</summary>
        Pass,

        /// <summary>The server will connect.</summary>
        Opened,

        /// <summary>Another command may do.</summary>
        Retry,

        /// <summary>There will be no channel, and the reply speaks of a command that the client has not sent.</summary>
        Refuse,

        /// <summary>A 1xx to a command that the client has not sent: the reply proper is still to come.</summary>
        Ignore,
    }

    private SetUpCommands _unknown;
    private SetUp? _setUp;

    /// <summary>A channel on its way.</summary>
    /// <param name="Client">The client's command.</param>
    /// <param name="Peer">What its PORT or EPRT names.</param>
    private sealed record SetUp(FtpVerb Client, IPEndPoint? Peer)
    {
        /// <summary>Where the server is to connect to.</summary>
        public IPEndPoint? Announced { get; init; }

        /// <summary>What the server is being asked.</summary>
        public FtpVerb Server { get; init; }

        /// <summary>What it has been asked.</summary>
        public SetUpCommands Tried { get; init; }
    }

    private ControlDecision Begin(SetUp setUp, bool asItCame = false)
    {
        if (SecureData() is { } instead)
            return instead;
        if (NextCommand(setUp) is not { } command)
            return Answer(502, NoSuchChannel);
        if (FtpVerbs.IsActive(command))
        {
            _setUp = setUp;
            return new ControlDecision(DecisionKind.OpenListener) { Verb = setUp.Client };
        }
        var asked = Ask(setUp, command);
        return asItCame && command == setUp.Client ? ControlDecision.Forward : asked;
    }

    private ControlDecision Ask(SetUp setUp, FtpVerb command)
    {
        var line = Asked(setUp, command);
        _pending.Add(new PendingCommand(command) { IsSetUp = true });
        return new ControlDecision(DecisionKind.Rewrite) { Bytes = line };
    }

    /// <summary>The line that asks the server, which is noted as what it is being asked.</summary>
    private byte[] Asked(SetUp setUp, FtpVerb command)
    {
        _setUp = setUp with { Server = command, Tried = setUp.Tried | Flag(command) };
        return command switch
        {
            FtpVerb.Port => CommandWriter.Port(setUp.Announced!),
            FtpVerb.Eprt => CommandWriter.ExtendedPort(setUp.Announced!),
            _ => CommandWriter.Passive(command),
        };
    }

    /// <summary>The command that the server is to be asked next; null where there is none left.</summary>
    private FtpVerb? NextCommand(SetUp setUp)
    {
        foreach (var command in Candidates(setUp.Client))
        {
            if (IsCandidate(setUp, command))
                return command;
        }
        return null;
    }

    // A client in active mode can be connected to whatever the server knows, so for it a server that knows passive mode only is asked for that in the end.
    // The other way round Ferry would have to be reached by the server, which is for the operator to say.
    private ReadOnlySpan<FtpVerb> Candidates(FtpVerb client) => (_data.Mode, client) switch
    {
        (DataMode.Pasv, _) => [FtpVerb.Pasv],
        (DataMode.Epsv, _) => [FtpVerb.Epsv],
        (DataMode.Port, _) => [FtpVerb.Port],
        (DataMode.Eprt, _) => [FtpVerb.Eprt],
        (DataMode.Active, FtpVerb.Eprt) => [FtpVerb.Eprt, FtpVerb.Port],
        (DataMode.Active, _) => [FtpVerb.Port, FtpVerb.Eprt],
        (_, FtpVerb.Epsv) => [FtpVerb.Epsv, FtpVerb.Pasv],
        (DataMode.Client, FtpVerb.Eprt) => [FtpVerb.Eprt, FtpVerb.Port, FtpVerb.Pasv, FtpVerb.Epsv],
        (DataMode.Client, FtpVerb.Port) => [FtpVerb.Port, FtpVerb.Eprt, FtpVerb.Pasv, FtpVerb.Epsv],
        _ => [FtpVerb.Pasv, FtpVerb.Epsv],
    };

    private bool IsCandidate(SetUp setUp, FtpVerb command)
    {
        if (((_unknown | setUp.Tried) & Flag(command)) != 0)
            return false;
        var family = setUp.Announced is { } announced && FtpVerbs.IsActive(command) ? announced.AddressFamily : UpstreamFamily;
        return family != AddressFamily.InterNetworkV6 || command is FtpVerb.Epsv or FtpVerb.Eprt;
    }

    private static SetUpCommands Flag(FtpVerb command) => command switch
    {
        FtpVerb.Pasv => SetUpCommands.Pasv,
        FtpVerb.Epsv => SetUpCommands.Epsv,
        FtpVerb.Port => SetUpCommands.Port,
        _ => SetUpCommands.Eprt,
    };

    // RFC 959 §4.2, RFC 2428 §2: the command itself is refused, which it would be again. 550 is what vsftpd says of one that port_enable or pasv_enable turns off.
    private static bool IsUnknown(int code) => code is 500 or 501 or 502 or 504 or 522 or 550;

    /// <summary>Judges a reply to what the server is being asked, other than a 227, 228 or 229.</summary>
    private SetUpVerdict VerdictOn(int code)
    {
        var setUp = _setUp!;
        var isClients = setUp.Server == setUp.Client;
        return code switch
        {
            421 or 530 => SetUpVerdict.Pass, // "good-bye" and "log in first" are the same whatever was asked
            < 200 => isClients ? SetUpVerdict.Pass : SetUpVerdict.Ignore,
            < 300 when FtpVerbs.IsActive(setUp.Server) => SetUpVerdict.Opened,
            _ when IsUnknown(code) && NextCommand(setUp) is not null => SetUpVerdict.Retry,
            522 => SetUpVerdict.Refuse, // it names the families that the server takes from Ferry
            _ => isClients ? SetUpVerdict.Pass : SetUpVerdict.Refuse,
        };
    }

    /// <summary>The server has answered; its command is out of the queue, from where it stood.</summary>
    private ControlDecision SetUpAnswered(ControlDecision begun, int code)
    {
        var verdict = VerdictOn(code);
        var setUp = _setUp!;
        _setUp = null;
        // Before the login some servers refuse by these codes what they know very well.
        if (IsUnknown(code) && LoggedIn)
            _unknown |= Flag(setUp.Server);
        switch (verdict)
        {
            case SetUpVerdict.Opened:
                return Opened(setUp, new ControlDecision(DecisionKind.OpenPassive) { Code = code, UpstreamIsActive = true });
            case SetUpVerdict.Retry:
                var next = NextCommand(setUp)!.Value;
                _pending.Insert(_asker, new PendingCommand(next) { IsSetUp = true });
                return new ControlDecision(DecisionKind.Retry) { Code = code, Verb = next, Bytes = Asked(setUp, next) };
            case SetUpVerdict.Refuse:
                // Where nothing is left to ask, the client need not try again.
                return Refuse(IsUnknown(code) ? 502 : 425, $"The server refuses a data connection ({code}).");
            default:
                if (code < 400) // a refusal leaves the channel before it open
                    _channelReady = false;
                return begun with { Code = code };
        }
    }

    private ControlDecision Opened(SetUp setUp, ControlDecision decision)
    {
        _channelReady = false;
        if (setUp.Peer is null)
            return decision with { Verb = setUp.Client };
        var text = setUp.Client == FtpVerb.Port ? "PORT command successful." : "EPRT command successful.";
        return decision with { Kind = DecisionKind.OpenActive, Verb = setUp.Client, Client = setUp.Peer, Bytes = ReplyWriter.Line(200, text) };
    }

    /// <summary>A 227, 228 or 229 has ended.</summary>
    private ControlDecision EndPassive()
    {
        // Nobody asked for a port. The address must not reach the client; a command that waits for an answer gets one, a transfer its own.
        if (_asker < 0 || _pending[_asker].HasData)
            return ControlDecision.Swallow;
        var asker = _pending[_asker];
        _pending.RemoveAt(_asker);
        if (asker.Inserted != InsertedCommand.None)
            return InsertedAnswered(asker.Inserted, 501); // no answer to anything that Ferry asks
        if (!asker.IsSetUp)
            return Refuse(502, "Command not implemented; use PASV or EPSV.");
        var setUp = _setUp!;
        _setUp = null;
        _channelReady = false;
        return _seenPort > 0 && _insideCode != 228 && FtpVerbs.IsPassive(setUp.Server)
            ? Opened(setUp, new ControlDecision(DecisionKind.OpenPassive) { Code = _insideCode, Port = _seenPort, Address = _seenAddress })
            : Refuse(425, "The server's answer names no port that can be used.");
    }

    private static ControlDecision Refuse(int code, string text) =>
        new(DecisionKind.RefuseSetUp) { Code = code, Bytes = ReplyWriter.Line(code, text) };

    private void ReadPassive(ReadOnlySpan<byte> text, bool truncated)
    {
        if (truncated)
        {
            _seenPort = -1;
            return;
        }
        if (_seenPort != 0)
            return;
        if (_insideCode == 229 && ExtendedEndPoint.TryParse(text, out var extended))
        {
            _seenPort = extended;
            _seenAddress = 0;
        }
        else if (_insideCode == 227 && HostPort.TryParse(text, out var address, out var port))
        {
            _seenPort = port;
            _seenAddress = address;
        }
    }
}
