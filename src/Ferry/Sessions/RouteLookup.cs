using System.Linq;
using System.Net;
using Ferry.Config;
using Ferry.Telemetry;
using Microsoft.Extensions.Logging;

namespace Ferry.Sessions;

/// <summary>
/// An <c>ftp_route</c> line at work. Sessions that ask the same at the same time share one question; answers are kept; while the service fails, old
/// ones are used for a while.
/// <code>
///   sessions ──> cache ──> running questions ──> service
///                  ^                                │
///                  └────────── answer ──────────────┘   no answer: the cache again, for an old one
/// </code>
/// </summary>
internal sealed partial class RouteLookup : IDisposable
{
    /// <summary>Questions that run or wait for a connection at a time; who comes then is told so at once.</summary>
    public const int MostQuestions = 1024;

    /// <summary>A service that fails is told of again after this, whatever it has answered meanwhile: clients can make some fail by what they ask.</summary>
    private static readonly TimeSpan ToldAgain = TimeSpan.FromMinutes(1);

    private readonly Lock _sync = new();
    private readonly Dictionary<string, Inquiry> _running = new(StringComparer.Ordinal);
    private readonly RouteCache _cache;
    private readonly Func<byte[], CancellationToken, Task<RouteReply>> _ask;
    private readonly RouteService? _service;
    private readonly FerryMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private long _failures;
    private long? _toldAt;
    private bool _isToldFailing;

    /// <param name="config">The line.</param>
    /// <param name="service">Asks; owned.</param>
    /// <param name="previous">The same line of the generation before, whose answers are kept; null: there was none.</param>
    /// <param name="metrics">Counts questions.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where the service's failures are said.</param>
    public RouteLookup(RouteLookupConfig config, RouteService service, RouteLookup? previous, FerryMetrics metrics, TimeProvider time, ILogger logger)
        : this(config, service.AskAsync, previous, metrics, time, logger) => _service = service;

    /// <summary>As the other, with <paramref name="ask"/> in place of a service.</summary>
    internal RouteLookup(RouteLookupConfig config, Func<byte[], CancellationToken, Task<RouteReply>> ask, RouteLookup? previous, FerryMetrics metrics, TimeProvider time, ILogger logger)
    {
        (Config, _ask, _metrics, _time, _logger) = (config, ask, metrics, time, logger);
        _cache = previous?._cache ?? new RouteCache(time);
        CacheGate = previous?.CacheGate ?? new Lock();
    }

    public RouteLookupConfig Config { get; }

    /// <summary>Questions that have not been answered.</summary>
    public int Running
    {
        get
        {
            lock (_sync)
                return _running.Count;
        }
    }

    /// <summary>One for all generations that share the answers.</summary>
    private Lock CacheGate { get; }

    /// <summary>Whether the service may name a server by this address.</summary>
    public bool Allows(IPAddress address) => Config.AllowedServers.Any(n => n.Contains(address));

    /// <summary>Finds an answer.</summary>
    /// <param name="question">What is asked.</param>
    /// <param name="ct">The session has no use for the answer any more.</param>
    /// <returns>The answer, or why there is none.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<RouteReply> AskAsync(RouteQuestion question, CancellationToken ct)
    {
        // Nobody is called that, and some services fail over it.
        if (HasControls(question.User) || HasControls(question.Host))
            return new RouteReply(RouteAnswer.Nothing, null);
        var body = question.ToJson();
        var key = _cache.KeyOf(body);
        if (Find(key, isStale: false) is { } known)
        {
            Array.Clear(body);
            _metrics.RouteLookedUp("cache", WordOf(known));
            return new RouteReply(known, null);
        }
        var (inquiry, isNew) = Join(key);
        if (inquiry is null)
        {
            Array.Clear(body);
            return Fail(key, $"more than {MostQuestions} questions wait for an answer");
        }
        if (isNew)
            _ = Task.Run(() => RunAsync(key, body, inquiry), CancellationToken.None); // TLS and names are no work for the loop that carries the session
        else
            Array.Clear(body);
        try
        {
            var reply = await inquiry.Answered.Task.WaitAsync(ct).ConfigureAwait(false);
            if (!isNew)
                _metrics.RouteLookedUp("shared", reply.Answer is { } answer ? WordOf(answer) : "failed");
            return reply;
        }
        finally
        {
            Leave(key, inquiry);
        }
    }

    public void Dispose() => _service?.Dispose();

    private (Inquiry? Inquiry, bool IsNew) Join(string key)
    {
        lock (_sync)
        {
            var isNew = !_running.TryGetValue(key, out var inquiry);
            if (isNew)
            {
                if (_running.Count >= MostQuestions)
                    return (null, false);
                _running.Add(key, inquiry = new Inquiry());
            }
            inquiry!.Waiting++;
            return (inquiry, isNew);
        }
    }

    /// <summary>A question that nobody waits for is dropped.</summary>
    private void Leave(string key, Inquiry inquiry)
    {
        lock (_sync)
        {
            if (--inquiry.Waiting > 0)
                return;
            Remove(key, inquiry);
        }
        inquiry.Abandoned.Cancel();
    }

    private void Remove(string key, Inquiry inquiry)
    {
        if (_running.TryGetValue(key, out var running) && ReferenceEquals(running, inquiry))
            _running.Remove(key);
    }

    private async Task RunAsync(string key, byte[] body, Inquiry inquiry)
    {
        var began = _time.GetTimestamp();
        RouteReply reply;
        try
        {
            reply = await _ask(body, inquiry.Abandoned.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.Fault(_logger, e, Config.Shown);
            reply = new RouteReply(null, "asking it failed");
        }
        Array.Clear(body);
        if (!inquiry.Abandoned.IsCancellationRequested)
            reply = Conclude(key, reply, _time.GetElapsedTime(began));
        lock (_sync)
            Remove(key, inquiry);
        inquiry.Answered.SetResult(reply);
    }

    private RouteReply Conclude(string key, RouteReply reply, TimeSpan took)
    {
        if (reply.Answer is not { } answer)
            return Fail(key, reply.Failure!);
        lock (CacheGate)
            _cache.Keep(key, answer, reply.Lifetime, Config);
        _metrics.RouteLookedUp("service", WordOf(answer), took);
        long missed;
        lock (_sync)
        {
            missed = _isToldFailing ? _failures : 0;
            (_isToldFailing, _failures) = (false, 0);
        }
        if (missed > 0)
            Log.Recovered(_logger, Config.Shown, missed);
        return reply;
    }

    private RouteReply Fail(string key, string failure)
    {
        var now = _time.GetTimestamp();
        bool isTold;
        long failures;
        lock (_sync)
        {
            failures = ++_failures;
            isTold = _toldAt is not { } last || _time.GetElapsedTime(last, now) >= ToldAgain;
            if (isTold)
                (_toldAt, _isToldFailing) = (now, true);
        }
        if (isTold)
            Log.Failing(_logger, Config.Shown, failure, failures);
        var old = Find(key, isStale: true);
        _metrics.RouteLookedUp(old is null ? "service" : "stale", old is null ? "failed" : WordOf(old));
        return new RouteReply(old, failure);
    }

    private RouteAnswer? Find(string key, bool isStale)
    {
        lock (CacheGate)
            return _cache.Find(key, Config, isStale);
    }

    private static bool HasControls(string? name) => name is not null && (name.AsSpan().ContainsAnyInRange('\0', '\x1f') || name.Contains('\x7f'));

    private static string WordOf(RouteAnswer answer) => answer switch
    {
        { IsRefused: true } => "refused",
        { Place: null, User: null, Password: null } => "unknown",
        _ => "found",
    };

    /// <summary>A question under way, and who waits for it.</summary>
    private sealed class Inquiry
    {
        public int Waiting { get; set; }

        // It has no timer and no handle, so there is nothing to dispose of.
        public CancellationTokenSource Abandoned { get; } = new();

        public TaskCompletionSource<RouteReply> Answered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private static partial class Log
    {
        [LoggerMessage(474, LogLevel.Error, "ftp_route {Url} does not say where users belong: {Failure}; failures since it last did: {Count}")]
        public static partial void Failing(ILogger logger, string url, string failure, long count);

        [LoggerMessage(475, LogLevel.Warning, "ftp_route {Url} answers again, after {Count} failures")]
        public static partial void Recovered(ILogger logger, string url, long count);

        [LoggerMessage(476, LogLevel.Error, "asking ftp_route {Url} failed; this is a fault of Ferry's")]
        public static partial void Fault(ILogger logger, Exception exception, string url);
    }
}
