namespace Ferry.Tests;

public sealed class ManualTimeProviderTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Time_stands_still_until_it_is_moved()
    {
        var (stamp, now) = (_time.GetTimestamp(), _time.GetUtcNow());

        _time.Advance(TimeSpan.FromSeconds(90));

        Assert.Equal(TimeSpan.FromSeconds(90), _time.GetElapsedTime(stamp));
        Assert.Equal(now.AddSeconds(90), _time.GetUtcNow());
    }

    [Fact]
    public void Timers_fire_in_their_order_and_at_their_own_time()
    {
        var start = _time.GetUtcNow();
        var fired = new List<(string, TimeSpan)>();
        void Say(object? name) => fired.Add(((string)name!, _time.GetUtcNow() - start));
        using var late = _time.CreateTimer(Say, "late", TimeSpan.FromSeconds(3), Timeout.InfiniteTimeSpan);
        using var often = _time.CreateTimer(Say, "often", TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2));
        using var stopped = _time.CreateTimer(Say, "stopped", TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        stopped.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        _time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal([("often", TimeSpan.FromSeconds(2)), ("late", TimeSpan.FromSeconds(3)), ("often", TimeSpan.FromSeconds(4))], fired);
        Assert.Equal(1, _time.ActiveTimers);
    }

    [Fact]
    public async Task A_delay_ends_when_the_clock_has_come_there()
    {
        var delay = Task.Delay(TimeSpan.FromMinutes(1), _time);
        Assert.False(delay.IsCompleted);

        _time.Advance(TimeSpan.FromMinutes(1));

        await delay;
    }
}
