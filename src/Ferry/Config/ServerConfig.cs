using System.Collections.Immutable;
using System.Net;

namespace Ferry.Config;

/// <summary>A control server: one <c>server</c> block with <c>ftp_ctrl</c>, its inherited values filled in.</summary>
public sealed record ServerConfig
{
    internal const string DefaultSorry = "421 No FTP server is available at the moment; try again later.";

    /// <summary>The addresses that clients connect to; at least one.</summary>
    public required ImmutableArray<ListenConfig> Listens { get; init; }

    /// <summary>The zone of passive ports that <c>ftp_ctrl</c> names.</summary>
    public required ZoneConfig Zone { get; init; }

    /// <summary>How data connections are made and bounded.</summary>
    public DataConfig Data { get; init; } = new();

    /// <summary>What clients of some networks are told in place of the zone's address (<c>ftp_proxy_ip</c>): the first line that matches decides.</summary>
    public ImmutableArray<ClientProxyAddressConfig> ProxyAddresses { get; init; } = [];

    /// <summary>TLS towards clients; null: none is offered, and no listener has <see cref="ListenConfig.IsTls"/>.</summary>
    public ClientTlsConfig? ClientTls { get; init; }

    /// <summary>TLS towards servers.</summary>
    public UpstreamTlsConfig UpstreamTls { get; init; } = new();

    /// <summary>The servers behind (<c>proxy_pass</c>); a plain address stands for a group of one. With a <see cref="Route"/>, the first of its places.</summary>
    public required UpstreamConfig Upstream { get; init; }

    /// <summary>How a place is chosen for each session, where <c>proxy_pass</c> holds variables; null: all sessions go to <see cref="Upstream"/>.</summary>
    public RouteConfig? Route { get; init; }

    /// <summary>The text of the 220 that clients see (<c>ftp_greeting</c>), ASCII; null: the server's own, and where there is none or it is hidden "FTP server ready". Default null.</summary>
    public string? Greeting { get; init; }

    /// <summary>Whether replies that tell what software a server is are replaced (<c>ftp_hide_server</c>). Default off.</summary>
    public bool HideServer { get; init; }

    /// <summary>A session is ended when its control channel carried nothing for so long while no data flowed (<c>proxy_timeout</c>). Default 10 minutes, as nginx.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The bound of one connection attempt to a server (<c>proxy_connect_timeout</c>). Default 60 s, as nginx.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a connected server may take to send its greeting (<c>ftp_banner_timeout</c>). Default 30 s: longer than the reverse look-ups that servers do first.</summary>
    public TimeSpan BannerTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a client may take from connecting to being logged in (<c>ftp_login_timeout</c>). Default 2 minutes: between vsftpd, which has no bound of its own, and ProFTPD's 5 minutes.</summary>
    public TimeSpan LoginTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Where connections to servers come from (<c>proxy_bind</c>); null lets the kernel choose.</summary>
    public BindConfig? Bind { get; init; }

    /// <summary>The header that control connections to servers begin with (<c>proxy_protocol</c>). Default none, as nginx.</summary>
    public ProxyProtocolVersion ProxyProtocol { get; init; }

    /// <summary>Whose PROXY headers say who a client is (<c>set_real_ip_from</c>), on listeners with <see cref="ListenConfig.ProxyProtocol"/>. Default nobody's, as nginx.</summary>
    public ImmutableArray<IPNetwork> RealIpFrom { get; init; } = [];

    /// <summary>How long a connection may take to send its PROXY header (<c>proxy_protocol_timeout</c>). Default 30 s, as nginx.</summary>
    public TimeSpan ProxyProtocolTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether the next server is tried when one fails before its greeting (<c>proxy_next_upstream</c>). Default on, as nginx.</summary>
    public bool NextUpstream { get; init; } = true;

    /// <summary>The bound of all attempts together (<c>proxy_next_upstream_timeout</c>); zero is none. Default none, as nginx.</summary>
    public TimeSpan NextUpstreamTimeout { get; init; }

    /// <summary>Most servers tried for one session (<c>proxy_next_upstream_tries</c>); 0 is all of them. Default 0, as nginx.</summary>
    public int NextUpstreamTries { get; init; }

    /// <summary>The line that a client is told when no server can be had and the upstream has none of its own (<c>ftp_sorry</c>): a code of 4xx or 5xx, a space and a text, 500 bytes at most.</summary>
    public string Sorry { get; init; } = DefaultSorry;

    /// <summary>TCP_NODELAY on control channels (<c>tcp_nodelay</c>). Default on, as nginx.</summary>
    public bool TcpNoDelay { get; init; } = true;

    /// <summary>TCP keep-alive on both control connections (<c>proxy_socket_keepalive</c>). Default on, unlike nginx: a control channel is silent for as long as a transfer lasts.</summary>
    public bool SocketKeepalive { get; init; } = true;

    /// <summary>Who may connect (<c>allow</c>, <c>deny</c>): the first rule that matches decides, none means yes, as nginx.</summary>
    public ImmutableArray<AccessRuleConfig> AccessRules { get; init; } = [];

    /// <summary>Where a line a session is written (<c>access_log</c>); null writes none.</summary>
    public AccessLogConfig? AccessLog { get; init; }

    /// <summary>Where a line a transfer is written (<c>ftp_transfer_log</c>); null writes none.</summary>
    public TransferLogConfig? TransferLog { get; init; }

    /// <summary>Where the block begins, for messages.</summary>
    public ConfigPosition Position { get; init; } = new("(code)", 0, 0);

    /// <summary>All that sessions may be led to.</summary>
    internal IEnumerable<UpstreamConfig> Places => Route is { } route ? route.Upstreams : [Upstream];
}

/// <summary>One address of a <c>listen</c> line; a range of ports is a line of its own for each.</summary>
/// <param name="EndPoint">Address and port. Port 0 (from code only) lets the kernel choose.</param>
/// <param name="Backlog">Connections that the kernel keeps waiting, at least 1 (<c>backlog=</c>). Default 511, as nginx.</param>
/// <param name="Position">Where the line is, for messages.</param>
/// <param name="IsTls">TLS from the first byte (<c>ssl</c>): implicit FTPS.</param>
/// <param name="ProxyProtocol">Every connection begins with a PROXY header (<c>proxy_protocol</c>), before any TLS.</param>
public sealed record ListenConfig(IPEndPoint EndPoint, int Backlog = 511, ConfigPosition Position = default, bool IsTls = false, bool ProxyProtocol = false);

/// <summary>What <c>ftp_ctrl</c> says: a table of ports on loan.</summary>
/// <param name="Name">The zone's name; with the port range it identifies the table over a reload.</param>
/// <param name="Size">Bytes; a lease counts 256, so this bounds the leases. At least 8192.</param>
/// <param name="ProxyAddress">The address that clients are told in a 227.</param>
/// <param name="MinPort">First port of the range, 1-65535.</param>
/// <param name="MaxPort">Last port of the range, at least <paramref name="MinPort"/>.</param>
public sealed record ZoneConfig(string Name, long Size, ProxyAddressConfig ProxyAddress, int MinPort, int MaxPort)
{
    /// <summary>What one lease counts against <see cref="Size"/>, in bytes.</summary>
    public const int LeaseSize = 256;

    /// <summary>How many leases the zone holds at a time.</summary>
    public int MaxLeases => (int)Math.Min(int.MaxValue, Size / LeaseSize);
}

/// <summary>One <c>allow</c> or <c>deny</c> line.</summary>
/// <param name="Allow">True for <c>allow</c>.</param>
/// <param name="Network">The clients that it speaks of; null for <c>all</c>.</param>
public sealed record AccessRuleConfig(bool Allow, IPNetwork? Network);
