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
}
