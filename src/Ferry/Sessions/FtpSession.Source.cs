using System.Net;
using Ferry.Config;
using Ferry.Telemetry;
using Ferry.Transport;
using Ferry.Upstreams;
using Microsoft.Extensions.Logging;

namespace Ferry.Sessions;

// Where its connections to the server come from (proxy_bind).
internal sealed partial class FtpSession
{
    // That of the control connection: a server that compares the two sees one client.
    private SourceAddress? _source;

    /// <summary>Nothing can be connected from <see cref="_source"/>, to whatever server.</summary>
    private bool _isSourceless;

    /// <summary>Finds what the connections to servers come from.</summary>
    /// <returns>Null, or what stands against it.</returns>
    private string? FindSource()
    {
        (_source, _isSourceless) = (null, false);
        if (_server.Config.Bind is not { } bind)
            return null;
        if (bind.Address is { } one)
        {
            _source = new SourceAddress(one) { IsTransparent = bind.IsTransparent };
            return null;
        }
        IPAddress? address;
        if (bind.Text!.Parts is [{ IsVariable: true, Text: "remote_addr" }])
        {
            address = EndPoints.Plain(_client.RemoteEndPoint.Address);
        }
        else
        {
            var text = Scope().Expand(bind.Text);
            if (text.Length == 0) // as nginx: not this one
                return null;
            if (!ConfigValue.TryAddress(text, out address))
                return $"\"proxy_bind\" is {LogText.Bounded(Printable(text))} for this client, which is no address";
        }
        _source = new SourceAddress(address) { IsTransparent = bind.IsTransparent, IsOfClient = true };
        return null;
    }

    /// <summary>A server of the other family is no try. Only the first is told of: there may be as many as servers, for each connection of anybody.</summary>
    private async ValueTask PassOverAsync(UpstreamServer server, SourceAddress source, int passedOver)
    {
        const int InOneGo = 32;
        if (passedOver == 1)
            Log.PassedOver(_server.Logger, Id, server.Name, source.Address);
        if (passedOver % InOneGo == 0)
            await _loop.NextTurn();
    }

    private void LogDataConnect(IPEndPoint server, ConnectResult result)
    {
        if (result is { IsOurs: true, From: not null })
            Log.DataSourceFailed(_server.Logger, Id, server, result.Failure);
        else
            Log.DataConnectFailed(_server.Logger, Id, server, result.Error);
    }

    private static partial class Log
    {
        [LoggerMessage(487, LogLevel.Information, "session {Session}: server {Server}, and others of its family, are passed over: connections are to come from {Source}")]
        public static partial void PassedOver(ILogger logger, string session, string server, IPAddress source);

        [LoggerMessage(485, LogLevel.Warning, "session {Session}: no data connection to {Server}: {Reason}; answered 425")]
        public static partial void DataSourceFailed(ILogger logger, string session, IPEndPoint server, string reason);
    }
}
