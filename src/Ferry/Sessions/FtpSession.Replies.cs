using System.Buffers;
using System.Net.Sockets;
using Ferry.Protocol;
using Microsoft.Extensions.Logging;

namespace Ferry.Sessions;

internal sealed partial class FtpSession
{
    // A cut line and its CRLF are a line that clients take.
    private const int CutLength = LineScanner.MaxLine - 2;

    private bool _skippingReply;
    private bool _holding;
    private bool _wasLoggedIn;
    private int _lastCode;

    private enum ReplyStep
    {
        Fill,
        Next,
        StartTransfer,
        FinishTransfer,
        StartTls,
        StopTls,
        Retry,
        NextServer,
        Endless,
    }

    private async Task PumpRepliesAsync()
    {
        var writing = false;
        try
        {
            var atEnd = false;
            while (_endReason is null)
            {
                var step = TakeReply(atEnd, out var decision, out var length);
                if (step == ReplyStep.Next)
                    continue;
                writing = true;
                await _client.FlushAsync().ConfigureAwait(false);
                writing = false;
                switch (step)
                {
                    case ReplyStep.StartTransfer:
                        await StartTransferAsync(decision).ConfigureAwait(false);
                        break;
                    case ReplyStep.FinishTransfer:
                        await FinishTransferAsync(decision, length).ConfigureAwait(false);
                        break;
                    case ReplyStep.StartTls:
                        await SwitchUpstreamToTlsAsync().ConfigureAwait(false);
                        break;
                    case ReplyStep.StopTls:
                        await ClearUpstreamAsync().ConfigureAwait(false);
                        break;
                    case ReplyStep.Retry:
                        await _upstream!.FlushAsync().ConfigureAwait(false);
                        break;
                    case ReplyStep.Endless:
                        Log.EndlessReply(_server.Logger, Id);
                        End(SessionEndReason.UpstreamProtocolError, null);
                        return;
                    case ReplyStep.Fill when atEnd:
                        if (!_isLeaving)
                            OnUpstreamClosed();
                        return;
                    case ReplyStep.Fill:
                        atEnd = !await _upstream!.FillAsync().ConfigureAwait(false);
                        break;
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException && _isLeaving && !writing)
        {
            // The server is being left behind.
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            End(writing ? ClientGone : SessionEndReason.UpstreamFailed, writing ? null : UpstreamFailedReply);
        }
        catch (Exception e)
        {
            Log.Failed(_server.Logger, e, Id);
            End(SessionEndReason.InternalError, null);
        }
    }

    // A server that has said goodbye by itself is not spoken for a second time.
    private byte[]? UpstreamFailedReply => _lastCode is 221 or 421 ? null : "421 The connection to the server failed.\r\n"u8.ToArray();

    private SessionEndReason ClientGone => _state == SessionState.Closing ? SessionEndReason.ClientClosed
        : _isStartingClientTls ? SessionEndReason.ClientTlsFailed : SessionEndReason.ClientFailed;

    /// <summary>Looks at the next line of the server. With FinishTransfer it stays in the buffer; otherwise it is consumed.</summary>
    private ReplyStep TakeReply(bool atEnd, out ControlDecision decision, out int length)
    {
        decision = default;
        var buffered = _upstream!.Buffered;
        var status = LineScanner.TryRead(buffered, out var line, out length);
        var truncated = status == OperationStatus.InvalidData;
        if (status == OperationStatus.NeedMoreData)
        {
            if (!atEnd || buffered.IsEmpty)
                return ReplyStep.Fill;
            line = buffered; // the connection's end ends the line
            length = buffered.Length;
        }
        if (truncated)
        {
            line = buffered[..CutLength];
            length = buffered.Length;
        }
        if (_skippingReply)
        {
            _skippingReply = truncated;
            _upstream.Consume(length);
            return ReplyStep.Next;
        }
        _skippingReply = truncated;
        Touch();
        if (truncated)
            Log.ReplyTooLong(_server.Logger, Id, LineScanner.MaxLine);
        // What is decided and what is written are one act, or an answer of ours could overtake a reply.
        lock (_sync)
        {
            if (_isLeaving)
            {
                _upstream.Consume(length);
                return ReplyStep.Next;
            }
            var loggedIn = _engine.LoggedIn;
            var isLoggingIn = !loggedIn && _engine.IsLoggingIn;
            decision = _engine.OnReply(line, truncated);
            _wasLoggedIn |= _engine.LoggedIn;
            if (loggedIn && !_engine.LoggedIn)
                _loggedOutAt = _server.Time.GetTimestamp(); // REIN: the user has as long as at the beginning
            if (decision.Code != 0)
                _lastCode = decision.Code;
            if (isLoggingIn)
                NoteLogin(decision.Code);
            if (_engine.ReplyIsEndless)
                return ReplyStep.Endless;
            if (decision.Kind == DecisionKind.FinishTransfer)
                return ReplyStep.FinishTransfer;
            if (decision.Kind == DecisionKind.NextServer)
                return ReplyStep.NextServer;
            WriteReply(decision, line, length);
        }
        TellRefusal();
        SignalReply();
        return decision.Kind switch
        {
            DecisionKind.StartTransfer => ReplyStep.StartTransfer,
            DecisionKind.StartUpstreamTls => ReplyStep.StartTls,
            DecisionKind.StopUpstreamTls => ReplyStep.StopTls,
            DecisionKind.Retry => ReplyStep.Retry,
            _ => ReplyStep.Next,
        };
    }

    /// <summary>Writes what the client is to see of a line, and the answers whose turn it is then. Under the lock.</summary>
    private void WriteReply(ControlDecision decision, ReadOnlySpan<byte> line, int length)
    {
        switch (decision.Kind)
        {
            case DecisionKind.Forward or DecisionKind.StartTransfer or DecisionKind.FinishTransfer:
                ForwardReply(line, length);
                break;
            case DecisionKind.Rewrite:
                _client.Write(decision.Bytes);
                break;
            case DecisionKind.OpenPassive:
                _client.Write(OpenPassive(decision));
                break;
            case DecisionKind.OpenActive:
                _client.Write(OpenActive(decision));
                break;
            case DecisionKind.Retry:
                _upstream!.Write(decision.Bytes);
                break;
            case DecisionKind.RefuseSetUp:
                Log.PassiveRefused(_server.Logger, Id, decision.Code);
                _client.Write(decision.Bytes);
                break;
        }
        _upstream!.Consume(length);
        AfterReply();
    }

    private void AfterReply()
    {
        ConcludeStale();
        if (!_engine.IsSettingUp)
            DropUpstreamPort(); // the server has refused it
        while (_engine.TakeAnswer() is { } answer)
            _client.Write(answer);
    }

    private void ForwardReply(ReadOnlySpan<byte> line, int length)
    {
        var whole = _upstream!.Buffered[..length];
        if (whole is [.., (byte)'\n'] && whole.Length <= line.Length + 2)
        {
            _client.Write(whole);
            return;
        }
        _client.Write(line);
        _client.Write("\r\n"u8);
    }

    /// <summary>The transfer's last reply has come and stands in the buffer: it is passed on when the data has been delivered.</summary>
    private async Task FinishTransferAsync(ControlDecision decision, int length)
    {
        var transfer = FindTransfer(decision.Transfer);
        var instead = transfer is null ? null : await HoldAsync(transfer, decision.Code).ConfigureAwait(false);
        lock (_sync)
        {
            _engine.TransferFinished(replaced: instead is not null);
            if (instead is not null)
            {
                _client.Write(instead);
                _upstream!.Consume(length);
                AfterReply();
            }
            else
            {
                var line = _upstream!.Buffered[..length].TrimEnd("\r\n"u8);
                WriteReply(decision, line.Length > CutLength ? line[..CutLength] : line, length);
            }
        }
        SignalReply();
    }

    private void OnUpstreamClosed()
    {
        var told = _lastCode is 221 or 421;
        var reason = _quit && _lastCode == 221 ? SessionEndReason.ClientQuit
            : _state == SessionState.Closing ? SessionEndReason.ClientClosed
            : SessionEndReason.UpstreamClosed;
        End(reason, told || reason != SessionEndReason.UpstreamClosed ? null : "421 The server closed the connection.\r\n"u8.ToArray());
    }

    private static partial class Log
    {
        [LoggerMessage(430, LogLevel.Warning, "session {Session}: a reply line of the server is longer than {Limit} bytes; cut")]
        public static partial void ReplyTooLong(ILogger logger, string session, int limit);

        [LoggerMessage(431, LogLevel.Warning, "session {Session}: the server offers no data connection that can be used; the client was answered {Code}")]
        public static partial void PassiveRefused(ILogger logger, string session, int code);

        [LoggerMessage(432, LogLevel.Error, "session {Session}: a reply of the server does not end")]
        public static partial void EndlessReply(ILogger logger, string session);
    }
}
