using System.Linq;
using System.Net;
using Ferry.Config;
using Ferry.Transport;
using Ferry.Transport.Tls;

namespace Ferry.Upstreams;

/// <summary>How checks speak to servers: as sessions do, unless the check says otherwise.</summary>
internal sealed record HealthProbePlan
{
    public required HealthCheckConfig Check { get; init; }

    /// <summary>What servers see checks come from; null lets the kernel choose.</summary>
    public SourceAddress? BindAddress { get; init; }

    /// <summary>The header that servers expect on control connections.</summary>
    public ProxyProtocolVersion Header { get; init; }

    /// <summary>The header that servers expect on data connections.</summary>
    public ProxyProtocolVersion DataHeader { get; init; }

    /// <summary>When TLS begins: off, explicit or implicit.</summary>
    public UpstreamTls TlsMode { get; init; }

    /// <summary>Null where TLS is off.</summary>
    public Func<TlsContext>? Tls { get; init; }

    public TlsPeerName PeerName { get; init; } = TlsPeerName.Any;

    /// <summary>Data is protected where the control channel is.</summary>
    public bool DataIsPrivate { get; init; } = true;

    /// <summary>Data connections resume the control connection's session.</summary>
    public bool SessionReuse { get; init; } = true;

    /// <summary>A TLS stream that ends without close_notify has ended.</summary>
    public bool AllowTruncation { get; init; }

    /// <summary>Whether a server's 227 may name another address than its own.</summary>
    public PassiveAddressConfig PassiveAddress { get; init; } = new DataConfig().PassiveAddress;

    /// <summary>The password of <see cref="HealthCheckConfig.User"/>.</summary>
    public HealthPassword Password { get; init; } = HealthPassword.Anonymous;

    /// <summary>The conversation of <see cref="HealthCheckConfig.Match"/>; null: FTP's.</summary>
    public MatchExpectation? Match { get; init; }

    /// <summary>What an embedder's own record could have got wrong; null where it is good. The parser says it with more words and earlier.</summary>
    public static string? MistakeIn(HealthCheckConfig check) =>
        check.Interval < TimeSpan.FromSeconds(1) ? "the interval is shorter than a second"
        : check.Jitter < TimeSpan.Zero ? "the jitter is negative"
        : check.Timeout <= TimeSpan.Zero || check.Timeout > HealthDraft.LongestTimeout ? $"the timeout is not between 0 and {HealthDraft.LongestTimeout.TotalHours} h"
        : check.Rise < 1 || check.Fall < 1 ? "rise and fall are at least 1"
        : check.Port is < 1 or > IPEndPoint.MaxPort ? "ports are 1-65535"
        : check.Tls == UpstreamTls.Match ? "a check has no client whose TLS it could match"
        : check.Program is { } program && (program.Arguments.IsDefault || !program.Path.StartsWith('/') || program.Arguments.Append(new TextTemplate(program.Path, [])).Any(a => a.Text.Contains('\0', StringComparison.Ordinal))) ? "a program is named by its absolute path, and there are no zero bytes in its arguments"
        : check.Match is { } match && MatchExpectation.TryCreate(match) is null ? "its \"match\" has a text or an expression that cannot be read"
        : check.Match is not null && check.Tls == UpstreamTls.Explicit ? "a \"match\" speaks no AUTH"
        : check.Agent is { Port: < 1 or > IPEndPoint.MaxPort } ? "ports of agents are 1-65535"
        : check.Agent is { } agent && (agent.Interval < TimeSpan.FromSeconds(1) || agent.Send?.Length > HealthDraft.LongestText) ? $"agents are asked at most once a second, with at most {HealthDraft.LongestText} characters"
        : check.Type == HealthCheckType.Retr && check.Path is null ? "a file to fetch has no path"
        : (check.User + check.Path).Any(char.IsControl) ? "a name or path has control characters in it"
        : null;

    /// <summary>What is checked of a server.</summary>
    public IPEndPoint EndPointOf(IPEndPoint server) => Check.Port is { } port ? new IPEndPoint(server.Address, port) : server;
}
