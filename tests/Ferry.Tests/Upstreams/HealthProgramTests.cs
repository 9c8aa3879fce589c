using System.Linq;
using Ferry.Config;
using Ferry.Upstreams;
using static Ferry.Tests.Upstreams.GroupBuilder;

namespace Ferry.Tests.Upstreams;

/// <summary>The places of programs that check servers.</summary>
public sealed class HealthProgramTests : IDisposable
{
    private readonly GroupBuilder _make = new();
    private readonly SemaphoreSlim _places = new(1);

    public void Dispose() => _places.Dispose();

    private HealthProgram Make(HealthProgramConfig program) =>
        new("files", new HealthCheckConfig { Program = program, Timeout = TimeSpan.FromSeconds(5) }, _places, _make.Time, _make);

    [Fact]
    public async Task A_place_is_not_lost_over_a_program_that_cannot_be_described()
    {
        var group = await _make.MakeAsync(Server(1));
        var program = Make(new HealthProgramConfig("/bin/true", default));
        await Assert.ThrowsAnyAsync<Exception>(() => program.RunAsync(group.Servers[0], CancellationToken.None));
        Assert.Equal(1, _places.CurrentCount);
    }

    [Fact]
    public async Task That_checks_are_put_off_is_told_once_a_minute_at_most()
    {
        var group = await _make.MakeAsync(Server(1));
        var program = Make(new HealthProgramConfig("/nowhere/at/all", []));
        foreach (var (seconds, told) in new[] { (0, 1), (49, 1), (1, 2) }) // and 5 of each wait
        {
            _make.Time.Advance(TimeSpan.FromSeconds(seconds));
            await _places.WaitAsync();
            var late = program.RunAsync(group.Servers[0], CancellationToken.None);
            Assert.True(SpinWait.SpinUntil(() => _make.Time.ActiveTimers > 0, TimeSpan.FromSeconds(30)), "Waited in vain for the check.");
            _make.Time.Advance(TimeSpan.FromSeconds(5));
            Assert.True((await late).IsVoid);
            Assert.Equal(told, _make.Said.Count(s => s.Id == 356));

            // One that gets a place changes nothing about that.
            _places.Release();
            Assert.True((await program.RunAsync(group.Servers[0], CancellationToken.None)).IsVoid);
        }
    }
}
