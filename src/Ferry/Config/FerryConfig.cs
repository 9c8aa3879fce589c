using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace Ferry.Config;

/// <summary>One whole configuration: what <see cref="ConfigFile"/> yields, or what an embedder writes in code.</summary>
public sealed record FerryConfig
{
    /// <summary>Where the process id is written (<c>pid</c>), an absolute path; null writes none.</summary>
    public string? PidFile { get; init; }

    /// <summary>Where log messages go (<c>error_log</c>). Empty: errors to the standard error stream, as nginx.</summary>
    public ImmutableArray<ErrorLogConfig> ErrorLogs { get; init; } = [];

    /// <summary>Most sessions at a time, at least 1 (<c>worker_connections</c>). A client beyond it is told 421. Default 512, as nginx.</summary>
    public int MaxSessions { get; init; } = 512;

    /// <summary>Open files that the process asks the kernel for (<c>worker_rlimit_nofile</c>); null leaves the limit as it is.</summary>
    public int? MaxOpenFiles { get; init; }

    /// <summary>How long a drain lets running transfers go on (<c>worker_shutdown_timeout</c>). Default one hour; nginx has no limit.</summary>
    public TimeSpan ShutdownTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The port ranges that are redirected to data listeners (<c>range</c>).</summary>
    public ImmutableArray<RangeConfig> Ranges { get; init; } = [];

    /// <summary>How they are redirected (<c>range_method</c>).</summary>
    public RangeMethod RangeMethod { get; init; }

    /// <summary>The program for IPv4 rules (<c>range iptables_path=</c>); null: iptables of the system.</summary>
    public string? IptablesPath { get; init; }

    /// <summary>The program for IPv6 rules (<c>range ip6tables_path=</c>); null: ip6tables of the system.</summary>
    public string? Ip6tablesPath { get; init; }

    /// <summary>The program for routing rules (<c>range ip_path=</c>); null: ip of the system. Only <c>ferryd rules</c> names it: what ranges redirect is this machine's own.</summary>
    public string? IpPath { get; init; }

    /// <summary>Where ranges that are added at run time are kept, an absolute path; null: until the process ends. Read at the start, so that a reload does not change it.</summary>
    public string? RangeFile { get; init; }

    /// <summary>The variables of <c>map</c>, <c>split_clients</c> and <c>geo</c>. None may be made from itself.</summary>
    public ImmutableArray<VariableConfig> Variables { get; init; } = [];

    /// <summary>The control servers: every <c>server</c> block with <c>ftp_ctrl</c>, each already joined with its data server.</summary>
    public ImmutableArray<ServerConfig> Servers { get; init; } = [];
}

/// <summary>One <c>error_log</c> line.</summary>
/// <param name="Path">An absolute path, or <c>stderr</c>.</param>
/// <param name="Level">The least severe level that is written. nginx's words map: debug, info, notice and warn and error as named, crit, alert and emerg to critical.</param>
public sealed record ErrorLogConfig(string Path, LogLevel Level);
