using System.Collections.Immutable;
using System.Globalization;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.Config;
using Ferry.Sessions;
using Ferry.Transport;
using Microsoft.Extensions.Logging;

namespace Ferry.Hosting;

public sealed partial class FerryProxy
{
    private async Task PutInForceAsync(Generation made)
    {
        var previous = _current;
        ImmutableInterlocked.Update(ref _living, static (living, g) => living.Add(g), made);
        _parts.UseErrorLogs(made.ErrorLogs);
        _generations++;
        _current = made;
        foreach (var group in made.Groups)
            group.EnterForce(previous?.Groups.FirstOrDefault(g => g.Name == group.Name));
        await _parts.KernelRules.TellAsync().ConfigureAwait(false);
        StopChecks(previous);
        foreach (var monitor in made.Monitors)
            monitor.Sweep(_parts.Time.GetTimestamp());
        foreach (var server in made.Servers)
        {
            foreach (var listen in server.Config.Listens)
                made.Listeners[listen.EndPoint].Start((connection, listener) => Accept(connection, listener, listen, server, made));
        }
        if (previous is null)
            return;
        foreach (var (endPoint, listener) in previous.Listeners)
        {
            if (!made.Listeners.ContainsKey(endPoint))
                listener.Dispose();
        }
        foreach (var pool in previous.Pools.Except(made.Pools))
            pool.Retire();
        await previous.LetGoAsync().ConfigureAwait(false);
    }

    private async Task CloseListenersAsync()
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            _stopping = true;
            foreach (var listener in _current?.Listeners.Values.ToArray() ?? [])
                listener.Dispose();
            _arriving.Close();
            StopChecks(_current); // nobody is sent anywhere any more
        }
        finally
        {
            _changing.Release();
        }
    }

    private static void StopChecks(Generation? generation)
    {
        foreach (var monitor in generation?.Monitors ?? [])
            monitor.Stop();
    }

    /// <summary>The last session of a generation that is no longer in force has ended.</summary>
    private async Task RetireAsync(Generation generation)
    {
        ImmutableInterlocked.Update(ref _living, static (living, g) => living.Remove(g), generation);
        foreach (var pool in generation.Pools)
        {
            if (!_living.Any(g => g.Pools.Contains(pool)))
                pool.Dispose();
        }
        await _parts.KernelRules.LetGoAsync(generation).ConfigureAwait(false);
        if (_living.IsEmpty)
            _parts.UseErrorLogs([]);
        foreach (var group in generation.Groups)
            group.Retire();
        generation.TlsContexts.ForEach(static c => c.Dispose());
        generation.Lookups.ForEach(static l => l.Dispose());
        foreach (var log in generation.Logs)
            await log.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>A client has connected. Runs on the accept loop: nothing here waits.</summary>
    private void Accept(Connection connection, IPAddress listener, ListenConfig listen, ControlServer server, Generation generation)
    {
        if (!generation.TryHold())
        {
            AcceptAnew(connection, listener, listen.EndPoint);
            return;
        }
        if (listen.ProxyProtocol)
        {
            _ = AwaitHeaderAsync(connection, listener, listen, server, generation);
            return;
        }
        var isBegun = false;
        try
        {
            isBegun = TryRun(connection, listener, listen, server, generation, forwarded: null);
        }
        finally
        {
            if (!isBegun)
                _ = generation.LetGoAsync();
        }
    }

    /// <summary>Begins the client's session, which lets the generation go at its end; false where there is none.</summary>
    private bool TryRun(Connection connection, IPAddress listener, ListenConfig listen, ControlServer server, Generation generation, ForwardedClient? forwarded)
    {
        if (TryBegin(connection, listener, listen.IsTls, server, generation, forwarded) is not { } session)
            return false;
        _ = RunAsync(session, generation);
        if (_stopping)
            session.Stop(SessionEndReason.Stopped); // it began while all the others were being ended
        return true;
    }

    /// <summary>A reload has retired the generation between the accept and here: the connection is its successor's.</summary>
    private void AcceptAnew(Connection connection, IPAddress listener, IPEndPoint endPoint)
    {
        var current = _current;
        foreach (var server in current?.Servers ?? [])
        {
            if (server.Config.Listens.FirstOrDefault(l => l.EndPoint.Equals(endPoint)) is { } listen)
            {
                Accept(connection, listener, listen, server, current!);
                return;
            }
        }
        connection.Dispose();
    }

    /// <summary>Makes the client's session; null where the client is turned away or has gone.</summary>
    private FtpSession? TryBegin(Connection connection, IPAddress listener, bool isTls, ControlServer server, Generation generation, ForwardedClient? forwarded)
    {
        try
        {
            if (_stopping)
            {
                connection.Dispose(); // it came in while the listener was being closed
                return null;
            }
            var client = forwarded?.Client ?? Transport.EndPoints.Plain(connection.RemoteEndPoint);
            if (!AccessRules.Allow(server.Config.AccessRules, client.Address))
            {
                _parts.Metrics.ClientRejected("access_rules");
                Log.Denied(_parts.Logger, client);
                connection.Dispose();
                return null;
            }
            var session = new FtpSession(connection, listener, server, NextId(), isTls, forwarded);
            // Who is still arriving counts, but for this one.
            if (!_sessions.TryAdd(session, generation.Config.MaxSessions - _arriving.Count + (forwarded is null ? 0 : 1)))
            {
                Refuse(session, client, generation);
                return null;
            }
            _parts.Metrics.SessionStarted();
            return session;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            connection.Dispose(); // the client left before it was served
            return null;
        }
    }

    private string NextId() => _idPrefix + Interlocked.Increment(ref _lastId).ToString(CultureInfo.InvariantCulture);

    private void Refuse(FtpSession session, IPEndPoint client, Generation generation)
    {
        _parts.Metrics.ClientRejected("max_sessions");
        Log.Full(_parts.Logger, client, generation.Config.MaxSessions);
        session.Refuse();
    }

    private async Task RunAsync(FtpSession session, Generation generation)
    {
        try
        {
            await session.RunAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.SessionFailed(_parts.Logger, e, session.Id);
        }
        finally
        {
            // Whatever has happened: a session that is counted for ever would hold up every drain and its generation's ports and logs.
            _sessions.Remove(session);
            await generation.LetGoAsync().ConfigureAwait(false);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(510, LogLevel.Information, "started, listening on {Listeners}")]
        public static partial void Started(ILogger logger, string listeners);

        [LoggerMessage(511, LogLevel.Information, "reloaded: generation {Generation} is in force, listening on {Listeners}")]
        public static partial void Reloaded(ILogger logger, int generation, string listeners);

        [LoggerMessage(512, LogLevel.Error, "reload failed, nothing has changed: {Error}")]
        public static partial void ReloadFailed(ILogger logger, string error);

        [LoggerMessage(513, LogLevel.Information, "draining: {Sessions} sessions are left")]
        public static partial void Draining(ILogger logger, int sessions);

        [LoggerMessage(514, LogLevel.Warning, "worker_shutdown_timeout is over: {Sessions} sessions are ended")]
        public static partial void DrainTimedOut(ILogger logger, int sessions);

        [LoggerMessage(515, LogLevel.Information, "stopped")]
        public static partial void Stopped(ILogger logger);

        [LoggerMessage(516, LogLevel.Error, "{Sessions} sessions did not end in time")]
        public static partial void StopTimedOut(ILogger logger, int sessions);

        [LoggerMessage(517, LogLevel.Error, "a log could not be opened anew: {Error}")]
        public static partial void ReopenFailed(ILogger logger, string error);

        [LoggerMessage(518, LogLevel.Information, "log files opened anew")]
        public static partial void Reopened(ILogger logger);

        [LoggerMessage(519, LogLevel.Warning, "client {Client} is denied by the access rules")]
        public static partial void Denied(ILogger logger, EndPoint? client);

        [LoggerMessage(520, LogLevel.Error, "client {Client} is turned away: there are {Limit} sessions, the most that worker_connections allows")]
        public static partial void Full(ILogger logger, EndPoint? client, int limit);

        [LoggerMessage(521, LogLevel.Error, "session {Session} could not be ended in order; this is a fault of Ferry's")]
        public static partial void SessionFailed(ILogger logger, Exception exception, string session);
    }
}
