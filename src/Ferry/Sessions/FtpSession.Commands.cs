using System.Buffers;
using System.Net.Sockets;
using Ferry.Protocol;
using Microsoft.Extensions.Logging;

namespace Ferry.Sessions;

internal sealed partial class FtpSession
{
    private long _commands;
    private bool _skippingCommand;
    private bool _quit;
    private TaskCompletionSource? _replySignal;

    private enum CommandStep
    {
        Fill,
        Next,
        Forward,
        Rewrite,
        FlushClient,
        WaitForReply,
        OpenTransfer,
        Insert,
        StartTls,
        StopTls,
        Front,
    }

    private async Task PumpCommandsAsync()
    {
        try
        {
            while (true)
            {
                switch (TakeCommand(out var decision, out var length))
                {
                    case CommandStep.Fill:
                        if (await _client.FillAsync().ConfigureAwait(false))
                            break;
                        // What a line's end never came for is no command. The server is told as the client told us, and may finish.
                        if (_engine.IsAtFront)
                        {
                            End(SessionEndReason.ClientClosed, null);
                            return;
                        }
                        Volatile.Write(ref _closingAt, _server.Time.GetTimestamp());
                        MoveTo(SessionState.Closing);
                        _upstream!.ShutdownSend();
                        return;
                    case CommandStep.Forward:
                        await ForwardCommandAsync(length).ConfigureAwait(false);
                        break;
                    case CommandStep.Rewrite:
                        _client.Consume(length);
                        _writingUpstream = true;
                        _upstream!.Write(decision.Bytes);
                        await _upstream.FlushAsync().ConfigureAwait(false);
                        _writingUpstream = false;
                        break;
                    case CommandStep.FlushClient:
                        await _client.FlushAsync().ConfigureAwait(false);
                        break;
                    case CommandStep.WaitForReply:
                        await ReplySignal().ConfigureAwait(false);
                        break;
                    case CommandStep.OpenTransfer:
                        await OpenTransferAsync(decision, length).ConfigureAwait(false);
                        break;
                    case CommandStep.Insert:
                        _writingUpstream = true;
                        _upstream!.Write(decision.Bytes);
                        await _upstream.FlushAsync().ConfigureAwait(false);
                        _writingUpstream = false;
                        break;
                    case CommandStep.StartTls:
                        _client.Consume(length);
                        await SwitchClientToTlsAsync(decision).ConfigureAwait(false);
                        break;
                    case CommandStep.StopTls:
                        _client.Consume(length);
                        await ClearClientAsync(decision).ConfigureAwait(false);
                        break;
                    case CommandStep.Front:
                        await ActAtFrontAsync(decision, length).ConfigureAwait(false);
                        break;
                }
                if (_endReason is not null)
                    return;
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            End(_writingUpstream ? SessionEndReason.UpstreamFailed : SessionEndReason.ClientFailed, _writingUpstream ? UpstreamFailedReply : null);
        }
        catch (Exception e)
        {
            Log.Failed(_server.Logger, e, Id);
            End(SessionEndReason.InternalError, null);
        }
    }

    private bool _writingUpstream;

    /// <summary>Looks at the next command. It stays in the buffer where the step says so: Forward, Rewrite, OpenTransfer, WaitForReply, Insert, StartTls, StopTls, Front.</summary>
    private CommandStep TakeCommand(out ControlDecision decision, out int length)
    {
        decision = default;
        var buffered = _client.Buffered;
        var status = LineScanner.TryRead(buffered, out var line, out length);
        if (status == OperationStatus.NeedMoreData)
            return CommandStep.Fill;
        if (_skippingCommand)
        {
            _skippingCommand = status != OperationStatus.Done;
            _client.Consume(status == OperationStatus.Done ? length : buffered.Length);
            return CommandStep.Next;
        }
        Touch();
        if (status == OperationStatus.InvalidData)
        {
            // Each is answered in its turn, so what waits for its turn must be bounded as commands are.
            lock (_sync)
            {
                if (_engine.InFlight >= ControlEngine.MaxInFlight)
                    return CommandStep.WaitForReply;
            }
            _skippingCommand = true;
            _client.Consume(buffered.Length);
            Log.CommandTooLong(_server.Logger, Id, LineScanner.MaxLine);
            return AnswerClient(500, "Command line too long.");
        }
        Span<byte> clean = TelnetLine.HasTelnet(line) ? stackalloc byte[line.Length] : default;
        ReadOnlySpan<byte> command = clean.IsEmpty ? line : clean[..TelnetLine.Clean(line, clean)];
        if (command.IsEmpty)
        {
            _client.Consume(length); // Telnet alone, or an empty line, which servers treat in too many ways to count on an answer
            return CommandStep.Next;
        }
        // What is decided and what is written are one act, or an answer of ours could overtake a reply.
        lock (_sync)
        {
            decision = _engine.OnCommand(command);
            if (decision.Kind == DecisionKind.OpenListener)
                decision = OpenUpstreamPort();
            if (decision.RefusedPeer is { } peer)
                RefusePeer(peer);
            NoteCommand(command, decision.Kind);
            return Act(decision, length, command);
        }
    }

    private CommandStep Act(ControlDecision decision, int length, ReadOnlySpan<byte> command)
    {
        if (decision.Kind is not (DecisionKind.Wait or DecisionKind.Insert))
        {
            _commands++;
            if (_server.Logger.IsEnabled(LogLevel.Debug))
                Log.Command(_server.Logger, Id, FtpCommand.Parse(command).ToString(), decision.Kind);
        }
        switch (decision.Kind)
        {
            case DecisionKind.Forward:
                return CommandStep.Forward;
            case DecisionKind.Rewrite:
                return CommandStep.Rewrite;
            case DecisionKind.OpenTransfer:
                return CommandStep.OpenTransfer;
            case DecisionKind.Wait:
                return CommandStep.WaitForReply;
            case DecisionKind.Insert:
                return CommandStep.Insert;
            case DecisionKind.StartClientTls:
                return CommandStep.StartTls;
            case DecisionKind.StopClientTls:
                return CommandStep.StopTls;
            case DecisionKind.Route or DecisionKind.LookUp or DecisionKind.LogIn or DecisionKind.Deny or DecisionKind.Farewell or DecisionKind.Release:
                return CommandStep.Front;
            case DecisionKind.Answer:
                _client.Consume(length);
                _client.Write(decision.Bytes);
                return CommandStep.FlushClient;
            default:
                _client.Consume(length);
                return CommandStep.Next;
        }
    }

    private void NoteCommand(ReadOnlySpan<byte> command, DecisionKind kind)
    {
        if (kind != DecisionKind.Forward)
            return;
        var parsed = FtpCommand.Parse(command);
        switch (parsed.Verb)
        {
            case FtpVerb.Abor:
                _hasAborted = true;
                _transfers?.ForEach(static t => t.AbortRequested = true);
                if (_holding)
                    _transfers?.ForEach(static t => t.WindDown());
                break;
            case FtpVerb.Quit:
                _quit = true;
                break;
            case FtpVerb.Type when parsed.Argument is [var type, ..]:
                _typeIsImage = type is (byte)'I' or (byte)'i' or (byte)'L' or (byte)'l';
                break;
        }
    }

    private CommandStep AnswerClient(int code, string text)
    {
        lock (_sync)
        {
            var decision = _engine.Answer(code, text);
            if (decision.Kind != DecisionKind.Answer)
                return CommandStep.Next;
            _client.Write(decision.Bytes);
            return CommandStep.FlushClient;
        }
    }

    /// <summary>Sends the buffer's first line to the server as it came, urgent where it came so.</summary>
    private async ValueTask ForwardCommandAsync(int length)
    {
        _writingUpstream = true;
        var urgent = _client.UrgentOffset;
        if (urgent >= 0 && urgent < length)
        {
            await _upstream!.SendUrgentAsync(_client.Buffered[..(urgent + 1)].ToArray()).ConfigureAwait(false);
            _upstream.Write(_client.Buffered[(urgent + 1)..length]);
        }
        else
        {
            var line = _client.Buffered[..length];
            if (line is [.., (byte)'\r', (byte)'\n'])
            {
                _upstream!.Write(line);
            }
            else
            {
                // A bare LF is a line to us, so it must be one to the server, whatever that thinks of bare LFs.
                _upstream!.Write(line[..^1]);
                _upstream.Write("\r\n"u8);
            }
        }
        _client.Consume(length);
        await _upstream.FlushAsync().ConfigureAwait(false);
        _writingUpstream = false;
    }

    /// <summary>Ends when the next reply has come. The sessions' end is a reply, too.</summary>
    private Task ReplySignal()
    {
        lock (_sync)
        {
            if (_endReason is not null || !_engine.MustWait)
                return Task.CompletedTask;
            return (_replySignal ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    private void SignalReply()
    {
        TaskCompletionSource? signal;
        lock (_sync)
        {
            signal = _replySignal;
            _replySignal = null;
        }
        signal?.SetResult();
    }

    private static partial class Log
    {
        [LoggerMessage(420, LogLevel.Debug, "session {Session}: client says {Command}: {Decision}")]
        public static partial void Command(ILogger logger, string session, string command, DecisionKind decision);

        [LoggerMessage(421, LogLevel.Warning, "session {Session}: a command is longer than {Limit} bytes; answered 500")]
        public static partial void CommandTooLong(ILogger logger, string session, int limit);
    }
}
