namespace Ferry.Upstreams;

/// <summary>
/// Remembers something for each key as long as it is used, and no more than so many: the one that was not used for longest goes first.
/// A list in the order of use makes both a step from its old end; nothing is searched. Not for two threads at a time.
/// </summary>
/// <typeparam name="TValue">What is remembered.</typeparam>
internal sealed class RecentTable<TValue>
{
    /// <summary>So many old entries go with each call at most, which is more than one call can add.</summary>
    private const int SweepAtATime = 8;

    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Entry>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private Entry? _oldest;
    private Entry? _newest;

    public RecentTable() => _lookup = _entries.GetAlternateLookup<ReadOnlySpan<char>>();

    public int Count => _entries.Count;

    /// <summary>What is remembered for a key, if it was used not longer ago than <paramref name="lifetime"/>.</summary>
    /// <param name="key">The key.</param>
    /// <param name="now">A time stamp, never smaller than that of the call before.</param>
    /// <param name="lifetime">In the unit of <paramref name="now"/>.</param>
    /// <param name="value">What was remembered.</param>
    public bool TryGet(ReadOnlySpan<char> key, long now, long lifetime, out TValue? value)
    {
        Sweep(now, lifetime, int.MaxValue);
        value = default;
        if (!_lookup.TryGetValue(key, out var entry) || now - entry.UsedAt >= lifetime)
            return false;
        value = entry.Value;
        return true;
    }

    /// <summary>Remembers, and counts that as use.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">What to remember.</param>
    /// <param name="now">A time stamp, never smaller than that of the call before.</param>
    /// <param name="most">How many entries there may be; at least 1.</param>
    public void Set(ReadOnlySpan<char> key, TValue value, long now, int most)
    {
        if (_lookup.TryGetValue(key, out var entry))
        {
            Unlink(entry);
        }
        else
        {
            entry = new Entry(key.ToString());
            _entries.Add(entry.Key, entry);
        }
        entry.Value = value;
        entry.UsedAt = now;
        LinkNewest(entry);
        Sweep(now, long.MaxValue, most);
    }

    private void Sweep(long now, long lifetime, int most)
    {
        for (var i = 0; i < SweepAtATime && _oldest is { } entry && (_entries.Count > most || now - entry.UsedAt >= lifetime); i++)
        {
            Unlink(entry);
            _entries.Remove(entry.Key);
        }
    }

    private void LinkNewest(Entry entry)
    {
        entry.Older = _newest;
        if (_newest is null)
            _oldest = entry;
        else
            _newest.Newer = entry;
        _newest = entry;
    }

    private void Unlink(Entry entry)
    {
        if (entry.Older is null)
            _oldest = entry.Newer;
        else
            entry.Older.Newer = entry.Newer;
        if (entry.Newer is null)
            _newest = entry.Older;
        else
            entry.Newer.Older = entry.Older;
        entry.Older = entry.Newer = null;
    }

    private sealed class Entry(string key)
    {
        public string Key { get; } = key;

        public TValue? Value { get; set; }

        public long UsedAt { get; set; }

        public Entry? Older { get; set; }

        public Entry? Newer { get; set; }
    }
}
