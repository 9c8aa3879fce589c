using System.Net;
using Ferry.Config;
using Ferry.Protocol;
using Ferry.Telemetry;
using Ferry.Transport;
using Ferry.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace Ferry.Sessions;

// TLS on the control connections (RFC 4217). What is agreed there is the engine's; the handshakes are here.
internal sealed partial class FtpSession
{
    private static readonly TimeSpan LeavingLimit = TimeSpan.FromSeconds(1);

    private readonly bool _isImplicit;
    private long _leavingSince;
    private TlsOrigin? _clientOrigin;
    private TlsContext? _upstreamContext;
    private TlsSession? _upstreamSession;
    private TlsSession? _resumed;
    private volatile bool _isStartingClientTls;

    /// <summary>What the engine must know of the server block.</summary>
    private static TlsRules RulesOf(ServerConfig config, bool isImplicit) => new()
    {
        ClientOffer = isImplicit ? ClientTlsOffer.Implicit : config.ClientTls?.StartTls switch
        {
            StartTls.On => ClientTlsOffer.Offered,
            StartTls.Only => ClientTlsOffer.Only,
            _ => ClientTlsOffer.None,
        },
        UpstreamMode = config.UpstreamTls.Mode switch
        {
            UpstreamTls.Implicit => UpstreamTlsMode.Implicit,
            UpstreamTls.Explicit => UpstreamTlsMode.Explicit,
            UpstreamTls.Match => UpstreamTlsMode.Match,
            _ => UpstreamTlsMode.None,
        },
        Protection = config.UpstreamTls.Protection switch
        {
            UpstreamProtection.Private => UpstreamDataRule.Private,
            UpstreamProtection.Clear => UpstreamDataRule.Clear,
            _ => UpstreamDataRule.Match,
        },
        ClearDataRefused = config.Data.TlsRequired,
    };

    /// <summary>Shakes hands with the client, after the 234 or before anything else.</summary>
    /// <param name="last">What is said in clear before.</param>
    /// <returns>False where the session has ended over it.</returns>
    private async Task<bool> StartClientTlsAsync(byte[]? last)
    {
        _isStartingClientTls = true;
        var config = _server.Config.ClientTls!;
        var tls = TlsConnection.AcceptControl(_server.ClientTls!.Current, _client.Connection);
        BeginStep(_client, config.HandshakeTimeout);
        var isDone = await _client.StartTlsAsync(tls, last).ConfigureAwait(false);
        var isLate = EndStep();
        CountHandshake(client: true, data: false, isDone ? tls.Info : null);
        if (!isDone && tls.MetClearText && last is not null)
        {
            Log.Injection(_server.Logger, Id, "client", "AUTH");
            End(SessionEndReason.TlsInjection, null);
            return false;
        }
        if (!isDone)
        {
            Log.ClientTlsFailed(_server.Logger, Id, FailureOf(tls, isLate));
            End(SessionEndReason.ClientTlsFailed, null);
            return false;
        }
        _isStartingClientTls = false;
        var info = tls.Info!;
        _clientOrigin = tls.Origin;
        Log.ClientTls(_server.Logger, Id, info.Protocol, info.Cipher, info.IsResumed);
        Touch();
        if (CertificateRefusal(config, info) is { } refusal)
        {
            Log.ClientTlsFailed(_server.Logger, Id, refusal);
            End(SessionEndReason.ClientTlsFailed, ReplyWriter.Line(421, $"{refusal}; closing the control connection."));
            return false;
        }
        return true;
    }

    private static string FailureOf(TlsConnection tls, bool isLate) => isLate ? "it was not agreed on in time"
        : tls.MetClearText ? "the peer speaks no TLS" : tls.Failure ?? "the session ended";

    /// <summary>Why a client's certificate, or the want of one, is not acceptable, as nginx judges it; null where it is.</summary>
    private static string? CertificateRefusal(ClientTlsConfig config, TlsInfo info) => config.VerifyClient switch
    {
        ClientVerification.Off => null,
        ClientVerification.OptionalNoCa when info.IsOfUnknownAuthority => null,
        _ when info.VerifyError is { } error => $"The client's certificate is not trusted ({error})",
        ClientVerification.On when info.PeerSubject is null => "A client certificate is required",
        _ => null,
    };

    /// <summary>Shakes hands with the server.</summary>
    /// <returns>Null, or what was wrong; and whether that was text of the server's in the place of TLS.</returns>
    private async Task<(string? Failure, bool MetClearText)> StartUpstreamTlsAsync(ControlChannel channel)
    {
        _upstreamContext = _server.UpstreamTls!.Current; // for the data connections too, whose session it is
        _resumed?.Dispose();
        _resumed = _server.Config.UpstreamTls.SessionReuse ? _upstreamContext.Remembered.Find(channel.RemoteEndPoint, PeerName) : null;
        var tls = TlsConnection.Connect(_upstreamContext, channel.Connection, isData: false, PeerName, _resumed);
        BeginStep(channel, _server.Config.ConnectTimeout);
        var isDone = await channel.StartTlsAsync(tls).ConfigureAwait(false);
        var isLate = EndStep();
        CountHandshake(client: false, data: false, isDone ? tls.Info : null);
        if (!isDone)
        {
            if (_resumed is not null && _endReason is null)
                TellResumptionFailed(channel);
            return ($"TLS failed ({FailureOf(tls, isLate)})", tls.MetClearText);
        }
        Log.UpstreamTls(_server.Logger, Id, tls.Info!.Protocol, tls.Info.Cipher, tls.Info.IsResumed);
        return (null, false);
    }

    /// <summary>Leaves the session with the server to the next control connection with it. Not before the end: some servers take each ticket only once.</summary>
    private void RememberUpstreamSession()
    {
        using var offered = _resumed;
        if (_upstreamContext is null || !_server.Config.UpstreamTls.SessionReuse || _upstream?.Tls is not { } tls)
            return;
        using var session = tls.GetSession();
        if (session is null)
            return;
        // Data connections must resume their own control connection's session, and a server that gives it none would refuse them.
        if (tls.Info!.IsResumed && session.HasTicketOf(offered!))
            TellResumptionFailed(_upstream);
        else
            _upstreamContext.Remembered.Keep(_upstream.RemoteEndPoint, PeerName, session, tls.Info.IsResumed);
    }

    private void TellResumptionFailed(ControlChannel channel)
    {
        if (_upstreamContext!.Remembered.Fail(channel.RemoteEndPoint, PeerName))
            Log.NoMoreResumption(_server.Logger, channel.RemoteEndPoint);
    }

    /// <summary>The client's AUTH has been accepted; the 234 is to be written.</summary>
    private async Task SwitchClientToTlsAsync(ControlDecision decision)
    {
        // Whoever can write into the connection could have put commands there for the encrypted session (RFC 4217 §15 has none of it; CVE-2011-1575).
        if (!_client.Buffered.IsEmpty)
        {
            Log.Injection(_server.Logger, Id, "client", "AUTH");
            End(SessionEndReason.TlsInjection, null);
            return;
        }
        if (!await StartClientTlsAsync(decision.Bytes).ConfigureAwait(false))
            return;
        lock (_sync)
            _engine.ClientTlsStarted();
    }

    /// <summary>The server has answered our AUTH with 234, which has been read whole.</summary>
    private async Task SwitchUpstreamToTlsAsync()
    {
        var metClearText = !_upstream!.Buffered.IsEmpty;
        string? failure = null;
        if (!metClearText)
            (failure, metClearText) = await StartUpstreamTlsAsync(_upstream).ConfigureAwait(false);
        if (metClearText)
        {
            Log.Injection(_server.Logger, Id, "server", "234");
            End(SessionEndReason.TlsInjection, "421 The server sent bytes in clear behind its 234.\r\n"u8.ToArray());
            return;
        }
        if (failure is not null)
        {
            Log.UpstreamTlsFailed(_server.Logger, Id, _upstreamServer!.Name, failure);
            TellTlsFailure(failure);
            End(SessionEndReason.UpstreamTlsFailed, "421 TLS with the server failed; closing the control connection.\r\n"u8.ToArray());
            return;
        }
        lock (_sync)
            _engine.UpstreamTlsStarted();
        SignalReply();
    }

    /// <summary>CCC: the client's channel is clear from here on, its data connections stay as they are.</summary>
    private async Task ClearClientAsync(ControlDecision decision)
    {
        _client.Write(decision.Bytes);
        Volatile.Write(ref _leavingSince, _server.Time.GetTimestamp());
        var isClear = await _client.StopTlsAsync().ConfigureAwait(false);
        Volatile.Write(ref _leavingSince, 0);
        if (!isClear)
        {
            End(SessionEndReason.ClientClosed, null);
            return;
        }
        lock (_sync)
            _engine.ClientTlsStopped();
    }

    /// <summary>A client that has sent CCC and no close_notify for a second waits for ours.</summary>
    private void SweepLeaving(long now)
    {
        var since = Volatile.Read(ref _leavingSince);
        if (since == 0 || _server.Time.GetElapsedTime(since, now) < LeavingLimit || Interlocked.CompareExchange(ref _leavingSince, 0, since) != since)
            return;
        _ = _client.Tls?.LeaveFirst();
    }

    private async Task ClearUpstreamAsync()
    {
        _upstreamSession = _upstream!.Tls?.GetSession();
        BeginStep(_upstream, _server.Config.ConnectTimeout);
        var isDone = await _upstream.StopTlsAsync().ConfigureAwait(false);
        EndStep();
        if (!isDone)
        {
            End(SessionEndReason.UpstreamClosed, "421 The server closed the connection.\r\n"u8.ToArray());
            return;
        }
        lock (_sync)
            _engine.UpstreamTlsStopped();
        SignalReply();
    }

    /// <summary>How the data connections of a transfer are protected.</summary>
    private TransferTls? TlsFor(ControlDecision decision)
    {
        if (!decision.ClientIsPrivate && !decision.UpstreamIsPrivate)
            return null;
        var upstream = _server.Config.UpstreamTls;
        return new TransferTls
        {
            Client = decision.ClientIsPrivate ? _clientOrigin : null,
            SendsTickets = _client.Tls is null,
            ReuseRequired = _server.Config.ClientTls?.SessionReuse == TlsSessionReuse.Required,
            Refusal = info => CertificateRefusal(_server.Config.ClientTls!, info),
            Upstream = decision.UpstreamIsPrivate ? _upstreamContext : null,
            UpstreamName = PeerName,
            // The newest ticket at this moment: some servers take each only once (RFC 8446 §C.4).
            Resume = !decision.UpstreamIsPrivate || !upstream.SessionReuse ? null : _upstream!.Tls?.GetSession() ?? _upstreamSession?.Copy(),
            AllowTruncation = _server.Config.Data.Truncation == TlsTruncation.Allow,
            Lingering = _server.Lingering,
            Handshake = TellDataHandshake,
        };
    }

    private void TellDataHandshake(bool client, TlsInfo? info)
    {
        CountHandshake(client, data: true, info);
        if (client && info is not null && _server.Config.ClientTls!.SessionReuse != TlsSessionReuse.Off)
            _client.Tls?.OfferTicket();
        if (info is not null && _server.Logger.IsEnabled(LogLevel.Information))
            Log.DataTls(_server.Logger, Id, client ? "client" : "server", info.Protocol, info.Cipher, info.IsResumed);
    }

    private void CountHandshake(bool client, bool data, TlsInfo? info) =>
        _server.Metrics.TlsHandshake(client, data, info is null ? "failed" : info.IsResumed ? "resumed" : "full");

    private static TlsRecord? RecordOf(TlsInfo? info) =>
        info is null ? null : new TlsRecord(info.Protocol, info.Cipher, info.IsResumed, info.ServerName, info.PeerSubject) { PeerFault = info.VerifyError };

    private static partial class Log
    {
        [LoggerMessage(460, LogLevel.Information, "session {Session}: client speaks {Protocol}, {Cipher}, resumed: {Resumed}")]
        public static partial void ClientTls(ILogger logger, string session, string protocol, string cipher, bool resumed);

        [LoggerMessage(465, LogLevel.Information, "session {Session}: data with the {Side} speaks {Protocol}, {Cipher}, resumed: {Resumed}")]
        public static partial void DataTls(ILogger logger, string session, string side, string protocol, string cipher, bool resumed);

        [LoggerMessage(461, LogLevel.Information, "session {Session}: server speaks {Protocol}, {Cipher}, resumed: {Resumed}")]
        public static partial void UpstreamTls(ILogger logger, string session, string protocol, string cipher, bool resumed);

        [LoggerMessage(466, LogLevel.Warning, "server {Server} does not resume TLS sessions as it should, which two control connections have failed over; until the next reload all of them begin new ones")]
        public static partial void NoMoreResumption(ILogger logger, IPEndPoint server);

        [LoggerMessage(462, LogLevel.Warning, "session {Session}: TLS with the client failed: {Reason}")]
        public static partial void ClientTlsFailed(ILogger logger, string session, string reason);

        [LoggerMessage(463, LogLevel.Error, "session {Session}: TLS with server {Server} failed: {Reason}")]
        public static partial void UpstreamTlsFailed(ILogger logger, string session, string server, string reason);

        [LoggerMessage(464, LogLevel.Warning, "session {Session}: the {Side} sent bytes in clear behind its {What}; nothing of it is read, and the session is ended")]
        public static partial void Injection(ILogger logger, string session, string side, string what);
    }
}
