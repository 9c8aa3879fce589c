using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace Ferry.Config;

/// <summary>How data connections to servers are made (<c>proxy_ftp_data</c>).</summary>
public enum UpstreamDataMode
{
    /// <summary>As the client asks for its own.</summary>
    Client,

    /// <summary>Ferry connects to the server: PASV or EPSV, whichever the server knows.</summary>
    Passive,

    /// <summary>The server connects to Ferry: PORT or EPRT, whichever the server knows.</summary>
    Active,

    /// <summary>PASV and nothing else.</summary>
    Pasv,

    /// <summary>EPSV and nothing else.</summary>
    Epsv,

    /// <summary>PORT and nothing else.</summary>
    Port,

    /// <summary>EPRT and nothing else.</summary>
    Eprt,
}

/// <summary>A range of ports.</summary>
/// <param name="First">The first port, 1-65535.</param>
/// <param name="Last">The last port, at least <paramref name="First"/>.</param>
public sealed record PortRangeConfig(int First, int Last);

/// <summary>Which addresses a client's PORT or EPRT may name.</summary>
public enum ActivePeerPolicy
{
    /// <summary>Only the address that the control connection came from, so that nobody can have Ferry connect to a third party (RFC 2577 §3).</summary>
    Control,

    /// <summary>That one, and those in listed networks.</summary>
    Networks,

    /// <summary>Any address.</summary>
    Any,
}

/// <summary>What <c>ftp_port_peer</c> says. Ports below 1024 are refused in every case.</summary>
/// <param name="Policy">Which addresses may be named.</param>
/// <param name="Networks">The networks of <see cref="ActivePeerPolicy.Networks"/>; else empty.</param>
public sealed record ActivePeerConfig(ActivePeerPolicy Policy, ImmutableArray<IPNetwork> Networks);

/// <summary>An address that clients are told: one that is written, one that a name stands for, or the one that the client has connected to.</summary>
/// <param name="Address">The address; null with a name, and for the address that the client has connected to.</param>
/// <param name="Name">A host name, resolved when the configuration is loaded; null without one.</param>
public sealed record ProxyAddressConfig(IPAddress? Address, string? Name = null)
{
    /// <summary>The address that the client has connected to (<c>proxy_ip=auto</c>).</summary>
    public static ProxyAddressConfig Auto { get; } = new(null, null);

    /// <summary>Where the name is, for messages.</summary>
    public ConfigPosition Position { get; init; } = new("(code)", 0, 0);

    /// <summary>The line of the file that it is in, for the picture of a mistake; null where there is none to show.</summary>
    internal string? SourceLine { get; init; }

    /// <summary>Neither an address nor a name is given.</summary>
    public bool IsAuto => Address is null && Name is null;

    /// <summary>The form for an address.</summary>
    public static implicit operator ProxyAddressConfig(IPAddress address) => new(address);
}

/// <summary>One <c>ftp_proxy_ip</c> line: clients of a network are told an address of their own.</summary>
/// <param name="Clients">The clients.</param>
/// <param name="Address">What they are told.</param>
public sealed record ClientProxyAddressConfig(IPNetwork Clients, ProxyAddressConfig Address);

/// <summary>How connections to a range of ports are brought to one (<c>range_method</c>).</summary>
public enum RangeMethod
{
    /// <summary>nft where it works, else iptables.</summary>
    Auto,

    /// <summary>A table of nftables.</summary>
    Nft,

    /// <summary>Chains of iptables and ip6tables.</summary>
    Iptables,

    /// <summary>TPROXY with nftables: without connection tracking.</summary>
    Tproxy,

    /// <summary>The operator has made the rules.</summary>
    None,
}

/// <summary>One <c>range</c> line: a range of ports that one listener serves.</summary>
/// <param name="First">The first port, 1-65535.</param>
/// <param name="Last">The last port, at least <paramref name="First"/>.</param>
/// <param name="DestinationPort">The port of the listener.</param>
/// <param name="Family">Only connections of this family; null: both.</param>
/// <param name="Position">Where the line is, for messages.</param>
public sealed record RangeConfig(int First, int Last, int DestinationPort, AddressFamily? Family = null, ConfigPosition Position = default);
