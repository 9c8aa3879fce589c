using System.Net;
using System.Net.Sockets;
using Ferry.Telemetry;
using Microsoft.Extensions.Logging;

namespace Ferry.Sessions;

// A client that came through a balancer, whose PROXY header says who it is.
internal sealed partial class FtpSession
{
    private readonly ForwardedClient? _forwarded;

    /// <summary>The address that the client has connected to: the balancer's, where the client came through one.</summary>
    private IPEndPoint Dialled => _forwarded?.Dialled ?? _client.LocalEndPoint;

    /// <summary>Where data connections to an active client come from: the first of these that is an address of this machine, and of the client's family.</summary>
    private IPAddress[] ActiveSources(IPEndPoint client)
    {
        var own = _client.LocalEndPoint.Address;
        return _forwarded?.Relay is null
            ? [own]
            : [Dialled.Address, own, client.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any];
    }

    /// <summary>The port below the one that the client has connected to (RFC 959 §3.2), unless the configuration names one.</summary>
    private int ActiveSourcePort => _server.Config.Data.ActiveSourcePort ?? Math.Max(0, Dialled.Port - 1);

    private int FreePorts() => _server.Ports.FreeFor(_client.RemoteEndPoint.Address, _forwarded?.Relay);

    private void LogForwarded()
    {
        if (_forwarded is not { } forwarded)
            return;
        if (forwarded.Header.Source is not { } source)
            Log.Unnamed(_server.Logger, Id, forwarded.Peer);
        else if (forwarded.IsTrusted)
            Log.Forwarded(_server.Logger, Id, source, forwarded.Peer, forwarded.Header.Destination);
        else
            Log.NotBelieved(_server.Logger, Id, forwarded.Peer, source);
    }

    private SessionRecord WithHeader(SessionRecord record) => _forwarded is not { } forwarded ? record : record with
    {
        Via = forwarded.Relay is null ? null : forwarded.Peer,
        HeaderSource = forwarded.Header.Source,
        HeaderDestination = forwarded.Header.Destination,
    };

    private static partial class Log
    {
        [LoggerMessage(480, LogLevel.Information, "session {Session}: client {Client} came through {Peer} and had connected to {Dialled}")]
        public static partial void Forwarded(ILogger logger, string session, IPEndPoint client, IPEndPoint peer, IPEndPoint? dialled);

        [LoggerMessage(481, LogLevel.Information, "session {Session}: {Peer} says that it speaks for {Client}; set_real_ip_from does not name it, so it counts as the client itself")]
        public static partial void NotBelieved(ILogger logger, string session, IPEndPoint peer, IPEndPoint client);

        [LoggerMessage(482, LogLevel.Information, "session {Session}: the PROXY header of {Peer} names no client, so it counts as the client itself")]
        public static partial void Unnamed(ILogger logger, string session, IPEndPoint peer);
    }
}
