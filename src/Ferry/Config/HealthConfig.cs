namespace Ferry.Config;

/// <summary>How far a health check goes; each includes those before it.</summary>
public enum HealthCheckType
{
    /// <summary>The server takes a connection.</summary>
    Connect,

    /// <summary>It greets with 220; with TLS, the handshake is done.</summary>
    Banner,

    /// <summary>It lets the user in.</summary>
    Login,

    /// <summary>It sends a listing over a passive data connection.</summary>
    List,

    /// <summary>It sends a file over a passive data connection.</summary>
    Retr,
}

/// <summary>The checks of an upstream's servers (<c>health_check</c>).</summary>
public sealed record HealthCheckConfig
{
    /// <summary>The time from the beginning of a check to that of the next (<c>interval=</c>), at least one second. Default 5 s, as nginx.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The most that is added to the interval, by chance (<c>jitter=</c>). Default none, as nginx.</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>The bound of one whole check (<c>timeout=</c>, <c>health_check_timeout</c>). Default 5 s, as nginx.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Checks passed in a row that bring a server back that was down (<c>rise=</c>, <c>passes=</c>), at least 1. Default 1, as nginx.</summary>
    public int Rise { get; init; } = 1;

    /// <summary>Checks failed in a row that take a server out (<c>fall=</c>, <c>fails=</c>), at least 1. Default 1, as nginx.</summary>
    public int Fall { get; init; } = 1;

    /// <summary>How far a check goes (<c>type=</c>). Default the greeting; a server that only accepts connections is of no use.</summary>
    public HealthCheckType Type { get; init; } = HealthCheckType.Banner;

    /// <summary>Who logs in (<c>user=</c>); null: anonymous.</summary>
    public string? User { get; init; }

    /// <summary>The file whose first line is the user's password (<c>password_file=</c>); null for the anonymous user.</summary>
    public PlacedText? PasswordFile { get; init; }

    /// <summary>What is listed or fetched (<c>path=</c>); null: the folder that the user is in. A file has to be named.</summary>
    public string? Path { get; init; }

    /// <summary>A text that the listing or the file must hold (<c>expect=TEXT</c>); null: any will do.</summary>
    public string? ExpectText { get; init; }

    /// <summary>The size in bytes that the listing or the file must have (<c>expect=size:BYTES</c>); null: any will do.</summary>
    public long? ExpectSize { get; init; }

    /// <summary>The port to check, 1-65535 (<c>port=</c>); null: each server's own.</summary>
    public int? Port { get; init; }

    /// <summary>When TLS begins (<c>tls=</c>): off, explicit or implicit; null: as sessions have it, where <see cref="UpstreamTls.Match"/> means in clear.</summary>
    public UpstreamTls? Tls { get; init; }

    /// <summary>What is sent and expected in place of FTP (<c>match=</c>), whatever <see cref="Type"/> says; null: FTP.</summary>
    public HealthMatchConfig? Match { get; init; }

    /// <summary>The program that checks in place of Ferry (<c>health_check_exec</c>), whatever <see cref="Type"/> says; null: none.</summary>
    public HealthProgramConfig? Program { get; init; }

    /// <summary>The agents that are asked beside the checks (<c>agent_port=</c>); null: none.</summary>
    public AgentCheckConfig? Agent { get; init; }

    /// <summary>No session goes to a server before its first check has passed (<c>mandatory</c>).</summary>
    public bool Mandatory { get; init; }

    /// <summary>Where the line is, for messages.</summary>
    public ConfigPosition Position { get; init; } = new("(code)", 0, 0);
}
