using System.Net;
using Ferry.Config;
using Ferry.Telemetry;
using Ferry.Transport;
using Microsoft.Extensions.Logging;

namespace Ferry.Sessions;

// Where its connections to the server come from (proxy_bind).
internal sealed partial class FtpSession
{
    // That of the control connection: a server that compares the two sees one client.
    private SourceAddress? _source;

    /// <summary>Finds what the connections to the next server come from.</summary>
    /// <returns>Null, or what stands against it.</returns>
    private string? FindSource()
    {
        _source = null;
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

    private void LogDataConnect(IPEndPoint server, ConnectResult result)
    {
        if (result is { IsOurs: true, From: not null })
            Log.DataSourceFailed(_server.Logger, Id, server, result.Failure);
        else
            Log.DataConnectFailed(_server.Logger, Id, server, result.Error);
    }

    private static partial class Log
    {
        [LoggerMessage(485, LogLevel.Warning, "session {Session}: no data connection to {Server}: {Reason}; answered 425")]
        public static partial void DataSourceFailed(ILogger logger, string session, IPEndPoint server, string reason);
    }
}
