using System.Collections.Immutable;
using System.Globalization;
using System.Linq;
using System.Net;
using Ferry.Config;
using Ferry.Sessions;
using Ferry.Telemetry;
using Ferry.Transport.Tls;
using Ferry.Upstreams;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.Hosting;

/// <summary>An FTP reverse proxy. Make one, start it, stop it; everything between may be called from any thread.</summary>
public sealed partial class FerryProxy : IAsyncDisposable
{
    /// <summary>The name of the meter that its instruments are published under.</summary>
    public const string MeterName = FerryMetrics.MeterName;

    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(10);

    private readonly ProxyParts _parts;
    private readonly SessionRegistry _sessions = new();
    private readonly SemaphoreSlim _changing = new(1, 1);
    private readonly string _idPrefix = Random.Shared.Next(0x10000).ToString("x4", CultureInfo.InvariantCulture) + "-";
    private readonly FerryConfig _firstConfig;
    private Generation? _current;
    private Heartbeat? _heartbeat;
    private ImmutableArray<Generation> _living = [];
    private long _lastId;
    private int _generations;
    private bool _stopping;

    /// <summary>Makes a proxy; nothing is opened before <see cref="StartAsync"/>.</summary>
    /// <param name="config">What it does.</param>
    /// <param name="loggers">Where it logs; null: the configuration's <c>error_log</c> lines are honoured, without one errors go to the standard error stream.</param>
    /// <param name="time">The clock of all its deadlines; null: the system's.</param>
    public FerryProxy(FerryConfig config, ILoggerFactory? loggers = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        _firstConfig = config;
        _parts = new ProxyParts(loggers, time ?? TimeProvider.System, config.RangeFile);
    }

    /// <summary>The control addresses that are bound; empty before the start.</summary>
    public ImmutableArray<IPEndPoint> EndPoints => _current is { } current ? [.. current.Listeners.Values.Select(static l => l.EndPoint)] : [];

    /// <summary>Where it logs: the embedder's loggers, or those of <c>error_log</c>. For messages that belong beside its own.</summary>
    public ILoggerFactory Loggers => _parts.Loggers;

    /// <summary>Resolves, binds and begins to accept.</summary>
    /// <param name="ct">Gives up; nothing is left running.</param>
    /// <exception cref="FerryStartException">Names, addresses or log files stood in the way; all of them are told.</exception>
    /// <exception cref="InvalidOperationException">It was started before.</exception>
    public async Task StartAsync(CancellationToken ct = default)
    {
        await _changing.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_current is not null || _stopping)
                throw new InvalidOperationException("A proxy starts once; make a new one.");
            if (_parts.Ranges.TryLoad() is { } unreadable)
                throw new FerryStartException([unreadable]);
            var (made, errors) = await new GenerationBuilder(_firstConfig, null, _parts, RetireAsync).BuildAsync(ct).ConfigureAwait(false);
            if (made is null)
                throw new FerryStartException(errors);
            await PutInForceAsync(made).ConfigureAwait(false);
            _heartbeat = new Heartbeat(Sweep, _parts.Time, _parts.Logger);
            Log.Started(_parts.Logger, string.Join(", ", EndPoints));
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Puts another configuration in force. Sessions that run keep theirs; addresses that stay are not closed in between.</summary>
    /// <param name="config">What it does from now on.</param>
    /// <param name="ct">Gives up; nothing has changed then.</param>
    /// <returns>Empty when it is in force; else nothing has changed, and this is why.</returns>
    public async Task<IReadOnlyList<string>> ReloadAsync(FerryConfig config, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(config);
        await _changing.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_current is not { } previous || _stopping)
                return ["the proxy is not running"];
            var (made, errors) = await new GenerationBuilder(config, previous, _parts, RetireAsync).BuildAsync(ct).ConfigureAwait(false);
            if (made is null)
            {
                foreach (var error in errors)
                    Log.ReloadFailed(_parts.Logger, error);
                return errors;
            }
            await PutInForceAsync(made).ConfigureAwait(false);
            Log.Reloaded(_parts.Logger, _generations, string.Join(", ", EndPoints));
            return [];
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Accepts no one any more, ends idle sessions with 421 and lets running transfers finish, at most <see cref="FerryConfig.ShutdownTimeout"/> long.</summary>
    /// <param name="ct">Ends the wait; the sessions that are left go on until <see cref="StopAsync"/>.</param>
    public async Task DrainAsync(CancellationToken ct = default)
    {
        await CloseListenersAsync().ConfigureAwait(false);
        Log.Draining(_parts.Logger, _sessions.Count);
        _sessions.ForEach(static s => s.Drain());
        try
        {
            await _sessions.Empty().WaitAsync(_current?.Config.ShutdownTimeout ?? TimeSpan.Zero, _parts.Time, ct).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Log.DrainTimedOut(_parts.Logger, _sessions.Count);
            await StopAsync(ct).ConfigureAwait(false);
        }
    }

    /// <summary>Ends every session now, transfers included, and closes everything.</summary>
    /// <param name="ct">Ends the wait for the last log lines.</param>
    public async Task StopAsync(CancellationToken ct = default)
    {
        await CloseListenersAsync().ConfigureAwait(false);
        _sessions.ForEach(static s => s.Stop(SessionEndReason.Stopped));
        try
        {
            await _arriving.Empty().WaitAsync(StopLimit, _parts.Time, ct).ConfigureAwait(false);
            await _sessions.Empty().WaitAsync(StopLimit, _parts.Time, ct).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Log.StopTimedOut(_parts.Logger, _sessions.Count);
        }
        if (Interlocked.Exchange(ref _heartbeat, null) is { } heartbeat)
            await heartbeat.DisposeAsync().ConfigureAwait(false);
        if (Interlocked.Exchange(ref _current, null) is { } current)
        {
            Log.Stopped(_parts.Logger);
            await current.LetGoAsync().ConfigureAwait(false);
        }
        // Also where a session did not end in time and keeps its generation.
        await _parts.KernelRules.RemoveAsync().ConfigureAwait(false);
    }

    /// <summary>Opens every log file anew, after a rotation has renamed them.</summary>
    public void ReopenLogs() => _ = ReopenLogsAsync();

    /// <summary>What it is doing at this moment.</summary>
    public ProxyStatus GetStatus()
    {
        var current = _current;
        return new ProxyStatus(
            _generations,
            _sessions.Count,
            (int)_parts.Metrics.ActiveTransfers,
            [.. (current?.Pools ?? []).Select(static p => new ZoneStatus(p.Name, p.Ports, p.Used, p.MaxLeases - p.Used, p.OpenPorts, p.RefusedConnections))],
            Upstreams);
    }

    /// <summary>Finds what only the machine can tell of a configuration: names that do not resolve, state files that cannot be written, certificates and ciphers that OpenSSL does not take.</summary>
    /// <param name="config">The configuration; nothing is opened for it.</param>
    /// <param name="ct">Gives up.</param>
    public static async Task<IReadOnlyList<ConfigDiagnostic>> CheckAsync(FerryConfig config, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(config);
        var found = new List<ConfigDiagnostic>();
        foreach (var upstream in config.Servers.SelectMany(static s => s.Places).Distinct())
        {
            var result = await UpstreamGroup.CreateAsync(upstream, GenerationBuilder.Resolve, TimeProvider.System, null, NullLogger.Instance, ct).ConfigureAwait(false);
            found.AddRange(result.Errors);
            found.AddRange(result.Warnings);
            result.Group?.Retire();
            if (upstream.StateFile is { } state && UpstreamState.CheckWrite(state) is { } fault)
                found.Add(new ConfigDiagnostic(ConfigSeverity.Error, upstream.Position, 1, $"the state of upstream \"{upstream.Name}\" could not be kept: {fault}", null));
        }
        var (_, unknown) = await AnnouncedNames.ResolveAsync(config, GenerationBuilder.Resolve, TimeProvider.System, ct).ConfigureAwait(false);
        found.AddRange(unknown);
        // Whoever tests the configuration may have fewer rights than who runs it.
        found.AddRange(TransparentPlan.Check(config, ConfigSeverity.Warning));
        found.AddRange(TlsCheck.Run(config));
        foreach (var file in config.Servers.Select(static s => s.Upstream.HealthCheck?.PasswordFile).OfType<PlacedText>().Distinct())
            HealthPassword.TryRead(file, found);
        foreach (var lookup in config.Servers.Select(static s => s.Route?.Lookup).OfType<RouteLookupConfig>().Distinct())
            RouteService.TryCreate(lookup, TimeProvider.System, found)?.Dispose();
        return found;
    }

    /// <summary>As <see cref="StopAsync"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        await _parts.Lingering.DisposeAsync().ConfigureAwait(false);
        _parts.Metrics.Dispose();
        _parts.KernelRules.Dispose();
    }

    private async Task ReopenLogsAsync()
    {
        foreach (var error in await _parts.LogFiles.ReopenAsync().ConfigureAwait(false))
            Log.ReopenFailed(_parts.Logger, error);
        Log.Reopened(_parts.Logger);
    }

    private void Sweep(long now)
    {
        _sessions.Sweep(now);
        _arriving.Sweep(now);
        _parts.Lingering.Sweep(now);
        foreach (var monitor in _current?.Monitors ?? [])
            monitor.Sweep(now);
        foreach (var generation in _living)
        {
            foreach (var group in generation.Groups)
                group.Sweep(now);
            foreach (var context in generation.TlsContexts)
                context.Sweep(now);
            foreach (var pool in generation.Pools)
                pool.Sweep();
        }
    }
}
