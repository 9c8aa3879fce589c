using Microsoft.Extensions.Logging;

namespace Ferry.Upstreams;

/// <summary>Its way back after an absence, and its way out.</summary>
internal sealed partial class UpstreamServer
{
    /// <summary>The parts of a unit of weight, so that a weight of 1 can grow too.</summary>
    public const int FullShare = 1000;

    private readonly long _slowTicks;

    /// <summary>What it is there for.</summary>
    /// <param name="now">A time stamp of the group's clock.</param>
    public UpstreamServerState StateAt(long now)
    {
        lock (_gate)
        {
            return Config.Down || IsInMaintenance ? UpstreamServerState.Down
                : Config.Drain || IsWithdrawnByAgent ? UpstreamServerState.Draining
                : !IsInUse(now) ? UpstreamServerState.Unavailable
                : IsRising ? UpstreamServerState.SlowStart
                : UpstreamServerState.Up;
        }
    }

    /// <summary>Whether its share of new sessions is still growing. Under the lock.</summary>
    internal bool IsRising => Share() < FullShare;

    /// <summary>Its share begins to grow from nothing, where it has a <c>slow_start</c>. Under the lock.</summary>
    internal void BeginSlowStart()
    {
        if (_slowTicks > 0)
        {
            _tally.RisingSince = _time.GetTimestamp();
            _changes.Standing++;
        }
    }

    /// <summary>The weight that a slow start has left, in parts of <see cref="FullShare"/>. Under the lock.</summary>
    internal long RisenWeight => PartOf(Config.Weight);

    /// <summary>The share of the slow start and that of the agent, of what failures have left of the weight.</summary>
    private long PartOf(long weight)
    {
        var part = weight * Share();
        return Hundredths == Config.Weight * 100L || part == 0 ? part : Math.Max(1, (long)((Int128)part * Hundredths / (Config.Weight * 100L)));
    }

    /// <summary>Outside the lock: whoever writes the log may wait for a disk.</summary>
    internal void SayEmpty() => Log.Empty(_logger, _group, Name);

    /// <summary>Never 0, so that servers that all come back together take turns.</summary>
    private long Share()
    {
        if (_tally.RisingSince is not { } since || _slowTicks == 0)
            return FullShare;
        var risen = Math.Max(0, _time.GetTimestamp() - since);
        if (risen < _slowTicks)
            return Math.Max(1, (long)((double)risen / _slowTicks * FullShare));
        _tally.RisingSince = null;
        return FullShare;
    }

    private long Ticks(TimeSpan time)
    {
        var ticks = time.TotalSeconds * _time.TimestampFrequency;
        return ticks < long.MaxValue / 4 ? (long)ticks : long.MaxValue / 4;
    }

    private static partial class Log
    {
        [LoggerMessage(320, LogLevel.Information, "upstream \"{Upstream}\": server {Server} is empty: it gets no new sessions, and its last one has ended")]
        public static partial void Empty(ILogger logger, string upstream, string server);
    }
}
