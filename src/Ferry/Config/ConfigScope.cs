using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace Ferry.Config;

/// <summary>A value that a block may set or leave to the block around it.</summary>
internal readonly struct Setting<T>(T value)
{
    private readonly T _value = value;

    public bool IsSet { get; } = true;

    public Setting<T> Or(Setting<T> outer) => IsSet ? this : outer;

    public T Else(T otherwise) => IsSet ? _value : otherwise;

    public static implicit operator Setting<T>(T value) => new(value);
}

/// <summary>What <c>stream</c> or one of its servers says, before it is handed down.</summary>
internal sealed class ConfigScope
{
    public Setting<TimeSpan> IdleTimeout { get; set; }
    public Setting<TimeSpan> ConnectTimeout { get; set; }
    public Setting<TimeSpan> BannerTimeout { get; set; }
    public Setting<TimeSpan> LoginTimeout { get; set; }
    public Setting<BindConfig?> Bind { get; set; }
    public Setting<bool> NextUpstream { get; set; }
    public Setting<TimeSpan> NextUpstreamTimeout { get; set; }
    public Setting<int> NextUpstreamTries { get; set; }
    public Setting<TimeSpan> HealthTimeout { get; set; }
    public Setting<string> Sorry { get; set; }
    public Setting<ResolverConfig> Resolver { get; set; }
    public Setting<TimeSpan> ResolverTimeout { get; set; }
    public Setting<bool> TcpNoDelay { get; set; }
    public Setting<bool> SocketKeepalive { get; set; }
    public Setting<AccessLogDraft?> AccessLog { get; set; }
    public Setting<TransferLogConfig?> TransferLog { get; set; }
    public Setting<DataPeerPolicy> DataPeer { get; set; }
    public Setting<PassiveAddressConfig> PassiveAddress { get; set; }
    public Setting<TimeSpan> DataConnectTimeout { get; set; }
    public Setting<TimeSpan> DataTimeout { get; set; }
    public Setting<int> ClientPorts { get; set; }
    public Setting<UpstreamDataMode> UpstreamMode { get; set; }
    public Setting<PortRangeConfig> UpstreamPorts { get; set; }
    public Setting<ActivePeerConfig> ActivePeer { get; set; }
    public Setting<int?> ActiveSourcePort { get; set; }
    public Setting<string?> Greeting { get; set; }
    public Setting<bool> HideServer { get; set; }
    public Setting<RouteLookupDraft> RouteLookup { get; set; }
    public Setting<ProxyProtocolVersion> ProxyProtocol { get; set; }
    public Setting<ProxyProtocolVersion> DataProxyProtocol { get; set; }
    public Setting<TimeSpan> ProxyProtocolTimeout { get; set; }
    public List<(ConfigToken Word, IPNetwork? Network)> RealIpFrom { get; } = [];
    public List<ClientProxyAddressConfig> ProxyAddresses { get; } = [];
    public List<AccessRuleConfig> AccessRules { get; } = [];
    public TlsScope Tls { get; } = new();
}

/// <summary>An <c>access_log</c> line, whose format may be defined further down.</summary>
internal sealed record AccessLogDraft(string Path, ConfigToken? Format);

/// <summary>The values of the main context.</summary>
internal sealed class MainDraft
{
    public string? PidFile { get; set; }
    public List<ErrorLogConfig> ErrorLogs { get; } = [];
    public int? MaxSessions { get; set; }
    public int? MaxOpenFiles { get; set; }
    public TimeSpan? ShutdownTimeout { get; set; }
    public ConfigScope Stream { get; } = new();
    public List<ServerDraft> Servers { get; } = [];
    public List<UpstreamDraft> Upstreams { get; } = [];
    public Dictionary<string, UpstreamDraft> UpstreamsByName { get; } = new(StringComparer.Ordinal);
    public List<RangeDraft> Ranges { get; } = [];

    /// <summary>The <c>match</c> blocks by name.</summary>
    public Dictionary<string, MatchDraft> Matches { get; } = new(StringComparer.Ordinal);

    /// <summary>The variables of <c>map</c> and its like by name, in the order of the file.</summary>
    public OrderedDictionary<string, VariableDraft> Variables { get; } = new(StringComparer.Ordinal);

    /// <summary>A <c>range</c> line was there and is wrong: what it would have redirected is not known.</summary>
    public bool HasBadRange { get; set; }

    public RangeMethod? RangeMethod { get; set; }

    /// <summary>The programs of <c>range</c> lines by parameter.</summary>
    public Dictionary<string, ConfigToken> RangeTools { get; } = new(StringComparer.Ordinal);

    /// <summary>As OpenNJet, which has no other: a file that names its iptables means iptables.</summary>
    public RangeMethod EffectiveRangeMethod => RangeMethod switch
    {
        null or Config.RangeMethod.Auto => RangeTools.ContainsKey("iptables_path") || RangeTools.ContainsKey("ip6tables_path")
            ? Config.RangeMethod.Iptables
            : Config.RangeMethod.Auto,
        { } method => method,
    };
    public Dictionary<string, (ConfigNode Node, TextTemplate? Template)> Formats { get; } = new(StringComparer.Ordinal);
}

/// <summary>A <c>listen</c> line.</summary>
internal sealed record ListenDraft(ConfigToken Place, IPAddress Address, int First, int Last, int Backlog, bool IsSsl, ConfigToken? ProxyProtocol);

/// <summary>A <c>range</c> line: a redirect of ports to one.</summary>
/// <param name="Line">Its name.</param>
/// <param name="Ports">The ports as written.</param>
/// <param name="First">The first port.</param>
/// <param name="Last">The last port.</param>
/// <param name="Target">The port that they are redirected to.</param>
/// <param name="Family">Only connections of this family; null: both.</param>
internal sealed record RangeDraft(ConfigToken Line, ConfigToken Ports, int First, int Last, int Target, AddressFamily? Family)
{
    public bool Redirects(AddressFamily family) => Family is null || Family == family;
}

/// <summary>A <c>server</c> block of <c>stream</c>.</summary>
internal sealed class ServerDraft(ConfigNode node)
{
    public ConfigNode Node { get; } = node;
    public ConfigScope Scope { get; } = new();
    public List<ListenDraft> Listens { get; } = [];
    public bool HasListen { get; set; }
    public ConfigNode? Control { get; set; }
    public ZoneConfig? Zone { get; set; }
    public ConfigNode? Data { get; set; }
    public ConfigToken? DataZone { get; set; }
    public ConfigNode? ProxyPass { get; set; }

    /// <summary>All that <see cref="ProxyPass"/> leads to.</summary>
    public RouteConfig? Route { get; set; }

    /// <summary>The first place of <see cref="Route"/>.</summary>
    public UpstreamConfig? Upstream { get; set; }
    public HealthDraft? HealthCheck { get; set; }

    /// <summary><c>ftp_user</c>.</summary>
    public TextTemplate? UserName { get; set; }

    /// <summary>The <c>ftp_route</c> that counts for it; null where that is off.</summary>
    public RouteLookupDraft? LookupWithin(ConfigScope outer) => Scope.RouteLookup.Or(outer.RouteLookup).Else(null!) is { Config: not null } lookup ? lookup : null;

    /// <summary><c>mode=auth</c> of <c>ftp_ctrl</c>, OpenNJet's word for explicit TLS.</summary>
    public ConfigToken? AuthMode { get; set; }

    /// <summary>Where it says that it takes the dialled port from the kernel (<c>njtmesh_dest on</c>, <c>mesh</c>).</summary>
    public ConfigToken? Mesh { get; set; }

    /// <summary>The one port of a data server to which those of its zone are redirected; null: each is opened by itself.</summary>
    public int? RedirectPort { get; set; }

    /// <summary>Directives in it that concern a control server only.</summary>
    public List<ConfigNode> ControlOnly { get; } = [];

    /// <summary>Whether AUTH is offered: where the block says nothing, <c>mode=auth</c> does once there is a certificate.</summary>
    public StartTls StartTlsWithin(TlsScope outer) => Scope.Tls.StartTls.Or(outer.StartTls).Else(
        AuthMode is not null && Scope.Tls.Lines("ssl_certificate", outer).Count > 0 && Scope.Tls.Lines("ssl_certificate_key", outer).Count > 0
            ? StartTls.On
            : StartTls.Off);

    /// <summary>Whether any of its clients may speak TLS.</summary>
    public bool OffersTls(TlsScope outer) => Listens.Exists(l => l.IsSsl) || StartTlsWithin(outer) != StartTls.Off;
}

/// <summary>An <c>upstream</c> block.</summary>
internal sealed class UpstreamDraft(ConfigNode node, string name)
{
    public ConfigNode Node { get; } = node;
    public string Name { get; } = name;
    public List<UpstreamServerConfig> Servers { get; } = [];

    /// <summary>Whether a <c>server</c> line was there at all, right or wrong.</summary>
    public bool HasServerLine { get; set; }

    public List<ConfigToken> BackupWords { get; } = [];
    public HealthDraft? HealthCheck { get; set; }
    public HealthProgramConfig? HealthProgram { get; set; }
    public ConfigNode? HealthProgramLine { get; set; }
    public BalanceMethod Balance { get; set; }
    public TextTemplate? HashKey { get; set; }
    public int QueueLength { get; set; }
    public TimeSpan? QueueTimeout { get; set; }
    public string? Sorry { get; set; }
    public Setting<ResolverConfig> Resolver { get; set; }
    public Setting<TimeSpan> ResolverTimeout { get; set; }

    public ConfigNode? State { get; set; }
    public string? StateFile { get; set; }

    /// <summary>What is in that file.</summary>
    public ImmutableArray<UpstreamServerConfig> StateServers { get; set; } = [];

    /// <summary>Where a <c>slow_start</c> was written.</summary>
    public List<ConfigToken> SlowStartWords { get; } = [];

    /// <summary>The line that says how a server is chosen.</summary>
    public ConfigNode? Method { get; set; }

    public StickyConfig? Sticky { get; set; }
}
