namespace Ferry.Protocol;

/// <summary>
/// TLS as the server sees it. What Ferry has to ask goes ahead of the client's command that makes it necessary, one question at a time:
/// <code>
///   client: PASV   Ferry: PBSZ 0   server: 200   Ferry: PROT P   server: 200   PASV   server: 227
///                  \________ inserted; the client waits and sees nothing ________/
/// </code>
/// </summary>
internal sealed partial class ControlEngine
{
    private const string ClearDataRefusal = "Data connections must be protected; use PROT P.";

    private enum Protection
    {
        /// <summary>RFC 4217 leaves it open for TLS from the first byte, and drafts before it for AUTH SSL; most such servers protect.</summary>
        Unknown,

        /// <summary>PROT C.</summary>
        Clear,

        /// <summary>PROT P.</summary>
        Private,
    }

    private Protection _upstreamData = Protection.Clear;
    private bool _upstreamHasTls;
    private bool _upstreamRefusesTls;
    private bool _pbszDone;
    private int _clearRefusal;
    private int _privateRefusal;
    private bool _protAsked;
    private InsertedCommand _asked;
    private int _askedCode;

    /// <summary>The server's control channel is TLS.</summary>
    public bool UpstreamIsTls { get; private set; }

    /// <summary>A data connection to the server that opens now is TLS.</summary>
    public bool UpstreamDataIsPrivate => _upstreamHasTls && _upstreamData != Protection.Clear;

    /// <summary>
    /// The server's channel is TLS: the handshake that StartUpstreamTls asked for has succeeded, or the one that the session made before it showed
    /// the greeting.
    /// </summary>
    /// <param name="bySsl">The session's own AUTH was AUTH SSL.</param>
    public void UpstreamTlsStarted(bool bySsl = false)
    {
        _switching = false;
        UpstreamIsTls = _upstreamHasTls = true;
        var isOpen = bySsl || _asked == InsertedCommand.AuthSsl || _rules.UpstreamMode == UpstreamTlsMode.Implicit;
        _upstreamData = isOpen ? Protection.Unknown : Protection.Clear;
    }

    /// <summary>The server's channel is clear again, as StopUpstreamTls asked for.</summary>
    public void UpstreamTlsStopped()
    {
        _switching = false;
        UpstreamIsTls = false;
    }

    private bool WantsPrivateData => _rules.Protection switch
    {
        UpstreamDataRule.Clear => false,
        UpstreamDataRule.Private => true,
        _ => ClientDataIsPrivate || !(ClientIsTls || _clientCleared),
    };

    /// <summary>The server's data is not as it should be, and the server has not refused that.</summary>
    private bool IsProtectionOpen => _upstreamHasTls && _upstreamData != Level(WantsPrivateData) && Refusal(WantsPrivateData) == 0;

    /// <summary>Before a command that uses data: what is to be said or asked instead; null when the command may go.</summary>
    private ControlDecision? SecureData()
    {
        if (_rules.ClearDataRefused && !ClientDataIsPrivate)
            return Answer(534, ClearDataRefusal);
        if (IsProtectionOpen)
            return AskForProtection(WantsPrivateData);
        // Refused clear data stays protected, which is no harm; refused protection must not become clear data.
        if (!_upstreamHasTls || !WantsPrivateData || _upstreamData == Protection.Private)
            return null;
        return _privateRefusal == 530
            ? Answer(530, "Log in first.")
            : Answer(521, $"The server refuses to protect data connections ({_privateRefusal}).");
    }

    /// <summary>For a client's PROT that the server is to follow: what is to be said or asked instead; null when the server has.</summary>
    private ControlDecision? AskForSameProtection(bool isPrivate)
    {
        if (!UpstreamIsTls || _upstreamData == Level(isPrivate))
            return null;
        if (!_protAsked)
            ForgetRefusals();
        _protAsked = true;
        var refusal = Refusal(isPrivate);
        if (refusal == 0)
            return AskForProtection(isPrivate);
        // A server that wants the login first is asked again before data is used.
        if (!LoggedIn && refusal is 503 or 530)
            return null;
        var code = refusal is 431 or 504 or 534 or 536 ? refusal : 534;
        return Answer(code, isPrivate ? "The server refuses to protect data connections." : "The server refuses clear data connections.");
    }

    /// <summary>For a client's AUTH: what is asked of the server, or said where it has refused.</summary>
    private ControlDecision AskForTls()
    {
        switch (_asked)
        {
            case InsertedCommand.None when !_upstreamRefusesTls:
                return Insert(InsertedCommand.AuthTls);
            case InsertedCommand.AuthTls when _askedCode >= 500: // servers before RFC 4217 know SSL only
                return Insert(InsertedCommand.AuthSsl);
        }
        _upstreamRefusesTls |= _askedCode >= 500;
        return Answer(431, "The server offers no TLS.");
    }

    private ControlDecision AskForProtection(bool isPrivate)
    {
        // Beside a transfer a refusal could be either's.
        if (_pending.Exists(static p => p.HasData))
        {
            _waitsForTransfers = true;
            return ControlDecision.Wait;
        }
        if (!_pbszDone && _asked != InsertedCommand.Pbsz)
            return Insert(InsertedCommand.Pbsz);
        return Insert(isPrivate ? InsertedCommand.ProtPrivate : InsertedCommand.ProtClear);
    }

    private ControlDecision Insert(InsertedCommand command)
    {
        _pending.Add(new PendingCommand(FtpVerb.Other) { Inserted = command });
        var line = command switch
        {
            InsertedCommand.AuthTls => "AUTH TLS\r\n"u8,
            InsertedCommand.AuthSsl => "AUTH SSL\r\n"u8,
            InsertedCommand.Pbsz => "PBSZ 0\r\n"u8,
            InsertedCommand.ProtClear => "PROT C\r\n"u8,
            InsertedCommand.ProtPrivate => "PROT P\r\n"u8,
            _ => "CCC\r\n"u8,
        };
        return new ControlDecision(DecisionKind.Insert) { Bytes = line.ToArray() };
    }

    private ControlDecision InsertedAnswered(InsertedCommand inserted, int code)
    {
        _asked = inserted;
        _askedCode = code;
        if (code == 421)
        {
            // The server's farewell is the client's to hear, and the answer to whatever it waits for.
            _serverLeaves = true;
            return new ControlDecision(DecisionKind.Forward) { Code = code };
        }
        switch (inserted)
        {
            case InsertedCommand.AuthTls or InsertedCommand.AuthSsl when code is 234 or 334: // 334 is what some servers before RFC 4217 say
                _switching = true;
                return new ControlDecision(DecisionKind.StartUpstreamTls) { Code = code };
            case InsertedCommand.Ccc when code < 300:
                _switching = true;
                return new ControlDecision(DecisionKind.StopUpstreamTls) { Code = code };
            case InsertedCommand.Pbsz:
                _pbszDone = code < 300 || LoggedIn;
                break;
            case InsertedCommand.ProtClear or InsertedCommand.ProtPrivate when code < 300:
                _upstreamData = Level(inserted == InsertedCommand.ProtPrivate);
                break;
            // A server that is TLS from the first byte and knows no PROT protects always.
            case InsertedCommand.ProtPrivate when _upstreamData == Protection.Unknown && LoggedIn && code is 500 or (>= 502 and <= 504):
                _upstreamData = Protection.Private;
                break;
            case InsertedCommand.ProtPrivate:
                _privateRefusal = code;
                break;
            case InsertedCommand.ProtClear:
                _clearRefusal = code;
                break;
        }
        return ControlDecision.Swallow;
    }

    /// <summary>A command of the client's has been decided on: what was asked for its sake is not the next one's.</summary>
    private void ForgetAsked()
    {
        _asked = InsertedCommand.None;
        _askedCode = 0;
        _protAsked = false;
        if (!LoggedIn) // what is refused before the login may be granted after it
            ForgetRefusals();
    }

    private void ForgetRefusals() => _clearRefusal = _privateRefusal = 0;

    private int Refusal(bool isPrivate) => isPrivate ? _privateRefusal : _clearRefusal;

    private static Protection Level(bool isPrivate) => isPrivate ? Protection.Private : Protection.Clear;
}
