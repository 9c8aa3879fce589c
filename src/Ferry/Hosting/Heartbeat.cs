using Microsoft.Extensions.Logging;

namespace Ferry.Hosting;

/// <summary>The one tick a second by which every deadline is held.</summary>
internal sealed partial class Heartbeat : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly PeriodicTimer _timer;
    private readonly Task _beating;

    public Heartbeat(Action<long> tick, TimeProvider time, ILogger logger)
    {
        _timer = new PeriodicTimer(Period, time);
        _beating = BeatAsync(tick, time, logger);
    }

    public async ValueTask DisposeAsync()
    {
        _timer.Dispose();
        await _beating.ConfigureAwait(false);
    }

    private async Task BeatAsync(Action<long> tick, TimeProvider time, ILogger logger)
    {
        while (await _timer.WaitForNextTickAsync().ConfigureAwait(false))
        {
            try
            {
                tick(time.GetTimestamp());
            }
            catch (Exception e)
            {
                Log.TickFailed(logger, e); // without it no deadline would ever be held again
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(500, LogLevel.Error, "a tick failed; this is a fault of Ferry's")]
        public static partial void TickFailed(ILogger logger, Exception exception);
    }
}
