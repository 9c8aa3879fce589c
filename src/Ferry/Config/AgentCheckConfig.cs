using System.Net;

namespace Ferry.Config;

/// <summary>The agents of an upstream's servers (<c>health_check agent_port=</c>): small programs that say how much their servers can take, as HAProxy's agent-check.</summary>
/// <param name="Port">Where each listens, 1-65535 (<c>agent_port=</c>).</param>
public sealed record AgentCheckConfig(int Port)
{
    /// <summary>The address where all listen (<c>agent_addr=</c>); null: each server's own.</summary>
    public IPAddress? Address { get; init; }

    /// <summary>The time from the beginning of a question to that of the next, at least one second (<c>agent_interval=</c>). Default 2 s, as HAProxy.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>What each is sent first (<c>agent_send=</c>), as it stands; null: nothing.</summary>
    public string? Send { get; init; }
}
