using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.Config;
using Ferry.Sessions;
using Ferry.Transport;
using Microsoft.Extensions.Logging;

namespace Ferry.Hosting;

// Listeners with proxy_protocol: a client is who the header in front of its connection says, where that is believed.
public sealed partial class FerryProxy
{
    private readonly ArrivingClients _arriving = new();

    /// <summary>Reads the header, then has the session begun. The generation is held.</summary>
    private async Task AwaitHeaderAsync(Connection connection, IPAddress listener, ListenConfig listen, ControlServer server, Generation generation)
    {
        var peer = Transport.EndPoints.Plain(connection.RemoteEndPoint);
        var isBegun = false;
        ArrivingClients.Arrival? arrival = null;
        try
        {
            var due = _parts.Time.GetTimestamp() + (long)(server.Config.ProxyProtocolTimeout.TotalSeconds * _parts.Time.TimestampFrequency);
            arrival = _arriving.TryAdd(connection, due, generation.Config.MaxSessions - _sessions.Count);
            if (arrival is null)
            {
                Refuse(new FtpSession(connection, listener, server, NextId(), listen.IsTls), peer, generation);
                return;
            }
            if (_stopping)
                return; // it came in while all the others were being closed
            var result = await ReadHeaderAsync(connection, arrival).ConfigureAwait(false);
            if (result.Header is { } header && arrival.TryPass())
            {
                var isTrusted = server.Config.RealIpFrom.Any(n => n.Contains(peer.Address));
                isBegun = TryRun(connection, listener, listen, server, generation, new ForwardedClient(peer, header, isTrusted));
                return;
            }
            if (result.IsSilent)
                Log.SaidNothing(_parts.Logger, peer);
            else if (arrival.IsLate)
                LogRefused(peer, "it did not come in time");
            else if (!_stopping)
                LogRefused(peer, result.Fault!);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The client left before it was served.
        }
        catch (Exception e)
        {
            Log.ArrivalFailed(_parts.Logger, e, peer);
        }
        finally
        {
            if (!isBegun)
            {
                connection.Dispose();
                _ = generation.LetGoAsync();
            }
            if (arrival is not null)
                _arriving.Remove(arrival);
        }
    }

    private static async ValueTask<ProxyHeaderResult> ReadHeaderAsync(Connection connection, ArrivingClients.Arrival arrival)
    {
        try
        {
            return await ProxyHeaderReader.ReadAsync(connection).ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            return new ProxyHeaderResult(null, arrival.IsLate ? null : "the connection was closed");
        }
    }

    private void LogRefused(IPEndPoint peer, string fault)
    {
        _parts.Metrics.ClientRejected("proxy_protocol");
        Log.NoHeader(_parts.Logger, peer, fault);
    }

    private static partial class Log
    {
        [LoggerMessage(540, LogLevel.Warning, "the connection of {Peer} is closed, because no PROXY header could be read: {Fault}")]
        public static partial void NoHeader(ILogger logger, EndPoint peer, string fault);

        [LoggerMessage(541, LogLevel.Debug, "{Peer} connected to a listener with proxy_protocol, said nothing, and left")]
        public static partial void SaidNothing(ILogger logger, EndPoint peer);

        [LoggerMessage(542, LogLevel.Error, "the connection of {Peer} could not be served; this is a fault of Ferry's")]
        public static partial void ArrivalFailed(ILogger logger, Exception exception, EndPoint peer);
    }
}
