using System.Net;
using System.Net.Sockets;
using Ferry.Protocol;
using Ferry.Telemetry;
using Ferry.Transport;
using Ferry.Upstreams;
using Microsoft.Extensions.Logging;

namespace Ferry.Sessions;

/// <summary>
/// A client's control connection and its server's. Two pumps carry lines past one <see cref="ControlEngine"/>; the session does what it decides.
/// <code>
///   connecting ──greeting──> open ──client's FIN──> closing ──> ended
///        └──────── any end reason ────────┴───────────┴─────────^
/// </code>
/// </summary>
internal sealed partial class FtpSession
{
    // A client that has closed its direction still gets what the server has to say, for so long.
    private static readonly TimeSpan ClosingLimit = TimeSpan.FromSeconds(10);

    // What is left of a last line that a client is slow to take.
    private static readonly TimeSpan FarewellLimit = TimeSpan.FromSeconds(5);

    private readonly ControlServer _server;
    private readonly ControlEngine _engine;
    private readonly ControlChannel _client;
    private readonly EventLoop _loop;
    private readonly IPAddress _listener;
    private readonly Lock _sync = new();
    private readonly long _startedAt;
    private readonly DateTimeOffset _start;
    private UpstreamServer? _upstreamServer;
    private ControlChannel? _upstream;
    private IDisposable? _step;
    private long _stepDue = long.MaxValue;
    private long _activity;
    private long _closingAt;
    private long _endedAt;
    private long _loggedOutAt;
    private SessionState _state;
    private SessionEndReason? _endReason;
    private bool _draining;

    /// <param name="connection">The client's; owned.</param>
    /// <param name="listener">The address that the control listener is bound to.</param>
    /// <param name="server">The server block.</param>
    /// <param name="id">The session's name in every log.</param>
    /// <param name="isImplicit">The listener speaks TLS from the first byte.</param>
    /// <param name="forwarded">Who is behind the connection, where it began with a PROXY header.</param>
    /// <exception cref="SocketException">The client has gone.</exception>
    public FtpSession(Connection connection, IPAddress listener, ControlServer server, string id, bool isImplicit = false, ForwardedClient? forwarded = null)
    {
        _isImplicit = isImplicit;
        _forwarded = forwarded;
        _server = server;
        _listener = listener;
        Id = id;
        _loop = connection.Loop;
        _client = new ControlChannel(connection, server.Config.TcpNoDelay, server.Config.SocketKeepalive, urgent: true) { RemoteEndPoint = forwarded?.Client ?? EndPoints.Plain(connection.RemoteEndPoint) };
        _engine = new ControlEngine(_client.RemoteEndPoint.AddressFamily, RulesOf(server.Config, isImplicit), DataRulesOf(server.Config.Data), GreetingRulesOf(server.Config));
        _startedAt = _loggedOutAt = _activity = server.Time.GetTimestamp();
        _start = server.Time.GetUtcNow();
    }

    private enum SessionState
    {
        /// <summary>A server is being found; the client has seen nothing.</summary>
        Connecting,

        /// <summary>Lines pass in both directions.</summary>
        Open,

        /// <summary>The client has closed its direction; the server may still speak.</summary>
        Closing,

        /// <summary>Both sides are closed.</summary>
        Ended,
    }

    /// <summary>The session's name in every log.</summary>
    public string Id { get; }

    /// <summary>The place in the registry's list, which is the registry's to change.</summary>
    public int RegistryIndex { get; set; }

    /// <summary>Runs the session to its end. Never throws.</summary>
    public async Task RunAsync()
    {
        Log.Connected(_server.Logger, Id, _client.RemoteEndPoint, _client.LocalEndPoint);
        LogForwarded();
        try
        {
            if ((!_isImplicit || await StartClientTlsAsync(null).ConfigureAwait(false)) && await BeginAsync().ConfigureAwait(false))
            {
                _replies = _engine.IsAtFront ? Task.CompletedTask : PumpRepliesAsync();
                await PumpCommandsAsync().ConfigureAwait(false);
                await _replies.ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            Log.Failed(_server.Logger, e, Id);
            End(SessionEndReason.InternalError, null);
        }
        End(SessionEndReason.InternalError, null); // every path has ended it by now; the first reason wins
        await FinishAsync().ConfigureAwait(false);
    }

    /// <summary>Turns the client away instead of running the session.</summary>
    public void Refuse()
    {
        // On a TLS listener there is nobody yet who could read it.
        _client.EndWith(_isImplicit ? [] : "421 Too many sessions; try again later.\r\n"u8);
        _client.Close();
    }

    /// <summary>Ends the session when it is idle, now or when its transfer has finished.</summary>
    public void Drain()
    {
        lock (_sync)
            _draining = true;
        EndIfDrained();
    }

    /// <summary>Ends the session now.</summary>
    public void Stop(SessionEndReason reason) => End(reason, "421 Service is being shut down.\r\n"u8.ToArray());

    /// <summary>Holds every deadline of the session; called about once a second.</summary>
    public void Sweep(long now)
    {
        if (_endReason is not null && _server.Time.GetElapsedTime(Volatile.Read(ref _endedAt), now) >= FarewellLimit)
        {
            _client.Shutdown();
            _upstream?.Shutdown();
        }
        if (now >= Volatile.Read(ref _stepDue))
            Volatile.Read(ref _step)?.Dispose();
        SweepLeaving(now);
        SweepQueue();
        SweepData(now);
        bool busy, loggedIn;
        long loggedOutAt;
        SessionState state;
        lock (_sync)
        {
            busy = _transfers?.Exists(static t => t.IsFlowing) ?? false;
            loggedIn = _engine.LoggedIn;
            loggedOutAt = _loggedOutAt;
            state = _state;
        }
        if (busy)
            Touch(now);
        var time = _server.Time;
        var isWaiting = Volatile.Read(ref _isQueued); // in the queue, whose own time counts
        if (state == SessionState.Closing && !busy && time.GetElapsedTime(_closingAt, now) >= ClosingLimit)
            End(SessionEndReason.ClientClosed, null);
        else if (state == SessionState.Open && !isWaiting && !loggedIn && time.GetElapsedTime(loggedOutAt, now) >= _server.Config.LoginTimeout)
            End(SessionEndReason.LoginTimeout, "421 Login timeout: closing the control connection.\r\n"u8.ToArray());
        else if (state == SessionState.Open && !isWaiting && !busy && time.GetElapsedTime(Volatile.Read(ref _activity), now) >= _server.Config.IdleTimeout)
            End(SessionEndReason.IdleTimeout, "421 Timeout: closing the control connection.\r\n"u8.ToArray());
        EndIfDrained();
    }

    private void Touch(long now) => Volatile.Write(ref _activity, now);

    private void Touch() => Touch(_server.Time.GetTimestamp());

    private void MoveTo(SessionState state)
    {
        lock (_sync)
        {
            if (state > _state)
                _state = state;
        }
    }

    private void EndIfDrained()
    {
        lock (_sync)
        {
            if (!_draining || _transfers is { Count: > 0 })
                return;
            // A server that owes an answer has a while for it, and the client gets the whole of it: a 226 that is not sent yet is a transfer
            // that failed. One that has forgotten does not hold the drain up, nor does a client that reads nothing.
            var isOwed = _engine.InFlight > 0 || _engine.IsHolding || _client.HasUnsent;
            if (_state == SessionState.Open && isOwed && _server.Time.GetElapsedTime(Volatile.Read(ref _activity)) < ClosingLimit)
                return;
        }
        Stop(SessionEndReason.Drained);
    }

    /// <summary>Closes both sides; what waits on them ends. The first reason wins.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="farewell">A last line for the client; null for none.</param>
    private void End(SessionEndReason reason, byte[]? farewell)
    {
        List<Transfer>? transfers;
        DataChannel? channel;
        lock (_sync)
        {
            if (_endReason is not null)
                return;
            Volatile.Write(ref _endedAt, _server.Time.GetTimestamp());
            _endReason = reason;
            _state = SessionState.Ended;
            transfers = _transfers is null ? null : [.. _transfers];
            channel = _channel;
            _channel = null;
            DropUpstreamPort();
        }
        transfers?.ForEach(static t => t.Cut(TransferOutcome.SessionEnded));
        if (channel is not null)
            GiveBack(channel);
        // Before its handshake a client of implicit TLS could not read it.
        _client.EndWith(_isImplicit && _client.TlsInfo is null ? null : farewell);
        _upstream?.EndWith([]);
        // Behind the farewell: whoever waits for the step may go on within this call, and closes the client.
        Volatile.Read(ref _step)?.Dispose();
        SignalReply();
    }

    private async Task FinishAsync()
    {
        _client.Close();
        RememberUpstreamSession();
        _upstream?.Close();
        _upstreamServer?.Release();
        List<Transfer> transfers;
        lock (_sync)
            transfers = _transfers is null ? [] : [.. _transfers];
        _upstreamSession?.Dispose();
        foreach (var transfer in transfers)
        {
            await transfer.Completion.ConfigureAwait(false);
            Conclude(transfer, 0);
            await transfer.Recording.ConfigureAwait(false);
        }
        var reason = _endReason ?? SessionEndReason.InternalError;
        var duration = _server.Time.GetElapsedTime(_startedAt);
        _server.Metrics.SessionEnded(SessionEndReasons.Tag(reason), duration);
        Log.Ended(_server.Logger, Id, SessionEndReasons.Tag(reason), duration.TotalSeconds, _commands, _transferCount);
        _server.AccessLog?.Write(WithHeader(new SessionRecord
        {
            SessionId = Id,
            Start = _start,
            Duration = duration,
            Client = _client.RemoteEndPoint,
            Listener = _client.LocalEndPoint,
            Server = _upstreamServer?.Name,
            Upstream = _upstreamServer?.EndPoint,
            UpstreamConnectTime = _connectTime,
            ClientTls = RecordOf(_client.TlsInfo),
            UpstreamTls = RecordOf(_upstream?.TlsInfo),
            User = _engine.User,
            Host = _engine.Host,
            Variable = OwnVariables(),
            LoggedIn = _wasLoggedIn,
            EndReason = SessionEndReasons.Tag(reason),
            Status = SessionEndReasons.Status(reason),
            Commands = _commands,
            Transfers = _transferCount,
            BytesFromClient = _client.BytesReceived,
            BytesToClient = _client.BytesSent,
            BytesFromUpstream = _leftReceived + (_upstream?.BytesReceived ?? 0),
            BytesToUpstream = _leftSent + (_upstream?.BytesSent ?? 0),
            DataBytesToClient = _dataToClient,
            DataBytesToUpstream = _dataToUpstream,
        }));
    }

    private static partial class Log
    {
        [LoggerMessage(400, LogLevel.Information, "session {Session}: client {Client} connected to {Listener}")]
        public static partial void Connected(ILogger logger, string session, IPEndPoint client, IPEndPoint listener);

        [LoggerMessage(401, LogLevel.Information, "session {Session} ended: {Reason} after {Seconds:F3} s, {Commands} commands, {Transfers} transfers")]
        public static partial void Ended(ILogger logger, string session, string reason, double seconds, long commands, long transfers);

        [LoggerMessage(402, LogLevel.Error, "session {Session} failed; this is a fault of Ferry's")]
        public static partial void Failed(ILogger logger, Exception exception, string session);
    }
}
