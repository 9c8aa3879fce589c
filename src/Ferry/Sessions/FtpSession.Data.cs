using System.Net;
using System.Net.Sockets;
using Ferry.Protocol;
using Ferry.Transport;
using Microsoft.Extensions.Logging;

namespace Ferry.Sessions;

internal sealed partial class FtpSession
{
    private List<Transfer>? _transfers;
    private long _transferCount;
    private long _dataToClient;
    private long _dataToUpstream;
    private bool _typeIsImage;

    /// <summary>Readies the server's side of the data channel and forwards the transfer command, which is the buffer's first line.</summary>
    private async Task OpenTransferAsync(ControlDecision decision, int length)
    {
        var verb = decision.Verb;
        var channel = TakeChannel();
        if (channel is null || await UpstreamEndAsync(channel).ConfigureAwait(false) is not { } upstream)
        {
            if (channel is not null)
                GiveBack(channel);
            lock (_sync)
            {
                var refused = _engine.TransferRefused("Can't open the data connection to the server.");
                if (refused.Kind == DecisionKind.Answer)
                    _client.Write(refused.Bytes);
            }
            _client.Consume(length);
            await _client.FlushAsync().ConfigureAwait(false);
            return;
        }
        var argument = FtpCommand.Parse(_client.Buffered[..length].TrimEnd("\r\n"u8)).Argument.ToArray();
        var transfer = new Transfer(ClientEnd(channel), upstream, UpstreamEnd(channel), verb, FtpVerbs.DataOf(verb), argument, TlsFor(decision), _loop, LogMatched);
        if (Register(transfer, verb))
            await ForwardCommandAsync(length).ConfigureAwait(false);
    }

    private bool Register(Transfer transfer, FtpVerb? forwarded)
    {
        var ended = false;
        lock (_sync)
        {
            (_transfers ??= []).Add(transfer);
            _transferCount++;
            ended = _endReason is not null;
            if (!ended && forwarded is { } verb)
            {
                _engine.TransferOpened(verb);
                transfer.Number = _engine.LastTransfer;
            }
        }
        _server.Metrics.TransferStarted();
        if (ended)
            transfer.Cut(TransferOutcome.SessionEnded);
        return !ended;
    }

    private IDataEnd ClientEnd(DataChannel channel)
    {
        if (channel.ClientPort is { } lease)
            return new LentPort(lease);
        return new DialledClient(channel.Client!, ActiveSources(channel.Client!), ActiveSourcePort, _server.Time,
            (client, error) => Log.ClientNotReached(_server.Logger, Id, client, error));
    }

    /// <summary>A server in passive mode is connected to now, one in active mode comes by itself.</summary>
    /// <returns>Null where it cannot be connected to.</returns>
    private async ValueTask<IDataEnd?> UpstreamEndAsync(DataChannel channel)
    {
        if (channel.UpstreamPort is { } lease)
            return new LentPort(lease);
        using var connecting = new ConnectDeadline();
        var began = _server.Time.GetTimestamp();
        BeginStep(connecting, _server.Config.Data.ConnectTimeout);
        var result = await UpstreamConnector.ConnectAsync(channel.Upstream!, _source, Header(_server.Config.Data.ProxyProtocol), _loop, connecting.Token).ConfigureAwait(false);
        EndStep();
        if (result.Connection is not null)
            return new StandingEnd(result.Connection);
        TellDataConnect(_server.Time.GetElapsedTime(channel.Given, began), result);
        LogDataConnect(channel.Upstream!, result);
        return null;
    }

    /// <summary>A 1xx has been passed on: data may flow.</summary>
    private ValueTask StartTransferAsync(ControlDecision decision)
    {
        var transfer = FindTransfer(decision.Transfer);
        if (transfer is { IsStarted: false })
            transfer.Start(_server.Time.GetTimestamp());
        return transfer is null ? OpenUnknownTransferAsync(decision) : ValueTask.CompletedTask;
    }

    /// <summary>A command that Ferry does not know as a transfer command has been answered 150 and uses the data channel.</summary>
    private async ValueTask OpenUnknownTransferAsync(ControlDecision decision)
    {
        var channel = TakeChannel();
        if (channel is null)
            return;
        if (await UpstreamEndAsync(channel).ConfigureAwait(false) is not { } upstream)
        {
            GiveBack(channel);
            return;
        }
        var transfer = new Transfer(ClientEnd(channel), upstream, UpstreamEnd(channel), decision.Verb, DataUse.None, [], TlsFor(decision), _loop, LogMatched) { Number = decision.Transfer };
        if (!Register(transfer, null))
            return;
        transfer.Start(_server.Time.GetTimestamp());
        lock (_sync)
        {
            if (transfer.Number < _engine.OldestTransfer) // its last reply came before our connection stood
                End(transfer);
        }
    }

    private Transfer? FindTransfer(int number)
    {
        lock (_sync)
            return _transfers?.Find(t => t.Number == number && !t.IsConcluded);
    }

    /// <summary>Waits until the data of a transfer has been delivered; the server's last reply to it has this code.</summary>
    /// <returns>Null, or the reply to give in place of the server's: what the server calls complete did not arrive.</returns>
    private async Task<byte[]?> HoldAsync(Transfer transfer, int code)
    {
        if (code >= 400)
        {
            // Nothing that comes now makes the file whole, and an abort must not wait for a client that does not read.
            transfer.WindDown();
            if (!transfer.IsStarted)
                transfer.Discard();
            Conclude(transfer, code);
            return transfer.Refusal is { } refused ? Refusal(refused) : null; // the server speaks of the connection that was cut over it
        }
        if (!transfer.IsStarted)
            transfer.Start(_server.Time.GetTimestamp());
        lock (_sync)
        {
            _holding = true;
            if (_engine.AbortInFlight || transfer.Use == DataUse.None)
                transfer.WindDown();
        }
        var outcome = await transfer.Completion.ConfigureAwait(false);
        _holding = false;
        Conclude(transfer, code);
        return outcome == TransferOutcome.Complete || transfer.Use == DataUse.None ? null : Refusal(outcome);
    }

    /// <summary>What the client is told in place of a 2xx that did not come true.</summary>
    private static byte[] Refusal(TransferOutcome outcome) => outcome switch
    {
        TransferOutcome.NoClient => ReplyWriter.Line(425, "Can't open data connection: there is none to the client."),
        TransferOutcome.NoUpstream => ReplyWriter.Line(425, "Can't open data connection: the server did not connect."),
        TransferOutcome.ClientTlsFailed => ReplyWriter.Line(425, "Can't open data connection: TLS failed."),
        TransferOutcome.UpstreamTlsFailed => ReplyWriter.Line(425, "Can't open data connection: TLS with the server failed."),
        // As vsftpd, whose words clients' users search for.
        TransferOutcome.ReuseMissing => ReplyWriter.Line(522, "SSL connection failed; session reuse required: the data connection must resume the control connection's session."),
        _ => ReplyWriter.Line(426, "Connection closed; transfer aborted."),
    };

    private void SweepData(long now)
    {
        SweepChannel(now);
        Transfer[]? transfers = null;
        lock (_sync)
        {
            if (_transfers is { Count: > 0 })
                transfers = [.. _transfers];
        }
        var data = _server.Config.Data;
        foreach (var transfer in transfers ?? [])
            transfer.Sweep(now, _server.Time, data.ConnectTimeout, data.StallTimeout);
    }

    private static partial class Log
    {
        [LoggerMessage(444, LogLevel.Warning, "session {Session}: no data connection to {Server}: {Error}; answered 425")]
        public static partial void DataConnectFailed(ILogger logger, string session, IPEndPoint server, SocketError error);

        [LoggerMessage(446, LogLevel.Warning, "session {Session}: no data connection to client {Client}, which named it for active mode: {Error}")]
        public static partial void ClientNotReached(ILogger logger, string session, IPEndPoint client, SocketError error);
    }
}
