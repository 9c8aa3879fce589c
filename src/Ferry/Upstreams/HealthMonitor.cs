using Ferry.Config;
using Ferry.Telemetry;
using Ferry.Transport.Linux;
using Microsoft.Extensions.Logging;

namespace Ferry.Upstreams;

/// <summary>
/// The checks of a group's servers, as long as its generation is in force. When each server is due stands with what all generations share, so the next
/// generation goes on where this one ends.
/// </summary>
/// <param name="group">The servers.</param>
/// <param name="check">How they are checked.</param>
/// <param name="probe">Checks one; bounded in time, and soon over once it is stopped.</param>
/// <param name="metrics">What is counted.</param>
/// <param name="random">Spreads the checks.</param>
/// <param name="logger">Where faults of Ferry's are told; what is found is told by the servers.</param>
internal sealed partial class HealthMonitor(
    UpstreamGroup group,
    HealthCheckConfig check,
    Func<UpstreamServer, CancellationToken, Task<HealthProbeResult>> probe,
    FerryMetrics metrics,
    Random random,
    ILogger logger)
{
    // It is never disposed: it has no timer, and checks that end late still look at it.
    private readonly CancellationTokenSource _stopping = new();
    private readonly TimeProvider _time = group.Time;

    /// <summary>Asks the servers' agents; null where they have none.</summary>
    public AgentMonitor? Agents { get; init; }

    /// <summary>Begins the checks that are due; called about once a second.</summary>
    public void Sweep(long now)
    {
        Agents?.Sweep(now);
        EndedGroups.Reap();
        foreach (var server in group.Servers)
        {
            if (_stopping.IsCancellationRequested)
                return;
            if (server.TryBeginCheck(now))
                _ = CheckAsync(server, now);
        }
    }

    /// <summary>Ends the checks that are under way, which are then due for the next generation, and begins no more.</summary>
    public void Stop()
    {
        _stopping.Cancel();
        Agents?.Stop();
    }

    private async Task CheckAsync(UpstreamServer server, long began)
    {
        var result = new HealthProbeResult(null) { IsVoid = true };
        try
        {
            result = await probe(server, _stopping.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.Failed(logger, e, group.Name, server.Name);
        }
        if (_stopping.IsCancellationRequested)
            result = result with { IsVoid = true };
        var isStopped = result.IsVoid && _stopping.IsCancellationRequested;
        var wait = isStopped ? TimeSpan.Zero : check.Interval + check.Jitter * random.NextDouble();
        var change = server.EndCheck(result, began + (long)Math.Min(wait.TotalSeconds * _time.TimestampFrequency, long.MaxValue / 4));
        if (result.IsVoid)
            return;
        metrics.HealthChecked(server.Name, result.Failure is null, _time.GetElapsedTime(began));
        if (change is { } isUp)
            metrics.HealthChanged(server.Name, isUp);
    }

    private static partial class Log
    {
        [LoggerMessage(346, LogLevel.Error, "upstream \"{Upstream}\": a check of server {Server} could not be made; this is a fault of Ferry's")]
        public static partial void Failed(ILogger logger, Exception exception, string upstream, string server);
    }
}
