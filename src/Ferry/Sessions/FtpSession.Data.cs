using System.Net;
using System.Net.Sockets;
using Ferry.Config;
using Ferry.Protocol;
using Ferry.Transport;
using Microsoft.Extensions.Logging;

namespace Ferry.Sessions;

internal sealed partial class FtpSession
{
    private const string NoDataPorts = "No data ports are free; try again.";

    private PassivePort? _passive;
    private List<Transfer>? _transfers;
    private long _transferCount;
    private long _dataToClient;
    private long _dataToUpstream;
    private bool _typeIsImage;

    /// <summary>The server has opened a port: one of ours is lent to the client for it, and the one before goes back.</summary>
    /// <returns>The reply.</returns>
    private byte[] OpenPassive(ControlDecision decision)
    {
        var target = PassiveTarget(decision);
        ClosePassive();
        var config = _server.Config;
        var announced = _server.Announced.For(_client.RemoteEndPoint.Address, _client.LocalEndPoint.Address);
        if (decision.Verb == FtpVerb.Pasv && announced.AddressFamily != AddressFamily.InterNetwork)
            return ReplyWriter.Line(425, "PASV cannot name an IPv6 address; use EPSV.");
        var client = _client.RemoteEndPoint;
        var local = _server.DataAddress(_client.LocalEndPoint.Address, _listener);
        var lent = _server.Ports.TryLend(client.Address, local, config.Data.MaxPortsPerClient, config.Data.AccessRules, out var lease);
        if (lent != LendResult.Lent)
        {
            _server.Metrics.PortsExhausted();
            Log.NoPort(_server.Logger, Id, _server.Ports.Name, Words(lent), _server.Ports.Used);
            return ReplyWriter.Line(425, NoDataPorts);
        }
        lock (_sync)
        {
            if (_endReason is not null)
            {
                lease!.Dispose();
                return ReplyWriter.Line(425, NoDataPorts);
            }
            _passive = new PassivePort(lease!, target, _server.Time.GetTimestamp());
            _engine.DataChannelOpened();
        }
        _server.Metrics.PortLeased();
        if (_server.Logger.IsEnabled(LogLevel.Information))
            Log.PortGiven(_server.Logger, Id, lease!.Port, _server.Ports.Used, _server.Ports.FreeFor(client.Address), client, target);
        return decision.Verb == FtpVerb.Epsv ? ReplyWriter.ExtendedPassive(lease!.Port) : ReplyWriter.Passive(announced, lease!.Port);
    }

    /// <summary>Where the data is fetched or delivered: the announced address only where the operator trusts it (RFC 2577 §3).</summary>
    private IPEndPoint PassiveTarget(ControlDecision decision)
    {
        var own = _upstream!.RemoteEndPoint.Address;
        var policy = _server.Config.Data.PassiveAddress;
        if (policy.Policy == PassiveAddressPolicy.Control || decision.Address == 0)
            return new IPEndPoint(own, decision.Port);
        var announced = new IPAddress(BitConverter.GetBytes(System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(decision.Address)));
        var trusted = policy.Policy == PassiveAddressPolicy.Trust;
        foreach (var network in policy.Networks)
            trusted |= network.Contains(announced);
        return new IPEndPoint(trusted ? announced : own, decision.Port);
    }

    private void ClosePassive()
    {
        if (TakePassive() is { } passive)
            GiveBack(passive.Lease);
    }

    /// <summary>The port that waits for a transfer, which is the caller's from here on; null where there is none.</summary>
    private PassivePort? TakePassive()
    {
        lock (_sync)
        {
            var passive = _passive;
            _passive = null;
            return passive;
        }
    }

    private void GiveBack(DataLease lease)
    {
        lease.Dispose();
        LogGivenBack(lease.Port);
    }

    private void LogGivenBack(int port)
    {
        _server.Metrics.PortReturned();
        if (_server.Logger.IsEnabled(LogLevel.Information))
            Log.PortGivenBack(_server.Logger, Id, port, _server.Ports.Used, _server.Ports.FreeFor(_client.RemoteEndPoint.Address));
    }

    /// <summary>Connects to the server's data port and forwards the transfer command, which is the buffer's first line.</summary>
    private async Task OpenTransferAsync(ControlDecision decision, int length)
    {
        var verb = decision.Verb;
        var passive = TakePassive();
        var leg = passive is null ? null : await ConnectDataAsync(passive).ConfigureAwait(false);
        if (leg is null)
        {
            if (passive is not null)
                GiveBack(passive.Lease);
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
        var transfer = new Transfer(passive!.Lease, leg, verb, FtpVerbs.DataOf(verb), argument, TlsFor(decision), LogMatched);
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

    private async Task<DataLeg?> ConnectDataAsync(PassivePort passive)
    {
        using var connecting = new ConnectDeadline();
        BeginStep(connecting, _server.Config.Data.ConnectTimeout);
        var result = await UpstreamConnector.ConnectAsync(passive.Upstream, _server.Config.BindAddress, connecting.Token).ConfigureAwait(false);
        EndStep();
        if (result.Socket is null)
        {
            Log.DataConnectFailed(_server.Logger, Id, passive.Upstream, result.Error);
            return null;
        }
        try
        {
            return new DataLeg(result.Socket);
        }
        catch (SocketException e)
        {
            Log.DataConnectFailed(_server.Logger, Id, passive.Upstream, e.SocketErrorCode);
            result.Socket.Dispose();
            return null;
        }
    }

    /// <summary>A 1xx has been passed on: data may flow.</summary>
    private ValueTask StartTransferAsync(ControlDecision decision)
    {
        var transfer = FindTransfer(decision.Transfer);
        if (transfer is { IsStarted: false })
            transfer.Start(_server.Time.GetTimestamp());
        return transfer is null ? OpenUnknownTransferAsync(decision) : ValueTask.CompletedTask;
    }

    /// <summary>A command that Ferry does not know as a transfer command has been answered 150 and uses the passive port.</summary>
    private async ValueTask OpenUnknownTransferAsync(ControlDecision decision)
    {
        var passive = TakePassive();
        if (passive is null)
            return;
        if (await ConnectDataAsync(passive).ConfigureAwait(false) is not { } leg)
        {
            GiveBack(passive.Lease);
            return;
        }
        var transfer = new Transfer(passive.Lease, leg, decision.Verb, DataUse.None, [], TlsFor(decision), LogMatched) { Number = decision.Transfer };
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
        TransferOutcome.NoClient => ReplyWriter.Line(425, "Can't open data connection: the client did not connect."),
        TransferOutcome.ClientTlsFailed => ReplyWriter.Line(425, "Can't open data connection: TLS failed."),
        TransferOutcome.UpstreamTlsFailed => ReplyWriter.Line(425, "Can't open data connection: TLS with the server failed."),
        // As vsftpd, whose words clients' users search for.
        TransferOutcome.ReuseMissing => ReplyWriter.Line(522, "SSL connection failed; session reuse required: the data connection must resume the control connection's session."),
        _ => ReplyWriter.Line(426, "Connection closed; transfer aborted."),
    };

    private void SweepData(long now)
    {
        var time = _server.Time;
        var data = _server.Config.Data;
        Transfer[]? transfers = null;
        PassivePort? expired = null;
        lock (_sync)
        {
            if (_transfers is { Count: > 0 })
                transfers = [.. _transfers];
            if (_passive is { } passive && time.GetElapsedTime(passive.Given, now) >= (passive.Lease.IsConnected ? data.StallTimeout : data.ConnectTimeout))
            {
                expired = passive;
                _passive = null;
                _engine.DataChannelClosed();
            }
        }
        if (expired is not null)
        {
            Log.PortUnused(_server.Logger, Id, expired.Lease.Port);
            GiveBack(expired.Lease);
        }
        foreach (var transfer in transfers ?? [])
            transfer.Sweep(now, time, data.ConnectTimeout, data.StallTimeout);
    }

    private static string Words(LendResult reason) => reason switch
    {
        LendResult.ZoneFull => "the zone is full",
        LendResult.ClientLimit => "its address holds as many as ftp_client_ports allows",
        _ => "its address holds all of the range that can be opened",
    };

    private static partial class Log
    {
        [LoggerMessage(440, LogLevel.Information, "session {Session}: port {Port} given ({Used} used, {Free} free) to {Client} for {Server}")]
        public static partial void PortGiven(ILogger logger, string session, int port, int used, int free, IPEndPoint client, IPEndPoint server);

        [LoggerMessage(441, LogLevel.Information, "session {Session}: port {Port} given back ({Used} used, {Free} free)")]
        public static partial void PortGivenBack(ILogger logger, string session, int port, int used, int free);

        [LoggerMessage(442, LogLevel.Warning, "session {Session}: zone \"{Zone}\" has no port for the client: {Reason} ({Used} used); answered 425")]
        public static partial void NoPort(ILogger logger, string session, string zone, string reason, int used);

        [LoggerMessage(443, LogLevel.Information, "session {Session}: port {Port} was not used in time")]
        public static partial void PortUnused(ILogger logger, string session, int port);

        [LoggerMessage(444, LogLevel.Warning, "session {Session}: no data connection to {Server}: {Error}; answered 425")]
        public static partial void DataConnectFailed(ILogger logger, string session, IPEndPoint server, SocketError error);
    }
}
