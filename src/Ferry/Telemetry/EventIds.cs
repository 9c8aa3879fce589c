namespace Ferry.Telemetry;

/// <summary>The first event id of each folder: a folder owns the hundred from there on. A released id keeps its meaning for ever; one that fell out of use is not given again.</summary>
internal static class EventIds
{
    /// <summary>How many ids a folder owns.</summary>
    public const int RangeSize = 100;

    public const int Transport = 100;
    public const int Relay = 200;
    public const int Upstreams = 300;
    public const int Sessions = 400;
    public const int Hosting = 500;
    public const int Telemetry = 600;
    public const int Config = 700;
}
