using System.Collections.Immutable;
using System.Linq;
using System.Net;

namespace Ferry.Config;

/// <summary>How the data connections of a control server are made and bounded; from its own block and from the <c>ftp_data</c> block of its zone.</summary>
public sealed record DataConfig
{
    /// <summary>The addresses that passive ports are opened on, from the data server's <c>listen</c>; empty: the addresses of the control server.</summary>
    public ImmutableArray<IPAddress> Addresses { get; init; } = [];

    /// <summary>Who may use a passive port (<c>ftp_data_peer</c>). Default: the control connection's client only.</summary>
    public DataPeerPolicy Peer { get; init; } = DataPeerPolicy.Control;

    /// <summary>Which address of a server's 227 is dialled (<c>ftp_pasv_address</c>). Default: that of its control connection.</summary>
    public PassiveAddressConfig PassiveAddress { get; init; } = new(PassiveAddressPolicy.Control, []);

    /// <summary>How long a port waits for its client, and a client for its server's data port (<c>ftp_data_connect_timeout</c>). Default 60 s, as vsftpd's accept_timeout and connect_timeout.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A transfer that moves no byte for so long is cut (<c>ftp_data_timeout</c>, or <c>proxy_timeout</c> of the data server). Default 300 s, as vsftpd's data_connection_timeout.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>Most ports that one client address holds at a time (<c>ftp_client_ports</c>); 0: the whole range.</summary>
    public int MaxPortsPerClient { get; init; }

    /// <summary>Clear data is refused with 534 (<c>ssl</c> on the data server's <c>listen</c>). Default off.</summary>
    public bool TlsRequired { get; init; }

    /// <summary>What is taken for the end of a TLS stream (<c>ftp_tls_truncation</c>). Default strict: half a file never looks like a whole one.</summary>
    public TlsTruncation Truncation { get; init; }

    /// <summary>How data connections to servers are made (<c>proxy_ftp_data</c>). Default: as the client asks for its own.</summary>
    public UpstreamDataMode UpstreamMode { get; init; }

    /// <summary>The header that data connections to servers in passive mode begin with (<c>proxy_protocol_data</c>). Default none.</summary>
    public ProxyProtocolVersion ProxyProtocol { get; init; }

    /// <summary>The ports that servers are told to connect to (<c>proxy_ftp_ports</c>). Default 49152-65535, the dynamic ports (RFC 6335 §6).</summary>
    public PortRangeConfig UpstreamPorts { get; init; } = new(49152, 65535);

    /// <summary>Which addresses a client's PORT or EPRT may name (<c>ftp_port_peer</c>). Default: its own.</summary>
    public ActivePeerConfig ActivePeer { get; init; } = new(ActivePeerPolicy.Control, []);

    /// <summary>The port that data connections to clients come from (<c>ftp_active_source_port</c>); 0: any; null: the one below the control listener's, where it may be
    /// bound (RFC 959 §3.2). Default null.</summary>
    public int? ActiveSourcePort { get; init; }

    /// <summary>The port that connections to all ports of the zone are redirected to (<c>njtmesh_dest</c> or <c>mesh</c>, with <c>range</c>); null: each port is opened by itself.</summary>
    public int? RedirectPort { get; init; }

    /// <summary>Who may open data connections: the <c>allow</c> and <c>deny</c> lines of the data server.</summary>
    public ImmutableArray<AccessRuleConfig> AccessRules { get; init; } = [];
}

/// <summary>Who may use a passive port.</summary>
public enum DataPeerPolicy
{
    /// <summary>Only the address that the control connection came from: the client's, and that of the balancer that it came through. Clients of one balancer share no port.</summary>
    Control,

    /// <summary>Any address, for clients whose data comes by another way; a port then has one lease at a time.</summary>
    Any,

    /// <summary>Only the client's own address, also where its control connection came through a balancer.</summary>
    Client,
}

/// <summary>Which address of a server's 227 is dialled.</summary>
public enum PassiveAddressPolicy
{
    /// <summary>Never the announced one: always the server of the control connection.</summary>
    Control,

    /// <summary>The announced one where it lies in a listed network, else the server of the control connection.</summary>
    Networks,

    /// <summary>The announced one.</summary>
    Trust,
}

/// <summary>What <c>ftp_pasv_address</c> says.</summary>
/// <param name="Policy">Which address is dialled.</param>
/// <param name="Networks">The networks of <see cref="PassiveAddressPolicy.Networks"/>; else empty.</param>
public sealed record PassiveAddressConfig(PassiveAddressPolicy Policy, ImmutableArray<IPNetwork> Networks)
{
    /// <summary>Whether an address that a server announces is gone to, in place of its own.</summary>
    internal bool Trusts(IPAddress announced) => Policy == PassiveAddressPolicy.Trust || (Policy == PassiveAddressPolicy.Networks && Networks.Any(n => n.Contains(announced)));
}
