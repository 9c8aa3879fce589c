using System.Linq;
using Ferry.Upstreams;

namespace Ferry.Tests.Upstreams;

public sealed class RecentTableTests
{
    private readonly RecentTable<int> _table = new();

    [Fact]
    public void What_is_old_goes_bit_by_bit_with_the_calls()
    {
        for (var i = 0; i < 1000; i++)
            _table.Set($"{i}", i, now: i, most: 1000);

        Assert.True(_table.TryGet("999", now: 1500, lifetime: 600, out var value));
        Assert.Equal(999, value);
        Assert.InRange(_table.Count, 900, 999);
        // All up to 900 are too old. None of them is found, whether it is gone already or not.
        Assert.False(_table.TryGet("900", now: 1500, lifetime: 600, out _));
        Assert.True(_table.TryGet("901", now: 1500, lifetime: 600, out _));
        for (var i = 0; i < 200; i++)
            _table.TryGet("", now: 1500, lifetime: 600, out _);
        Assert.Equal(99, _table.Count);
    }

    [Fact]
    public void There_are_never_more_than_so_many_and_the_least_recently_used_go_first()
    {
        for (var i = 0; i < 100; i++)
        {
            _table.Set($"{i}", i, now: i, most: 10);
            _table.Set("0", 0, now: i, most: 10);
            Assert.InRange(_table.Count, 1, 10);
        }

        Assert.Equal([0, .. Enumerable.Range(91, 9)], Enumerable.Range(0, 100).Where(i => _table.TryGet($"{i}", now: 100, lifetime: 1000, out _)));
    }

    [Fact]
    public void What_was_remembered_last_counts()
    {
        _table.Set("a", 1, now: 1, most: 10);
        _table.Set("b", 2, now: 2, most: 10);
        _table.Set("a", 3, now: 3, most: 10);

        Assert.True(_table.TryGet("a", now: 3, lifetime: 10, out var value));
        Assert.Equal((3, 2), (value, _table.Count));
    }
}
