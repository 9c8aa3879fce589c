using System.Net.Sockets;
using Ferry.Protocol;
using Ferry.Transport;

namespace Ferry.Sessions;

// A session whose server is chosen by user, before its login: one line at a time, so that a server that fails can be replaced by another.
internal sealed partial class FtpSession
{
    private Task _replies = Task.CompletedTask;
    private volatile bool _isLeaving;
    private bool _userWasTold;
    private long _answeredAt;
    private long _leftReceived;
    private long _leftSent;
    private (TimeSpan User, TimeSpan Password) _pace;

    /// <summary>Finds a server, or greets where that is for later.</summary>
    private async Task<bool> BeginAsync()
    {
        if (!_engine.IsAtFront)
            return await ConnectAsync().ConfigureAwait(false);
        MoveTo(SessionState.Open);
        Touch();
        return await SendAsync(_engine.Greeting).ConfigureAwait(false);
    }

    private async Task<bool> SendAsync(ReadOnlyMemory<byte> line)
    {
        try
        {
            _client.Write(line.Span);
            await _client.FlushAsync().ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            End(SessionEndReason.ClientFailed, null);
            return false;
        }
    }

    private async Task ActAtFrontAsync(ControlDecision decision, int length)
    {
        var line = _client.Buffered[..length].TrimEnd("\r\n"u8).ToArray();
        _client.Consume(length);
        switch (decision.Kind)
        {
            case DecisionKind.Route:
                await RouteAsync().ConfigureAwait(false);
                break;
            case DecisionKind.LookUp:
                await LookUpAsync(decision.Bytes!, line).ConfigureAwait(false);
                Array.Clear(decision.Bytes!);
                break;
            case DecisionKind.LogIn:
                await LogInAsync([.. line, .. "\r\n"u8], isUser: false).ConfigureAwait(false);
                break;
            case DecisionKind.Deny:
                await DenyAsync(decision).ConfigureAwait(false);
                break;
            case DecisionKind.Farewell:
                _quit = true;
                End(SessionEndReason.ClientQuit, decision.Bytes);
                break;
            case DecisionKind.Release:
                await LeaveServerAsync().ConfigureAwait(false);
                lock (_sync)
                    _loggedOutAt = _server.Time.GetTimestamp(); // the user has as long as at the beginning
                await SendAsync(decision.Bytes).ConfigureAwait(false);
                break;
        }
        Array.Clear(line); // it may be a password
    }

    /// <summary>USER: finds the place, and a server of it that takes the name.</summary>
    private async Task RouteAsync()
    {
        await LeaveServerAsync().ConfigureAwait(false);
        if (_server.Lookup is { Config.SendsPassword: true })
        {
            await DeferAsync().ConfigureAwait(false);
            return;
        }
        if (!await AskServiceAsync(null).ConfigureAwait(false))
            return;
        // The service takes as long over users whom it does not know, so its time is not counted among what servers take.
        var began = _server.Time.GetTimestamp();
        var scope = Scope();
        var name = ToldName(scope);
        _place = await FindPlaceAsync(scope, name).ConfigureAwait(false);
        if (_place is null)
        {
            _pace = _server.LoginPace.Draw();
            if (!await DelayAsync(_pace.User).ConfigureAwait(false))
                return;
            ControlDecision unknown;
            lock (_sync)
                unknown = _engine.Unrouted();
            await SendAsync(unknown.Bytes).ConfigureAwait(false);
            return;
        }
        Log.Routed(_server.Logger, Id, Printable(_engine.User ?? ""), _place.Group.Name);
        (_searchBegan, _tries) = (began, 0);
        _choice = _place.Group.Choose(Facts());
        ControlDecision routed;
        lock (_sync)
            routed = _engine.Routed(name.Length == 0 ? null : name);
        await LogInAsync(routed.Bytes!, isUser: true).ConfigureAwait(false);
        _pace.User = _server.Time.GetElapsedTime(_searchBegan); // without the wait in a queue
    }

    /// <summary>Has a server answer USER, PASS or ACCT, and the next one where it fails before it has answered.</summary>
    private async Task LogInAsync(byte[] line, bool isUser)
    {
        var began = _server.Time.GetTimestamp();
        _userWasTold = !isUser;
        if (!isUser)
            _searchBegan += began - _answeredAt;
        while (_endReason is null)
        {
            if (_upstream is null && !await TryServersAsync(_choice!).ConfigureAwait(false))
                return;
            if (await AskAsync(line).ConfigureAwait(false) is not { } failure)
                break;
            var server = _upstreamServer!;
            DropServer();
            GiveUpServer(server, failure, isOurs: KnowsClient && failure == RefusedLogin);
        }
        _answeredAt = _server.Time.GetTimestamp();
        if (!isUser)
            Array.Clear(line); // a password; the USER is told to further servers
        if (_endReason is not null)
            return;
        if (_engine.LoggedIn)
            _replies = PumpRepliesAsync();
        else if (!isUser && _lastCode == 530)
            _server.LoginPace.Refused(_pace.User, _server.Time.GetElapsedTime(began));
        EndIfRefusedTooOften();
    }

    private async Task DenyAsync(ControlDecision decision)
    {
        if (await DelayAsync(_pace.Password).ConfigureAwait(false) && await SendAsync(decision.Bytes).ConfigureAwait(false))
            EndIfRefusedTooOften();
    }

    private void EndIfRefusedTooOften()
    {
        if (_endReason is not null || !_engine.IsRefusedTooOften)
            return;
        Log.RefusedTooOften(_server.Logger, Id);
        End(SessionEndReason.LoginRefused, "421 Too many refused logins; closing the control connection.\r\n"u8.ToArray());
    }

    /// <summary>Sends a line to the server and passes its answer on.</summary>
    /// <returns>Null when it has answered, or the session has ended; else why another server is to be asked.</returns>
    private async Task<string?> AskAsync(byte[] line)
    {
        var writing = false;
        try
        {
            // Where another one may be asked, a server that says nothing is worth no longer wait than one that does not greet.
            if (_engine.IsReplaceable)
                BeginStep(_upstream!, _server.Config.BannerTimeout);
            _upstream!.Write(line);
            await _upstream.FlushAsync().ConfigureAwait(false);
            var atEnd = false;
            while (_endReason is null && (_engine.InFlight > 0 || _engine.IsInsideReply))
            {
                var step = TakeReply(atEnd, out _, out _);
                if (step == ReplyStep.Next)
                    continue;
                if (step == ReplyStep.NextServer)
                    return RefusedLogin;
                writing = true;
                await _client.FlushAsync().ConfigureAwait(false);
                writing = false;
                if (step == ReplyStep.Endless)
                    End(SessionEndReason.UpstreamProtocolError, null);
                else if (!atEnd)
                    atEnd = !await _upstream.FillAsync().ConfigureAwait(false);
                else if (MayAskAnother)
                    return "it closed the connection before it had answered the login";
                else
                    OnUpstreamClosed();
            }
            writing = true;
            await _client.FlushAsync().ConfigureAwait(false);
            if (_lastCode == 421)
                OnUpstreamClosed();
            return null;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            if (!writing && MayAskAnother)
                return IsStepOver ? "it did not answer the login in time" : "the connection failed before it had answered the login";
            End(writing ? ClientGone : SessionEndReason.UpstreamFailed, writing ? null : UpstreamFailedReply);
            return null;
        }
        finally
        {
            EndStep();
        }
    }

    private bool MayAskAnother => _endReason is null && _engine.IsReplaceable && !_engine.IsInsideReply;

    private bool IsStepOver => _server.Time.GetTimestamp() >= Volatile.Read(ref _stepDue);

    /// <summary>Takes the greeting of a server, and tells it what the client has said so far.</summary>
    /// <returns>Null, or what was wrong.</returns>
    private async Task<string?> IntroduceAsync(ControlChannel channel)
    {
        BeginStep(channel, _server.Config.BannerTimeout);
        var failure = await UpstreamGreeting.TakeAsync(channel).ConfigureAwait(false)
            ?? await UpstreamGreeting.TellAsync(channel, [.. _engine.Heard], _userWasTold ? _engine.UserLine : default).ConfigureAwait(false);
        EndStep();
        if (failure is not null)
        {
            lock (_sync)
                _engine.UpstreamLeft();
        }
        return failure;
    }

    /// <summary>Waits, unless the session ends.</summary>
    private async Task<bool> DelayAsync(TimeSpan time)
    {
        using var waiting = new ConnectDeadline();
        BeginStep(waiting, _server.Config.LoginTimeout);
        try
        {
            await Task.Delay(time, _server.Time, waiting.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The session has ended, or its time to log in will soon be found to be over.
        }
        EndStep();
        Touch();
        return _endReason is null;
    }

    /// <summary>Leaves the server in peace; its last words are nobody's.</summary>
    private async Task LeaveServerAsync()
    {
        if (_upstream is not { } channel)
            return;
        lock (_sync)
            _isLeaving = true;
        CloseChannel();
        channel.EndWith("QUIT\r\n"u8);
        await _replies.ConfigureAwait(false);
        DropServer();
        _upstreamServer?.Release();
        _upstreamServer = null;
        _isLeaving = false;
    }

    private void DropServer()
    {
        ControlChannel channel;
        lock (_sync)
        {
            channel = _upstream!;
            _upstream = null;
            DropUpstreamPort();
            _engine.UpstreamLeft();
        }
        _leftReceived += channel.BytesReceived;
        _leftSent += channel.BytesSent;
        channel.Dispose();
        _upstreamSession?.Dispose();
        _upstreamSession = null;
        _skippingReply = _isTurnedAway = _loginFailed = false;
        _lastCode = 0;
    }
}
