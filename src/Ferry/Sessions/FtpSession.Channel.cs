using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.Config;
using Ferry.Protocol;
using Ferry.Transport;
using Microsoft.Extensions.Logging;

namespace Ferry.Sessions;

// What PASV, EPSV, PORT and EPRT prepare, on both sides.
internal sealed partial class FtpSession
{
    private const string NoDataPorts = "No data ports are free; try again.";

    private DataChannel? _channel;
    private DataLease? _upstreamPort;

    /// <summary>What the engine may let a client's PORT or EPRT do.</summary>
    private DataRules DataRulesOf(DataConfig config) => new()
    {
        Mode = (DataMode)config.UpstreamMode,
        MayDial = MayDial,
        ClientScopeId = _client.RemoteEndPoint.Address is { AddressFamily: AddressFamily.InterNetworkV6 } address ? address.ScopeId : 0,
        BothFamilies = config.ActivePeer.Policy != ActivePeerPolicy.Control,
    };

    private bool MayDial(IPEndPoint peer)
    {
        var (policy, networks) = _server.Config.Data.ActivePeer;
        return policy == ActivePeerPolicy.Any || peer.Address.Equals(_client.RemoteEndPoint.Address) || networks.Any(n => n.Contains(peer.Address));
    }

    private void RefusePeer(IPEndPoint peer)
    {
        _server.Metrics.ActivePeerRefused();
        Log.PeerRefused(_server.Logger, Id, peer, _client.RemoteEndPoint.Address);
    }

    /// <summary>A port of ours for the server to connect to. Under the lock.</summary>
    private ControlDecision OpenUpstreamPort()
    {
        DropUpstreamPort();
        if (_endReason is not null)
            return _engine.ListenerRefused(); // nobody would give it back
        var (server, local) = (_upstream!.RemoteEndPoint, _upstream.LocalEndPoint);
        if (_server.UpstreamPorts.TryLend(server.Address, local.Address, 0, [], out _upstreamPort) != LendResult.Lent)
        {
            Log.NoPort(_server.Logger, Id, _server.UpstreamPorts.Name, "the range proxy_ftp_ports is in use, or cannot be opened", _server.UpstreamPorts.Used);
            return _engine.ListenerRefused();
        }
        Log.PortOpened(_server.Logger, Id, _upstreamPort!.Port, server);
        var decision = _engine.ListenerOpened(new IPEndPoint(local.Address, _upstreamPort.Port));
        if (!_engine.IsSettingUp)
            DropUpstreamPort();
        return decision;
    }

    private void DropUpstreamPort()
    {
        _upstreamPort?.Dispose();
        _upstreamPort = null;
    }

    /// <summary>The server's side is ready, and one of our ports is lent to the client, in place of the one before. Under the lock.</summary>
    /// <returns>The reply.</returns>
    private byte[] OpenPassive(ControlDecision decision)
    {
        var config = _server.Config;
        var client = _client.RemoteEndPoint;
        var announced = _server.Announced.For(client.Address, Dialled.Address);
        if (decision.Verb == FtpVerb.Pasv && announced.AddressFamily != AddressFamily.InterNetwork)
            return ReplyWriter.Line(425, "PASV cannot name an IPv6 address; use EPSV.");
        CloseChannel();
        var local = _server.DataAddress(_client.LocalEndPoint.Address, _listener);
        var lent = _server.Ports.TryLend(client.Address, local, config.Data.MaxPortsPerClient, config.Data.AccessRules, out var lease, _forwarded?.Relay);
        if (lent != LendResult.Lent)
        {
            _server.Metrics.PortsExhausted();
            Log.NoPort(_server.Logger, Id, _server.Ports.Name, Words(lent, _forwarded?.Relay), _server.Ports.Used);
            return ReplyWriter.Line(425, NoDataPorts);
        }
        if (_endReason is not null)
        {
            lease!.Dispose();
            return ReplyWriter.Line(425, NoDataPorts);
        }
        OpenChannel(decision, lease, null);
        _server.Metrics.PortLeased();
        if (_server.Logger.IsEnabled(LogLevel.Information))
            Log.PortGiven(_server.Logger, Id, lease!.Port, _server.Ports.Used, FreePorts(), client, UpstreamEnd(_channel!));
        return decision.Verb == FtpVerb.Epsv ? ReplyWriter.ExtendedPassive(lease!.Port) : ReplyWriter.Passive(announced, lease!.Port);
    }

    /// <summary>The server's side is ready, and the client's is where it listens. Under the lock.</summary>
    /// <returns>The reply.</returns>
    private byte[] OpenActive(ControlDecision decision)
    {
        CloseChannel();
        if (_endReason is null)
            OpenChannel(decision, null, decision.Client);
        return decision.Bytes!;
    }

    private void OpenChannel(ControlDecision decision, DataLease? clientPort, IPEndPoint? client)
    {
        _channel = new DataChannel
        {
            ClientPort = clientPort,
            Client = client,
            UpstreamPort = decision.UpstreamIsActive ? _upstreamPort : null,
            Upstream = decision.UpstreamIsActive ? null : PassiveTarget(decision),
            Given = _server.Time.GetTimestamp(),
        };
        if (decision.UpstreamIsActive)
            _upstreamPort = null;
        _engine.DataChannelOpened();
    }

    /// <summary>The server's side of a channel, as it is known before its connection stands.</summary>
    private IPEndPoint UpstreamEnd(DataChannel channel) => channel.Upstream ?? new IPEndPoint(_upstream!.RemoteEndPoint.Address, 0);

    /// <summary>Where the data is fetched or delivered: the announced address only where the operator trusts it (RFC 2577 §3).</summary>
    private IPEndPoint PassiveTarget(ControlDecision decision)
    {
        var own = _upstream!.RemoteEndPoint.Address;
        if (decision.Address == 0)
            return new IPEndPoint(own, decision.Port);
        var announced = new IPAddress(BitConverter.GetBytes(System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(decision.Address)));
        return new IPEndPoint(_server.Config.Data.PassiveAddress.Trusts(announced) ? announced : own, decision.Port);
    }

    private void CloseChannel()
    {
        if (TakeChannel() is { } channel)
            GiveBack(channel);
    }

    /// <summary>The channel that waits for a transfer, which is the caller's from here on; null where there is none.</summary>
    private DataChannel? TakeChannel()
    {
        lock (_sync)
        {
            var channel = _channel;
            _channel = null;
            return channel;
        }
    }

    private void GiveBack(DataChannel channel)
    {
        channel.UpstreamPort?.Dispose();
        if (channel.ClientPort is not { } lease)
            return;
        lease.Dispose();
        LogGivenBack(lease.Port);
    }

    private void LogGivenBack(int port)
    {
        _server.Metrics.PortReturned();
        if (_server.Logger.IsEnabled(LogLevel.Information))
            Log.PortGivenBack(_server.Logger, Id, port, _server.Ports.Used, FreePorts());
    }

    private void SweepChannel(long now)
    {
        var data = _server.Config.Data;
        DataChannel? expired = null;
        lock (_sync)
        {
            // A client that listens by itself costs us nothing, and a server's side of its own has its own patience.
            if (_channel is { } channel && (channel.ClientPort ?? channel.UpstreamPort) is { } port
                && _server.Time.GetElapsedTime(channel.Given, now) >= (port.IsConnected ? data.StallTimeout : data.ConnectTimeout))
            {
                expired = channel;
                _channel = null;
                _engine.DataChannelClosed();
            }
        }
        if (expired is null)
            return;
        Log.PortUnused(_server.Logger, Id, (expired.ClientPort ?? expired.UpstreamPort)!.Port);
        GiveBack(expired);
    }

    private static string Words(LendResult reason, IPAddress? relay) => reason switch
    {
        LendResult.ZoneFull => "the zone is full",
        LendResult.ClientLimit => "its address holds as many as ftp_client_ports allows",
        _ when relay is not null => $"clients that come through {relay} hold all of the range that can be opened",
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

        [LoggerMessage(447, LogLevel.Warning, "session {Session}: the client's PORT or EPRT names {Peer}, which ftp_port_peer does not allow for client {Client}; refused")]
        public static partial void PeerRefused(ILogger logger, string session, IPEndPoint peer, IPAddress client);

        [LoggerMessage(445, LogLevel.Information, "session {Session}: port {Port} opened for server {Server} to connect to")]
        public static partial void PortOpened(ILogger logger, string session, int port, IPEndPoint server);
    }
}
