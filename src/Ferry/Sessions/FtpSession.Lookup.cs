using System.Text;
using Ferry.Config;
using Ferry.Protocol;
using Ferry.Transport;
using Ferry.Upstreams;
using Microsoft.Extensions.Logging;

namespace Ferry.Sessions;

// A session whose place a service knows.
internal sealed partial class FtpSession
{
    private RouteAnswer? _answer;
    private bool _isAsking;

    /// <summary>Asks the service, where there is one. At USER nobody knows the password yet; it is told only where the service is to check it.</summary>
    /// <param name="password">The client's; null: it is not asked about.</param>
    /// <returns>False where there is no answer, over which the session has ended.</returns>
    private async Task<bool> AskServiceAsync(byte[]? password)
    {
        _answer = null;
        if (_server.Lookup is not { } lookup)
            return true;
        var began = _server.Time.GetTimestamp();
        RouteReply reply;
        using var asking = new ConnectDeadline();
        BeginStep(asking, _server.Config.LoginTimeout);
        Volatile.Write(ref _isAsking, true);
        try
        {
            reply = await lookup.AskAsync(Question(password), asking.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return false; // the session has ended, or its time to log in will soon be found to be over
        }
        finally
        {
            Volatile.Write(ref _isAsking, false);
            EndStep();
            Touch();
        }
        if (_endReason is not null)
            return false;
        _answer = reply.Answer;
        Log.Asked(_server.Logger, Id, lookup.Config.Shown, WordOf(reply), _server.Time.GetElapsedTime(began).TotalMilliseconds);
        if (_answer is not null)
            return true;
        _place = null;
        Log.NotRouted(_server.Logger, Id, Printable(_engine.User ?? ""), reply.Failure!);
        End(SessionEndReason.NoUpstream, SorryLine());
        return false;
    }

    private RouteQuestion Question(byte[]? password)
    {
        var tls = _client.TlsInfo;
        return new RouteQuestion
        {
            User = _engine.User ?? "",
            Host = _engine.Host,
            Client = EndPoints.Plain(_client.RemoteEndPoint.Address),
            Listener = _client.LocalEndPoint,
            IsTls = _engine.ClientIsTls,
            ServerName = tls?.ServerName,
            ClientSubject = tls?.PeerSubject,
            Password = password,
        };
    }

    /// <summary>USER, where the service is asked when the password has come: every user is answered alike, and no server is there yet.</summary>
    private async Task DeferAsync()
    {
        ControlDecision deferred;
        lock (_sync)
            deferred = _engine.Deferred();
        await SendAsync(deferred.Bytes).ConfigureAwait(false);
    }

    /// <summary>PASS: has the service check it, and logs the user in with a server.</summary>
    /// <param name="password">The client's.</param>
    /// <param name="line">The client's line, without its end.</param>
    private async Task LookUpAsync(byte[] password, byte[] line)
    {
        if (!await AskServiceAsync(password).ConfigureAwait(false))
            return;
        var scope = Scope();
        var name = ToldName(scope);
        _place = await FindPlaceAsync(scope, name).ConfigureAwait(false);
        ControlDecision decision;
        if (_place is null)
        {
            // A server that refuses a user has been found and has answered USER by then too.
            var pace = _server.LoginPace.Draw();
            _pace.Password = pace.User + pace.Password;
            lock (_sync)
                decision = _engine.Refused();
            await DenyAsync(decision).ConfigureAwait(false);
            return;
        }
        Log.Routed(_server.Logger, Id, Printable(_engine.User ?? ""), _place.Group.Name);
        (_searchBegan, _tries) = (_server.Time.GetTimestamp(), 0);
        _choice = _place.Group.Choose(Facts());
        lock (_sync)
            decision = _engine.LookedUp(name.Length == 0 ? null : name);
        await LogInAsync(decision.Bytes!, isUser: true).ConfigureAwait(false);
        _pace.User = _server.Time.GetElapsedTime(_searchBegan);
        if (_endReason is not null || !_engine.WantsPassword)
            return;
        lock (_sync)
            _engine.PasswordSent();
        await LogInAsync(_answer?.Password is { } other ? [.. "PASS "u8, .. Encoding.UTF8.GetBytes(other), .. "\r\n"u8] : [.. line, .. "\r\n"u8], isUser: false).ConfigureAwait(false);
    }

    /// <summary>Where the service's answer leads, or else the route; null, and a line in the log, where that is nowhere.</summary>
    private async ValueTask<RoutePlace?> FindPlaceAsync(VariableScope scope, string told)
    {
        // A name that would be more than a name comes from a map, which is the operator's to mend.
        if (told.AsSpan().ContainsAny('\r', '\n', '\0'))
            return null;
        if (_answer is not { Place: { } name } answer)
            return _answer is { IsRefused: true } || _server.Config.Route!.Target.Parts.IsEmpty ? null : Place(scope);
        if (_server.Places.TryGetValue(name, out var place))
            return place;
        if (answer.Server is not { } server || !_server.Lookup!.Allows(server.Address))
        {
            Log.NoSuchPlace(_server.Logger, Id, Printable(name), answer.Server is null ? "an upstream of the configuration" : "a server that allow= names");
            return null;
        }
        // A group of this session's own: with one server there is nothing to balance, and nothing to remember.
        var upstream = new UpstreamConfig { Name = server.ToString(), Servers = [new UpstreamServerConfig(server.Address.ToString(), server.Port) { MaxFails = 0 }] };
        var result = await UpstreamGroup.CreateAsync(upstream, static (_, _) => Task.FromResult<System.Net.IPAddress[]>([]), _server.Time, null, _server.Logger, CancellationToken.None).ConfigureAwait(false);
        return result.Group is { } group ? new RoutePlace(group, RoutePlace.PeerNameOf(_server.Config, server.Address.ToString())) : null;
    }

    /// <summary>What the server is to call the user; empty: as the client does.</summary>
    private string ToldName(VariableScope scope) => _answer?.User ?? (_server.Config.Route!.User is { } template ? scope.Expand(template) : "");

    private static string WordOf(RouteReply reply) => reply switch
    {
        { Answer: null } => "nothing",
        { Answer.IsRefused: true } => "that the user is refused",
        { Answer.Place: { } place } => Printable(place),
        { Answer: { User: null, Password: null } } => "that it does not know the user",
        _ => "no place, and what the server is told",
    };

    private static partial class Log
    {
        [LoggerMessage(477, LogLevel.Debug, "session {Session}: ftp_route {Url} says {Answer}, after {Milliseconds:F1} ms")]
        public static partial void Asked(ILogger logger, string session, string url, string answer, double milliseconds);

        [LoggerMessage(478, LogLevel.Warning, "session {Session}: nobody says where user {User} belongs: {Failure}")]
        public static partial void NotRouted(ILogger logger, string session, string user, string failure);

        [LoggerMessage(479, LogLevel.Warning, "session {Session}: ftp_route says {Place}, which is not {What}; the client is refused")]
        public static partial void NoSuchPlace(ILogger logger, string session, string place, string what);
    }
}
