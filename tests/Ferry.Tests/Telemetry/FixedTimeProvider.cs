namespace Ferry.Tests.Telemetry;

/// <summary>A clock that stands still, in a zone of its own.</summary>
internal sealed class FixedTimeProvider(DateTimeOffset now, TimeSpan offset) : TimeProvider
{
    public override TimeZoneInfo LocalTimeZone { get; } = TimeZoneInfo.CreateCustomTimeZone("test", offset, "test", "test");

    public override DateTimeOffset GetUtcNow() => now.ToUniversalTime();
}
