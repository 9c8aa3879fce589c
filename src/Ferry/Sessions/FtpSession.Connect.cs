using System.Net;
using System.Net.Sockets;
using Ferry.Config;
using Ferry.Transport;
using Ferry.Upstreams;
using Microsoft.Extensions.Logging;

namespace Ferry.Sessions;

internal sealed partial class FtpSession
{
    private TimeSpan? _connectTime;
    private UpstreamChoice? _choice;
    private long _searchBegan;
    private int _tries;

    /// <summary>Finds a server that greets, trying the next one for as long as the client has seen nothing.</summary>
    private async Task<bool> ConnectAsync()
    {
        if (!TryFindPlace(out var place))
            return false;
        _choice = place.Group.Choose(Facts());
        return await TryServersAsync(_choice).ConfigureAwait(false);
    }

    /// <summary>Tries the servers of a walk, from where it stands.</summary>
    /// <returns>False where none is left, over which the session has ended.</returns>
    private async Task<bool> TryServersAsync(UpstreamChoice choice)
    {
        if (FindSource() is { } nowhere)
        {
            Log.NoSource(_server.Logger, Id, nowhere);
            End(SessionEndReason.NoUpstream, SorryLine());
            return false;
        }
        GoOnSearching(_server.Time.GetTimestamp());
        var passedOver = 0;
        while (MayTryServer() && await NextServerAsync(choice).ConfigureAwait(false) is { } server)
        {
            if (_source is { } source && !source.Suits(server.EndPoint))
            {
                server.Release();
                await PassOverAsync(server, source, ++passedOver).ConfigureAwait(false);
                continue;
            }
            _upstreamServer = server;
            _tries++;
            var began = _server.Time.GetTimestamp();
            var (failure, isOurs) = await TryServerAsync(server.EndPoint).ConfigureAwait(false);
            if (failure is null)
            {
                _connectTime = _server.Time.GetElapsedTime(began);
                server.ReportSuccess();
                Log.UpstreamConnected(_server.Logger, Id, server.Name, _connectTime.Value.TotalMilliseconds);
                _connectBy = long.MaxValue;
                Touch();
                MoveTo(SessionState.Open);
                return true;
            }
            if (_endReason is not null)
                return false;
            GiveUpServer(server, failure, isOurs);
        }
        if (_endReason is not null)
            return false;
        Log.NoUpstream(_server.Logger, Id, _place!.Group.Name, _tries);
        End(SessionEndReason.NoUpstream, SorryLine());
        return false;
    }

    /// <summary>The time for all attempts runs only while servers are tried: not in the queue, and not while the client types.</summary>
    /// <param name="since">When it was stopped.</param>
    private void GoOnSearching(long since)
    {
        _searchBegan += _server.Time.GetTimestamp() - since;
        _connectBy = DeadlineSince(_searchBegan, _server.Config.NextUpstreamTimeout);
    }

    private void GiveUpServer(UpstreamServer server, string failure, bool isOurs)
    {
        _upstreamServer = null;
        // The time of all attempts may have left the later ones too little.
        if (!isOurs && !(_tries > 1 && _server.Time.GetTimestamp() >= _connectBy))
            Report(server, failure);
        server.Release();
        _server.Metrics.UpstreamConnectFailed(server.Name);
        Log.UpstreamFailed(_server.Logger, Id, server.Name, failure);
    }

    private bool MayTryServer()
    {
        var config = _server.Config;
        if (_tries == 0)
            return true;
        return !_isSourceless && config.NextUpstream && (config.NextUpstreamTries == 0 || _tries < config.NextUpstreamTries) && _server.Time.GetTimestamp() < _connectBy;
    }

    /// <summary>Connects and waits for the greeting, which stays in the channel's buffer.</summary>
    /// <returns>Null when the server has greeted; else what was wrong, and whether that was a want of this machine, which says nothing of the server.</returns>
    private async Task<(string? Failure, bool IsOurs)> TryServerAsync(IPEndPoint server)
    {
        using var connecting = new ConnectDeadline();
        BeginStep(connecting, _server.Config.ConnectTimeout);
        var result = await UpstreamConnector.ConnectAsync(server, _source, Header(_server.Config.ProxyProtocol), _loop, connecting.Token).ConfigureAwait(false);
        EndStep();
        if (result.Connection is null)
        {
            _isSourceless = result.IsUnbound;
            return (result.Failure, result.IsOurs);
        }
        ControlChannel channel;
        try
        {
            channel = new ControlChannel(result.Connection, _server.Config.TcpNoDelay, _server.Config.SocketKeepalive, urgent: false);
        }
        catch (SocketException e)
        {
            result.Connection.Dispose();
            return ($"the connection was lost ({e.SocketErrorCode})", false);
        }
        var isTaken = false;
        try
        {
            var failure = await GreetAsync(channel).ConfigureAwait(false);
            if (failure is not null)
                return (failure, KnowsClient && UpstreamGreeting.IsRefusal(failure));
            lock (_sync)
            {
                _upstream = channel;
                _engine.UpstreamFamily = channel.RemoteEndPoint.AddressFamily;
                isTaken = _endReason is null;
            }
            return (isTaken ? null : "the session ended", false);
        }
        finally
        {
            if (!isTaken)
                channel.Dispose();
        }
    }

    /// <summary>Waits for the greeting, with TLS around it or behind it where the server is to have it.</summary>
    /// <returns>Null, or what was wrong.</returns>
    private async Task<string?> GreetAsync(ControlChannel channel)
    {
        var mode = _server.Config.UpstreamTls.Mode;
        var byAuth = mode == UpstreamTls.Explicit || (mode == UpstreamTls.Match && (_isImplicit || (_engine.IsAtFront && _engine.ClientIsTls)));
        if (mode == UpstreamTls.Implicit && await StartUpstreamTlsAsync(channel).ConfigureAwait(false) is { Failure: { } early })
            return early;
        BeginStep(channel, _server.Config.BannerTimeout);
        var (failure, bySsl) = byAuth ? await UpstreamGreeting.ReadAndAskForTlsAsync(channel).ConfigureAwait(false)
            : (await UpstreamGreeting.ReadAsync(channel).ConfigureAwait(false), false);
        EndStep();
        if (failure is null && byAuth)
        {
            (failure, var metClearText) = await StartUpstreamTlsAsync(channel).ConfigureAwait(false);
            if (metClearText)
                failure = UpstreamGreeting.Injection;
        }
        if (failure is null && channel.Tls is not null)
            _engine.UpstreamTlsStarted(bySsl);
        return failure is null && _engine.IsAtFront ? await IntroduceAsync(channel).ConfigureAwait(false) : failure;
    }

    private void BeginStep(IDisposable step, TimeSpan limit)
    {
        var ticks = limit.TotalSeconds * _server.Time.TimestampFrequency;
        Volatile.Write(ref _step, step);
        Volatile.Write(ref _stepDue, Math.Min(_connectBy, _server.Time.GetTimestamp() + (long)Math.Min(ticks, long.MaxValue / 4)));
        // Either End sees the step or this sees the end; without a fence the processor may look before it has shown the step.
        Interlocked.MemoryBarrier();
        if (_endReason is not null)
            step.Dispose();
    }

    /// <returns>Whether its time is over.</returns>
    private bool EndStep()
    {
        var isOver = _server.Time.GetTimestamp() >= Volatile.Read(ref _stepDue);
        Volatile.Write(ref _stepDue, long.MaxValue);
        Volatile.Write(ref _step, null);
        return isOver;
    }

    /// <summary>A connection attempt that the sweep ends by disposing this.</summary>
    private sealed class ConnectDeadline : IDisposable
    {
        private readonly CancellationTokenSource _source = new();

        public CancellationToken Token => _source.Token;

        // The source itself has no timer and no handle, so cancelling it is all there is to do, and may be done twice.
        public void Dispose() => _source.Cancel();
    }

    private static partial class Log
    {
        [LoggerMessage(410, LogLevel.Information, "session {Session}: connected to server {Server} in {Milliseconds:F1} ms")]
        public static partial void UpstreamConnected(ILogger logger, string session, string server, double milliseconds);

        [LoggerMessage(411, LogLevel.Warning, "session {Session}: server {Server} cannot take it: {Failure}")]
        public static partial void UpstreamFailed(ILogger logger, string session, string server, string failure);

        [LoggerMessage(486, LogLevel.Warning, "session {Session}: no server can be connected to: {Reason}")]
        public static partial void NoSource(ILogger logger, string session, string reason);

        [LoggerMessage(412, LogLevel.Error, "session {Session}: no server of upstream \"{Upstream}\" is available ({Tried} tried)")]
        public static partial void NoUpstream(ILogger logger, string session, string upstream, int tried);
    }
}
