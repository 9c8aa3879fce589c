using System.Net;
using Ferry.Protocol;
using Ferry.Telemetry;
using Microsoft.Extensions.Logging;

namespace Ferry.Sessions;

internal sealed partial class FtpSession
{
    /// <summary>The server's last word on a transfer has come, or the session has ended (code 0): it is told once its data connections are closed.</summary>
    private void Conclude(Transfer transfer, int code)
    {
        if (transfer.IsConcluded)
            return;
        transfer.IsConcluded = true;
        if (transfer.Completion.IsCompleted)
            Record(transfer, code);
        else
            transfer.Recording = RecordLaterAsync(transfer, code);
    }

    /// <summary>Ends transfers of which no reply will come any more: the server has passed over them. Under the lock.</summary>
    private void ConcludeStale()
    {
        if (_transfers is not { Count: > 0 })
            return;
        var oldest = _engine.OldestTransfer;
        foreach (var transfer in _transfers.FindAll(t => t.Number < oldest && !t.IsConcluded))
            End(transfer);
    }

    /// <summary>No reply will come for the transfer: what still flows is delivered.</summary>
    private void End(Transfer transfer)
    {
        transfer.WindDown();
        if (!transfer.IsStarted)
            transfer.Discard();
        Conclude(transfer, 0);
    }

    private async Task RecordLaterAsync(Transfer transfer, int code)
    {
        await transfer.Completion.ConfigureAwait(false);
        Record(transfer, code);
    }

    private void Record(Transfer transfer, int code)
    {
        var outcome = transfer.Completion.Result;
        if (transfer.Failure is { } failure)
            Log.Failed(_server.Logger, failure, Id);
        if (transfer.TlsFailure is { } reason)
            Log.DataTlsFailed(_server.Logger, Id, transfer.Refusal == TransferOutcome.UpstreamTlsFailed ? "server" : "client", reason);
        if (transfer.IsTruncated)
            _server.Metrics.TlsTruncated(client: transfer.Use == DataUse.Upload);
        if (code >= 400 && outcome == TransferOutcome.Complete)
            outcome = TransferOutcome.Refused;
        if (transfer.AbortRequested && outcome != TransferOutcome.Complete)
            outcome = TransferOutcome.Aborted;
        TellTransfer(transfer, code, outcome);
        long toClient = transfer.BytesToClient, toUpstream = transfer.BytesToUpstream;
        lock (_sync)
        {
            _transfers!.Remove(transfer);
            _dataToClient += toClient;
            _dataToUpstream += toUpstream;
        }
        var duration = transfer.StartedAt == 0 ? TimeSpan.Zero : _server.Time.GetElapsedTime(transfer.StartedAt);
        var direction = transfer.Use switch
        {
            DataUse.Upload => TransferDirection.Upload,
            DataUse.Listing => TransferDirection.List,
            _ => TransferDirection.Download,
        };
        var bytes = toClient + toUpstream;
        var tag = TransferOutcomes.Tag(outcome);
        _server.Metrics.TransferEnded(direction, tag, duration, bytes);
        if (_server.Logger.IsEnabled(LogLevel.Information))
            Log.TransferEnded(_server.Logger, Id, transfer.VerbName, tag, toClient, toUpstream, transfer.RelayEnd ?? "nobody", duration.TotalSeconds);
        if (transfer.ClientPort > 0)
            LogGivenBack(transfer.ClientPort);
        _server.TransferLog?.Write(new TransferRecord
        {
            SessionId = Id,
            End = _server.Time.GetUtcNow(),
            Duration = duration,
            Client = _client.RemoteEndPoint,
            Upstream = transfer.UpstreamEndPoint,
            User = _engine.User,
            Verb = transfer.VerbName,
            Path = transfer.Path,
            Direction = direction,
            Type = _typeIsImage ? TransferType.Image : TransferType.Ascii,
            Bytes = bytes,
            Outcome = tag,
            RelayEnd = transfer.RelayEnd,
            ClientTls = RecordOf(transfer.ClientTls),
            UpstreamTls = RecordOf(transfer.UpstreamTls),
        });
    }

    private void LogMatched(Transfer transfer)
    {
        if (!_server.Logger.IsEnabled(LogLevel.Information))
            return;
        if (transfer.ClientPort > 0)
            Log.Matched(_server.Logger, Id, transfer.ClientEndPoint!, transfer.ClientPort, transfer.UpstreamEndPoint);
        else
            Log.Dialled(_server.Logger, Id, transfer.ClientEndPoint!, transfer.UpstreamEndPoint);
    }

    private static partial class Log
    {
        [LoggerMessage(452, LogLevel.Warning, "session {Session}: TLS with the {Side} on a data connection failed: {Reason}")]
        public static partial void DataTlsFailed(ILogger logger, string session, string side, string reason);

        [LoggerMessage(450, LogLevel.Information, "session {Session}: {Verb} finished: {Outcome}, {ToClient} bytes to the client, {ToServer} to the server, ended by {End}, {Seconds:F3} s")]
        public static partial void TransferEnded(ILogger logger, string session, string verb, string outcome, long toClient, long toServer, string end, double seconds);

        [LoggerMessage(453, LogLevel.Information, "session {Session}: data connection to {Client} made and matched to server {Server}")]
        public static partial void Dialled(ILogger logger, string session, IPEndPoint client, IPEndPoint server);

        [LoggerMessage(451, LogLevel.Information, "session {Session}: data connection from {Client} to port {Port} matched to server {Server}")]
        public static partial void Matched(ILogger logger, string session, IPEndPoint client, int port, IPEndPoint server);
    }
}
