using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Ferry.Config;
using Microsoft.Extensions.Logging;

namespace Ferry.Transport;

/// <summary>Ports with a socket of their own, and who connects to them.</summary>
internal sealed partial class PortPool
{
    // Ports that another process has open are stepped over, so many of them; two ferryds may share a range.
    private const int MaxOpenAttempts = 16;
    private const int Backlog = 511;

    private DataLease? LendOpen(ClientPorts ports, PortBorrower borrower, IPAddress local, ImmutableArray<AccessRuleConfig> rules)
    {
        for (var attempt = 0; attempt < MaxOpenAttempts && OpenFor(ports, local, ref attempt) is { } port; attempt++)
        {
            var lease = new DataLease(this, borrower, port, rules);
            if (port.TryAdd(lease))
                return lease;
            // The client holds it by another way: directly, or through another balancer.
            ports.GiveBack(port.Port);
        }
        return null;
    }

    private DataPort? OpenFor(ClientPorts ports, IPAddress local, ref int attempt)
    {
        for (; attempt < MaxOpenAttempts && ports.TryTake(out var number); attempt++)
        {
            if (_open.TryGetValue((local, number), out var open))
                return open;
            var listening = ListeningSocket.TryOpen(new IPEndPoint(local, number), Backlog, _time, _logger, out var error, IsTransparent);
            if (listening is not null)
            {
                var port = new DataPort(local, listening);
                _open.Add((local, number), port);
                port.Open(Deliver);
                return port;
            }
            Log.PortNotOpened(_logger, number, local, error);
            ports.GiveBack(number);
            // Every other port would fail in the same way: out of descriptors, or an address that has gone.
            if (error is not (SocketError.AddressAlreadyInUse or SocketError.AccessDenied))
                break;
        }
        return null;
    }

    private void Deliver(DataPort port, Connection connection)
    {
        var peer = EndPoints.Plain(connection.RemoteEndPoint.Address);
        DataLease? lease;
        lock (_sync)
            lease = port.Leases.GetValueOrDefault(_peer == DataPeerPolicy.Any ? Anybody(peer) : peer);
        if (lease is not null && lease.TryDeliver(connection, peer))
            return;
        Log.PeerRefused(_logger, peer, port.Port);
        CountRefused();
        connection.Abort();
    }

    private static partial class Log
    {
        [LoggerMessage(110, LogLevel.Warning, "data port {Port} on {Local} could not be opened: {Error}; taking another one")]
        public static partial void PortNotOpened(ILogger logger, int port, IPAddress local, SocketError error);

        [LoggerMessage(111, LogLevel.Warning, "data connection from {Peer} to port {Port} refused: no session of that address waits for it")]
        public static partial void PeerRefused(ILogger logger, IPAddress peer, int port);
    }
}
