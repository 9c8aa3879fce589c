using Microsoft.Extensions.Logging;

namespace Ferry.Upstreams;

/// <summary>Asks the agents of a group's servers, as long as its generation is in force.</summary>
/// <param name="group">The servers.</param>
/// <param name="interval">The time from the beginning of a question to that of the next.</param>
/// <param name="ask">Asks one; bounded in time, and soon over once it is stopped.</param>
/// <param name="logger">Where faults of Ferry's are told; what agents say is told by the servers.</param>
internal sealed partial class AgentMonitor(UpstreamGroup group, TimeSpan interval, Func<UpstreamServer, CancellationToken, Task<AgentResult>> ask, ILogger logger)
{
    // It is never disposed: it has no timer, and questions that end late still look at it.
    private readonly CancellationTokenSource _stopping = new();
    private readonly long _interval = (long)Math.Min(interval.TotalSeconds * group.Time.TimestampFrequency, long.MaxValue / 4);

    /// <summary>Asks those whose turn it is; called about once a second.</summary>
    public void Sweep(long now)
    {
        foreach (var server in group.Servers)
        {
            if (_stopping.IsCancellationRequested)
                return;
            if (server.TryBeginAsking(now))
                _ = AskAsync(server, now);
        }
    }

    /// <summary>Ends the questions that are under way, which are then due for the next generation, and asks no more.</summary>
    public void Stop() => _stopping.Cancel();

    private async Task AskAsync(UpstreamServer server, long began)
    {
        var result = new AgentResult(null, null) { IsVoid = true };
        try
        {
            result = await ask(server, _stopping.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.Failed(logger, e, group.Name, server.Name);
        }
        if (_stopping.IsCancellationRequested)
            result = result with { IsVoid = true };
        server.EndAsking(result, _stopping.IsCancellationRequested ? began : began + _interval);
    }

    private static partial class Log
    {
        [LoggerMessage(354, LogLevel.Error, "upstream \"{Upstream}\": the agent of server {Server} could not be asked; this is a fault of Ferry's")]
        public static partial void Failed(ILogger logger, Exception exception, string upstream, string server);
    }
}
