using Ferry.Config;
using Ferry.Telemetry;
using Ferry.Upstreams;

namespace Ferry.Tests.Upstreams;

/// <summary>A monitor whose checks end when and as the test says.</summary>
public abstract class HealthMonitorRig : IDisposable
{
    private protected const string Refused = "connecting failed (ConnectionRefused)";

    private protected readonly GroupBuilder _make = new();
    private protected readonly List<(UpstreamServer Server, TaskCompletionSource<HealthProbeResult> Answer)> _probes = [];
    private readonly FerryMetrics _metrics = new();

    public void Dispose()
    {
        _metrics.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected long Now => _make.Time.GetTimestamp();

    private protected async Task<(UpstreamGroup Group, HealthMonitor Monitor)> StartAsync(HealthCheckConfig check, params UpstreamServerConfig[] servers)
    {
        var group = await _make.MakeAsync(GroupBuilder.Block(servers) with { HealthCheck = check });
        return (group, Monitor(group, check));
    }

    private protected HealthMonitor Monitor(UpstreamGroup group, HealthCheckConfig check) => new(group, check, Probe, _metrics, new Random(1), _make);

    private Task<HealthProbeResult> Probe(UpstreamServer server, CancellationToken stop)
    {
        var answer = new TaskCompletionSource<HealthProbeResult>();
        _probes.Add((server, answer));
        return answer.Task;
    }

    private protected void Tick(HealthMonitor monitor, int seconds)
    {
        _make.Time.Advance(TimeSpan.FromSeconds(seconds));
        monitor.Sweep(Now);
    }

    private protected void AnswerAll(Func<UpstreamServer, string?> failure)
    {
        var probes = _probes.ToArray();
        _probes.Clear();
        foreach (var (server, answer) in probes)
            Answer(answer, new HealthProbeResult(failure(server)));
    }

    /// <summary>What waits for the answer goes on within this call, as it does where no test's context is in the way.</summary>
    private protected static void Answer(TaskCompletionSource<HealthProbeResult> answer, HealthProbeResult result)
    {
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        answer.SetResult(result);
        SynchronizationContext.SetSynchronizationContext(context);
    }
}
