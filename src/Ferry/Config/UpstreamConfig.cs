using System.Collections.Immutable;

namespace Ferry.Config;

/// <summary>An <c>upstream</c> block, or the one server of a plain <c>proxy_pass</c>.</summary>
public sealed record UpstreamConfig
{
    /// <summary>The block's name; of a plain <c>proxy_pass</c>, what was written there.</summary>
    public required string Name { get; init; }

    /// <summary>The servers in the order written; at least one, save with a <see cref="StateFile"/>.</summary>
    public required ImmutableArray<UpstreamServerConfig> Servers { get; init; }

    /// <summary>How a server is chosen. Default round robin, as nginx.</summary>
    public BalanceMethod Balance { get; init; } = BalanceMethod.RoundRobin;

    /// <summary>The key of <c>hash</c>; null for the other methods.</summary>
    public TextTemplate? HashKey { get; init; }

    /// <summary>Most sessions that wait for a place while every server is at its <c>max_conns</c> (<c>queue</c>); 0 lets none wait. Default 0, as nginx.</summary>
    public int QueueLength { get; init; }

    /// <summary>How long a session waits for a place at most (<c>queue … timeout=</c>). Default 60 s, as nginx.</summary>
    public TimeSpan QueueTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The line that a client is told when no server can be had (<c>ftp_sorry</c>); null: that of the server block.</summary>
    public string? Sorry { get; init; }

    /// <summary>
    /// Where the servers are kept, an absolute path (<c>state</c>): they are read from it at the start and at a reload, whatever <see cref="Servers"/> says, and
    /// written to it with every change while Ferry runs. Null: such changes last until the next reload.
    /// </summary>
    public string? StateFile { get; init; }

    /// <summary>Whom names with <see cref="UpstreamServerConfig.Resolve"/> are asked of (<c>resolver</c>). Default the system's name servers.</summary>
    public ResolverConfig Resolver { get; init; } = new();

    /// <summary>Ties clients to the server that they had; null does not (<c>sticky</c>).</summary>
    public StickyConfig? Sticky { get; init; }

    /// <summary>How its servers are checked (<c>health_check</c>); null: not at all.</summary>
    public HealthCheckConfig? HealthCheck { get; init; }

    /// <summary>Where the block begins, for messages.</summary>
    public ConfigPosition Position { get; init; } = new("(code)", 0, 0);
}

/// <summary>How a server is chosen.</summary>
public enum BalanceMethod
{
    /// <summary>Smooth weighted round robin, as nginx.</summary>
    RoundRobin,

    /// <summary><c>hash KEY</c>: nginx's hash of the key over the weights.</summary>
    Hash,

    /// <summary><c>hash KEY consistent</c>: the ketama ring, with nginx's points.</summary>
    ConsistentHash,

    /// <summary><c>least_conn</c>: the fewest sessions for the weight, in turns among equals, as nginx.</summary>
    LeastConnections,

    /// <summary><c>random</c>: by chance, in proportion to the weights, as nginx.</summary>
    Random,

    /// <summary><c>random two</c>: of two by chance that with fewer sessions for its weight, as nginx.</summary>
    RandomTwo,

    /// <summary><c>balance rr</c>: in turns, whatever the weights, as LVS.</summary>
    Rr,

    /// <summary><c>balance wrr</c>: in turns, the heavier ones more often, as LVS.</summary>
    Wrr,

    /// <summary><c>balance lc</c>: the fewest sessions, as LVS.</summary>
    Lc,

    /// <summary><c>balance wlc</c>: the fewest sessions for the weight, the first among equals, as LVS.</summary>
    Wlc,

    /// <summary><c>balance sed</c>: the fewest sessions for the weight with the new one counted, as LVS.</summary>
    Sed,

    /// <summary><c>balance nq</c>: an idle server, or else as <see cref="Sed"/>; as LVS.</summary>
    Nq,

    /// <summary><c>balance sh</c>: by the client's address, in LVS's table.</summary>
    Sh,

    /// <summary><c>balance dh</c>: by the address that the client connected to, in LVS's table.</summary>
    Dh,

    /// <summary><c>balance lblc</c>: one server for each address that clients connect to, as long as it is not overloaded; as LVS.</summary>
    Lblc,

    /// <summary><c>balance lblcr</c>: a set of servers for each address that clients connect to, as LVS.</summary>
    Lblcr,

    /// <summary><c>balance mh</c>: by the client's address, in LVS's Maglev table.</summary>
    Mh,

    /// <summary><c>balance ovf</c>: the heaviest server until it has more sessions than its weight, then the next; as LVS.</summary>
    Ovf,

    /// <summary><c>balance fo</c>: the heaviest server that can be had, as LVS.</summary>
    Fo,
}

internal static class BalanceMethods
{
    /// <summary>Whether servers get sessions by their turns or their load, so that a share can grow (<c>slow_start</c>). As nginx: not with a key, not by chance; LVS's know nothing of it.</summary>
    public static bool TakesTurns(this BalanceMethod method) => method is BalanceMethod.RoundRobin or BalanceMethod.LeastConnections;
}

/// <summary>One <c>server</c> line of an upstream.</summary>
/// <param name="Host">An IP address without brackets, or a name.</param>
/// <param name="Port">1-65535; 21 where none is written.</param>
public sealed record UpstreamServerConfig(string Host, int Port)
{
    /// <summary>The address as it was written, which is what nginx's ketama hashes; null: host and port.</summary>
    public string? Text { get; init; }

    /// <summary>Share of new sessions, at least 1 (<c>weight=</c>). Default 1, as nginx.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Most sessions at a time (<c>max_conns=</c>); 0 is no limit. Default 0, as nginx.</summary>
    public int MaxConnections { get; init; }

    /// <summary>Failures within <see cref="FailTimeout"/> that make the server unavailable (<c>max_fails=</c>); 0 never does. Default 1, as nginx.</summary>
    public int MaxFails { get; init; } = 1;

    /// <summary>The window in which failures count, and how long the server is then left alone (<c>fail_timeout=</c>). Default 10 s, as nginx.</summary>
    public TimeSpan FailTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Used only while no other server can be (<c>backup</c>).</summary>
    public bool Backup { get; init; }

    /// <summary>Never used (<c>down</c>); keeps its place on a hash ring.</summary>
    public bool Down { get; init; }

    /// <summary>Gets no new sessions, while those that run go on to their end (<c>drain</c>).</summary>
    public bool Drain { get; init; }

    /// <summary>The name is resolved again and again while Ferry runs (<c>resolve</c>), and all its addresses are servers.</summary>
    public bool Resolve { get; init; }

    /// <summary>The service whose SRV records of <see cref="Host"/> tell servers and ports (<c>service=</c>); null: the host's own addresses. Needs <see cref="Resolve"/>.</summary>
    public string? Service { get; init; }

    /// <summary>How long its share of new sessions grows from nothing to its weight after it has come back or was added while Ferry runs (<c>slow_start=</c>); zero: at once. Default zero, as nginx.</summary>
    public TimeSpan SlowStart { get; init; }

    /// <summary>Where the address is, for messages.</summary>
    public ConfigPosition Position { get; init; } = new("(code)", 0, 0);

    /// <summary>The line of the file that it is in, for the picture of a mistake; null where there is none to show.</summary>
    internal string? SourceLine { get; init; }
}
