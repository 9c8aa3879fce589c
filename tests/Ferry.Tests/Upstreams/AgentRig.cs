using System.Text;
using Ferry.Config;
using Ferry.Upstreams;

namespace Ferry.Tests.Upstreams;

/// <summary>Groups whose servers have agents that say what the test says.</summary>
public abstract class AgentRig
{
    private protected readonly GroupBuilder _make = new();

    private protected static HealthCheckConfig Check { get; } = new() { Agent = new AgentCheckConfig(9000) };

    private protected long Now => _make.Time.GetTimestamp();

    private protected Task<UpstreamGroup> MakeAsync(params UpstreamServerConfig[] servers) => MakeAsync(GroupBuilder.Block(servers));

    private protected Task<UpstreamGroup> MakeAsync(UpstreamConfig config) => _make.MakeAsync(config with { HealthCheck = Check });

    /// <summary>The agent of a server says a line.</summary>
    private protected static void Say(UpstreamGroup group, int server, string line) =>
        group.Servers[server].EndAsking(new AgentResult(AgentAnswer.Parse(Encoding.Latin1.GetBytes(line)), null), 0);

    private protected static void KeepSilent(UpstreamGroup group, int server, string reason) => group.Servers[server].EndAsking(new AgentResult(null, reason), 0);
}
