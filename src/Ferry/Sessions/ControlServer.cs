using System.Net;
using System.Net.Sockets;
using Ferry.Config;
using Ferry.Telemetry;
using Ferry.Transport;
using Ferry.Transport.Tls;
using Ferry.Upstreams;
using Microsoft.Extensions.Logging;

namespace Ferry.Sessions;

/// <summary>A <c>server</c> block at work: what all its sessions share. It lives as long as its generation's last session.</summary>
internal sealed class ControlServer
{
    public required ServerConfig Config { get; init; }

    public required UpstreamGroup Upstreams { get; init; }

    /// <summary>All places that the configuration's route may lead to, by name; empty where it has none.</summary>
    public IReadOnlyDictionary<string, RoutePlace> Places { get; init; } = new Dictionary<string, RoutePlace>();

    /// <summary>The variables that the configuration defines.</summary>
    public VariableTable Variables { get; init; } = VariableTable.Empty;

    /// <summary>The service that says where users belong; null: none is asked.</summary>
    public RouteLookup? Lookup { get; init; }

    /// <summary>How long its servers take to refuse a login.</summary>
    public LoginPace LoginPace { get; } = new();

    public required PortPool Ports { get; init; }

    public required AnnouncedAddresses Announced { get; init; }

    /// <summary>Ports that servers connect to.</summary>
    public required PortPool UpstreamPorts { get; init; }

    /// <summary>Null where clients are offered no TLS.</summary>
    public ReloadingTlsContext? ClientTls { get; init; }

    /// <summary>Null where servers are spoken to in clear.</summary>
    public ReloadingTlsContext? UpstreamTls { get; init; }

    /// <summary>Who servers should be.</summary>
    public TlsPeerName PeerName { get; init; } = TlsPeerName.Any;

    public required LingeringLegs Lingering { get; init; }

    public required FerryMetrics Metrics { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILogger Logger { get; init; }

    /// <summary>Null where <c>access_log</c> is off.</summary>
    public AccessLog? AccessLog { get; init; }

    /// <summary>Null where <c>ftp_transfer_log</c> is off.</summary>
    public TransferLog? TransferLog { get; init; }

    /// <summary>The address that passive ports are opened on for a client of this control connection.</summary>
    /// <param name="controlLocal">The address that the client connected to.</param>
    /// <param name="listener">The address that the control listener is bound to.</param>
    public IPAddress DataAddress(IPAddress controlLocal, IPAddress listener)
    {
        foreach (var address in Config.Data.Addresses)
        {
            if (address.Equals(controlLocal) || (address.AddressFamily == controlLocal.AddressFamily && IsUnspecified(address)))
                return address;
        }
        foreach (var address in Config.Data.Addresses)
        {
            if (address.AddressFamily == controlLocal.AddressFamily)
                return address;
        }
        return listener.AddressFamily == controlLocal.AddressFamily ? listener : controlLocal;
    }

    private static bool IsUnspecified(IPAddress address) =>
        address.Equals(address.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any);
}
