using System.Diagnostics.CodeAnalysis;
using System.Linq;
using Ferry.Config;
using Ferry.Protocol;
using Ferry.Telemetry;
using Ferry.Transport.Tls;
using Ferry.Upstreams;
using Microsoft.Extensions.Logging;

namespace Ferry.Sessions;

// Where a session is led, and by what.
internal sealed partial class FtpSession
{
    private RoutePlace? _place;

    private TlsPeerName PeerName => _place?.PeerName ?? _server.PeerName;

    /// <summary>What the engine must know of the server block.</summary>
    private static GreetingRules GreetingRulesOf(ServerConfig config) => new()
    {
        ChoosesAtUser = config.Route is { AtUser: true },
        Greeting = config.Greeting,
        HidesServer = config.HideServer,
    };

    /// <summary>What the choice of a server may be made by.</summary>
    private ChoiceFacts Facts()
    {
        var tls = _client.TlsInfo;
        var scope = Scope();
        return new ChoiceFacts(_client.RemoteEndPoint, _client.LocalEndPoint)
        {
            ServerName = tls?.ServerName,
            ClientSubject = tls?.PeerSubject,
            User = _engine.User,
            Host = _engine.Host,
            Variable = scope.ValueOf,
        };
    }

    /// <summary>The variables as they are now.</summary>
    private VariableScope Scope()
    {
        SessionRecord? now = null;
        return new VariableScope(_server.Variables, name => AccessLog.TextOf(now ??= RecordOfNow(), name, _server.Time));
    }

    /// <summary>What is known while the session has not ended.</summary>
    private SessionRecord RecordOfNow() => WithHeader(new()
    {
        SessionId = Id,
        Start = _start,
        Duration = _server.Time.GetElapsedTime(_startedAt),
        Client = _client.RemoteEndPoint,
        Listener = _client.LocalEndPoint,
        ClientTls = RecordOf(_client.TlsInfo),
        User = _engine.User,
        Host = _engine.Host,
        EndReason = "",
    });

    /// <summary>The configuration's own variables, for the log; null where it has none.</summary>
    private Func<string, string?>? OwnVariables()
    {
        if (_server.Variables.Count == 0)
            return null;
        var scope = Scope();
        return name => _server.Variables.Find(name) < 0 ? null : scope.ValueOf(name);
    }

    /// <summary>The place of a session whose server is chosen when it connects.</summary>
    /// <returns>False where the route leads nowhere, over which the session has ended.</returns>
    private bool TryFindPlace([NotNullWhen(true)] out RoutePlace? place)
    {
        _searchBegan = _startedAt;
        place = _server.Config.Route is null ? new RoutePlace(_server.Upstreams, _server.PeerName) : Place(Scope());
        _place = place;
        if (place is not null)
            return true;
        End(SessionEndReason.NoUpstream, "421 No FTP server is available for you here.\r\n"u8.ToArray());
        return false;
    }

    /// <summary>Where the route leads; null, and a line in the log, where that is nowhere.</summary>
    private RoutePlace? Place(VariableScope scope)
    {
        var route = _server.Config.Route!;
        var name = scope.Expand(route.Target);
        if (_server.Places.TryGetValue(name, out var place))
            return place;
        if (name.Length == 0)
            Log.Nowhere(_server.Logger, Id, route.Target.Text);
        else
            Log.Unknown(_server.Logger, Id, route.Target.Text, LogText.Bounded(Printable(name)));
        return null;
    }

    // A client has a hand in it.
    private static string Printable(string name) => string.Concat(name.Take(200).Select(static c => c is >= ' ' and <= '~' ? c : '?'));

    private static partial class Log
    {
        [LoggerMessage(470, LogLevel.Information, "session {Session}: \"{Route}\" is empty for this client; it is refused")]
        public static partial void Nowhere(ILogger logger, string session, string route);

        [LoggerMessage(471, LogLevel.Warning, "session {Session}: \"{Route}\" is {Place}, which is no upstream and no address of the configuration; the client is refused")]
        public static partial void Unknown(ILogger logger, string session, string route, string? place);

        [LoggerMessage(472, LogLevel.Information, "session {Session}: user {User} goes to \"{Upstream}\"")]
        public static partial void Routed(ILogger logger, string session, string user, string upstream);

        [LoggerMessage(473, LogLevel.Information, "session {Session}: ended after so many refused logins")]
        public static partial void RefusedTooOften(ILogger logger, string session);
    }
}
