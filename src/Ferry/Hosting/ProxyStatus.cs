using System.Collections.Immutable;
using System.Net;
using Ferry.Config;
using Ferry.Upstreams;

namespace Ferry.Hosting;

/// <summary>What a proxy is doing at this moment.</summary>
/// <param name="Generation">How many configurations have been in force, this one included; 1 after the start.</param>
/// <param name="Sessions">Sessions of all generations.</param>
/// <param name="Transfers">Transfers of all generations.</param>
/// <param name="Zones">The tables of passive ports.</param>
/// <param name="Upstreams">The upstream groups.</param>
public sealed record ProxyStatus(
    int Generation,
    int Sessions,
    int Transfers,
    ImmutableArray<ZoneStatus> Zones,
    ImmutableArray<UpstreamStatus> Upstreams);

/// <summary>A table of data ports: those that clients connect to, or (active mode towards servers) that the servers of a control server connect to.</summary>
/// <param name="Name">The zone's name; of the ports for servers with <c> (servers)</c> behind it.</param>
/// <param name="Ports">Ports in its range.</param>
/// <param name="Used">Leases on loan; different clients may hold the same port.</param>
/// <param name="Free">Leases that the zone's size still allows.</param>
/// <param name="OpenPorts">Ports that are open for connections.</param>
/// <param name="Refused">Connections to open ports that no session waited for, since the start.</param>
public sealed record ZoneStatus(string Name, int Ports, int Used, int Free, int OpenPorts, long Refused);

/// <summary>An upstream group.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Servers">Its servers, in the order of the configuration.</param>
/// <param name="Waiting">Sessions that wait in its queue.</param>
public sealed record UpstreamStatus(string Name, ImmutableArray<UpstreamServerStatus> Servers, int Waiting);

/// <summary>A server of an upstream group.</summary>
/// <param name="Name">As it is configured.</param>
/// <param name="Available">Whether it would be given a new session now.</param>
/// <param name="Sessions">Sessions on it now.</param>
/// <param name="TotalSessions">How often it was chosen since the start.</param>
/// <param name="Failures">How often it failed a session since the start: in connecting, greeting, letting the user in, or on data connections.</param>
public sealed record UpstreamServerStatus(string Name, bool Available, int Sessions, long TotalSessions, long Failures)
{
    /// <summary>What it is there for at this moment.</summary>
    public required UpstreamServerState State { get; init; }

    /// <summary>Its line in the configuration with the changes since: address as written, weight, limits.</summary>
    public required UpstreamServerConfig Config { get; init; }

    /// <summary>Where sessions are connected to; of a name one of its addresses.</summary>
    public required IPEndPoint EndPoint { get; init; }

    /// <summary>What its health checks say.</summary>
    public ServerCheckStatus Checks { get; init; }

    /// <summary>Why the last check failed; null where it passed, or there was none.</summary>
    public string? CheckFailure { get; init; }

    /// <summary>The line that its agent said last, with what cannot be printed replaced; null where it has none, or that has not answered yet.</summary>
    public string? AgentAnswer { get; init; }
}

/// <summary>What health checks say of a server.</summary>
public enum ServerCheckStatus
{
    /// <summary>It is not checked.</summary>
    Off,

    /// <summary>No check has ended yet, or too few to judge by.</summary>
    Unknown,

    /// <summary>It passes.</summary>
    Up,

    /// <summary>It fails, and gets no new sessions.</summary>
    Down,
}
