using System.Text;

namespace Ferry.Protocol;

/// <summary>
/// TLS as the client sees it (RFC 4217). Ferry answers AUTH, PBSZ, PROT and CCC itself, and asks the server only where its rules say so.
/// <code>
///   clear ──AUTH, 234──> TLS ──CCC, 200──> cleared: data stays as PROT has it, AUTH is not taken again
///   implicit: TLS from the first byte, PROT P
/// </code>
/// </summary>
internal sealed partial class ControlEngine
{
    private readonly TlsRules _rules;
    private bool _clientCleared;
    private bool _authMeansPrivate;
    private bool _userIsStale;
    private bool _switching;
    private bool _serverLeaves;
    private bool _waitsForQuiet;
    private bool _waitsForTransfers;

    /// <summary>The client's control channel is TLS.</summary>
    public bool ClientIsTls { get; private set; }

    /// <summary>A data connection of the client's that opens now is TLS.</summary>
    public bool ClientDataIsPrivate { get; private set; }

    /// <summary>The handshake that StartClientTls asked for has succeeded.</summary>
    public void ClientTlsStarted()
    {
        _switching = false;
        ClientIsTls = true;
        ClientDataIsPrivate = _authMeansPrivate;
        // RFC 2228 §3: AUTH takes back what was authorized before it, so nothing that was said in clear is built upon.
        _userIsStale = User is not null;
        _channelReady = false;
    }

    /// <summary>The client's channel is clear again, as StopClientTls asked for.</summary>
    public void ClientTlsStopped()
    {
        _switching = false;
        ClientIsTls = false;
        _clientCleared = true;
    }

    private bool IsQuiet => _pending.Count == 0 && _inside == Inside.Nothing && !_held;

    private bool UsesTls => ClientIsTls || _clientCleared || _upstreamHasTls;

    private bool MustWaitForTls => _switching || _serverLeaves || (_waitsForQuiet && !IsQuiet)
        || (_waitsForTransfers && _pending.Exists(static p => p.HasData)) || _pending.Exists(static p => p.Inserted != InsertedCommand.None);

    /// <summary>What FEAT is to name (RFC 4217 §6).</summary>
    private byte[] TlsFeatures => _clientCleared ? [] : FeatureList.Tls(
        auth: _rules.ClientOffer is ClientTlsOffer.Offered or ClientTlsOffer.Only && !ClientIsTls,
        protection: _rules.ClientOffer != ClientTlsOffer.None,
        ccc: _rules.ClientOffer is ClientTlsOffer.Offered or ClientTlsOffer.Implicit);

    // A password that the client has sent in clear is lost already, but it goes no further, and whoever set "only" learns of it at once.
    private bool IsTooEarly(FtpCommand command)
    {
        if (_rules.ClientOffer != ClientTlsOffer.Only || ClientIsTls)
            return false;
        if (command.Verb is FtpVerb.Auth or FtpVerb.Pbsz or FtpVerb.Prot or FtpVerb.Ccc or FtpVerb.Feat or FtpVerb.Quit)
            return false;
        return command.Verb is not (FtpVerb.Help or FtpVerb.Noop or FtpVerb.Opts or FtpVerb.Syst or FtpVerb.Stat or FtpVerb.Host or FtpVerb.Clnt or FtpVerb.Lang);
    }

    private ControlDecision OnAuth(ReadOnlySpan<byte> mechanism)
    {
        if (_rules.ClientOffer == ClientTlsOffer.None)
            return Answer(502, "TLS is not available here; log in without AUTH.");
        if (mechanism.IsEmpty)
            return Answer(501, "AUTH needs a mechanism: TLS.");
        // draft-murray-auth-ftp-ssl: SSL and TLS-P ask for protected data at once, TLS and TLS-C for clear data until PROT P.
        var isPrivate = Is(mechanism, "SSL"u8) || Is(mechanism, "TLS-P"u8);
        if (!isPrivate && !Is(mechanism, "TLS"u8) && !Is(mechanism, "TLS-C"u8))
            return Answer(504, "Unknown mechanism; use AUTH TLS.");
        if (ClientIsTls)
            return Answer(503, "TLS is on already.");
        if (_clientCleared)
            return Answer(503, "TLS was ended by CCC; connect again.");
        // The 234 is the last line in clear, so no reply may come after it that belongs before it.
        if (!IsQuiet)
            return WaitForQuiet();
        // RFC 2228 §3 would have the client log in a second time, which servers do not take within a session.
        if (LoggedIn)
            return Answer(503, "AUTH comes before the login; connect again.");
        if (_rules.UpstreamMode == UpstreamTlsMode.Match && !UpstreamIsTls && !IsAtFront)
            return AskForTls();
        _switching = true;
        _authMeansPrivate = isPrivate;
        return new ControlDecision(DecisionKind.StartClientTls) { Bytes = ReplyWriter.Line(234, "Begin TLS.") };
    }

    // RFC 2228 §3, RFC 4217: TLS has no protection buffer; the size is always 0.
    private ControlDecision OnPbsz(ReadOnlySpan<byte> size)
    {
        if (!ClientIsTls)
            return Answer(503, _clientCleared ? "Protection is settled since CCC." : "PBSZ comes after AUTH TLS.");
        return size.IsEmpty || size.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            ? Answer(501, "PBSZ needs a number.")
            : Answer(200, "PBSZ=0");
    }

    // RFC 2228 §3, RFC 4217. PBSZ before it is not insisted on: clients of implicit TLS leave it out.
    private ControlDecision OnProt(ReadOnlySpan<byte> level)
    {
        if (!ClientIsTls)
            return Answer(503, _clientCleared ? "Protection is settled since CCC." : "PROT comes after AUTH TLS.");
        switch (level)
        {
            case []:
                return Answer(501, "PROT needs a level: C or P.");
            case [(byte)'S' or (byte)'s' or (byte)'E' or (byte)'e']:
                return Answer(536, "TLS has no such level; use PROT C or PROT P.");
            case not [(byte)'C' or (byte)'c' or (byte)'P' or (byte)'p']:
                return Answer(504, "Unknown level; use PROT C or PROT P.");
        }
        var isPrivate = level is [(byte)'P' or (byte)'p'];
        if (!isPrivate && _rules.ClearDataRefused)
            return Answer(534, ClearDataRefusal);
        if (_rules.Protection == UpstreamDataRule.Match && AskForSameProtection(isPrivate) is { } instead)
            return instead;
        if (ClientDataIsPrivate != isPrivate)
            ForgetRefusals();
        ClientDataIsPrivate = isPrivate;
        return Answer(200, isPrivate ? "Data connections are protected." : "Data connections are clear.");
    }

    // RFC 4217 §5: TLS ends on the control channel; data keeps its protection.
    private ControlDecision OnCcc()
    {
        if (!ClientIsTls)
            return Answer(533, "The control connection is clear.");
        if (_rules.ClientOffer == ClientTlsOffer.Only)
            return Answer(534, "The control connection must be protected here.");
        if (!IsQuiet)
            return WaitForQuiet();
        if (_rules.UpstreamMode == UpstreamTlsMode.Match && UpstreamIsTls && _asked != InsertedCommand.Ccc)
        {
            // No PROT is taken after CCC, so what the data is to be must stand before it; what is refused before the login may change.
            if (IsProtectionOpen)
                return AskForProtection(WantsPrivateData);
            if (LoggedIn || Refusal(WantsPrivateData) == 0)
                return Insert(InsertedCommand.Ccc);
        }
        _switching = true;
        return new ControlDecision(DecisionKind.StopClientTls) { Bytes = ReplyWriter.Line(200, "The control connection is clear from here on.") };
    }

    private ControlDecision WaitForQuiet()
    {
        _waitsForQuiet = true;
        return ControlDecision.Wait;
    }

    private static bool Is(ReadOnlySpan<byte> word, ReadOnlySpan<byte> other) => Ascii.EqualsIgnoreCase(word, other);
}
