using System.Security.Cryptography;
using Ferry.Config;
using Ferry.Upstreams;

namespace Ferry.Sessions;

/// <summary>
/// Answers of a service, for as long as they may be used. Survives a reload. Its keys are digests of whole questions under a key of its own, so
/// neither names nor passwords can be read out of it. Not for two threads at a time.
/// </summary>
internal sealed class RouteCache(TimeProvider time)
{
    private readonly RecentTable<Entry> _entries = new();
    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);

    public int Count => _entries.Count;

    public string KeyOf(ReadOnlySpan<byte> question) => Convert.ToHexString(HMACSHA256.HashData(_secret, question));

    /// <summary>An answer that may be used, or one that may be while the service fails.</summary>
    public RouteAnswer? Find(string key, RouteLookupConfig config, bool isStale)
    {
        var now = time.GetTimestamp();
        if (!_entries.TryGet(key, now, Ticks(config.CacheTime + config.StaleTime), out var entry))
            return null;
        var age = time.GetElapsedTime(entry.At, now);
        return age < (isStale ? entry.Lifetime + config.StaleTime : entry.Lifetime) ? entry.Answer : null;
    }

    /// <param name="key">The question's.</param>
    /// <param name="answer">The answer.</param>
    /// <param name="lifetime">How long the service allows it to be used; null: it does not say.</param>
    /// <param name="config">The bounds.</param>
    public void Keep(string key, RouteAnswer answer, TimeSpan? lifetime, RouteLookupConfig config)
    {
        if (config.CacheTime == TimeSpan.Zero)
            return;
        var now = time.GetTimestamp();
        var kept = lifetime < config.CacheTime ? lifetime.Value : config.CacheTime;
        // One that is not to be kept takes the place of an older one that was.
        _entries.Set(key, new Entry(kept < TimeSpan.Zero ? null : answer, now, kept), now, config.CacheEntries);
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    private readonly record struct Entry(RouteAnswer? Answer, long At, TimeSpan Lifetime);
}
