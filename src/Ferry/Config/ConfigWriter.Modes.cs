using System.Linq;
using System.Net.Sockets;

namespace Ferry.Config;

/// <summary>Who connects to whom for data, and the ports that are redirected.</summary>
internal sealed partial class ConfigWriter
{
    private void WriteRanges(FerryConfig config)
    {
        Line("range_method", ConfigBinder.RangeMethods.First(m => m.Method == config.RangeMethod).Word);
        WriteTool("iptables_path", config.IptablesPath);
        WriteTool("ip6tables_path", config.Ip6tablesPath);
        WriteTool("ip_path", config.IpPath);
        foreach (var range in config.Ranges)
        {
            Line([
                "range", "type=tcp", $"src_ports={range.First}:{range.Last}", $"dst_port={range.DestinationPort}",
                .. range.Family switch
                {
                    AddressFamily.InterNetwork => ["family=ipv4"],
                    AddressFamily.InterNetworkV6 => ["family=ipv6"],
                    _ => Array.Empty<string>(),
                },
            ]);
        }
    }

    private void WriteTool(string name, string? path)
    {
        if (path is not null)
            Line("range", Quote($"{name}={path}"));
    }

    private void WriteModes(ServerConfig server)
    {
        var data = server.Data;
        Line("proxy_ftp_data", ConfigBinder.DataModes.First(m => m.Mode == data.UpstreamMode).Word);
        Line("proxy_ftp_ports", $"{data.UpstreamPorts.First}-{data.UpstreamPorts.Last}");
        Line("ftp_active_source_port", data.ActiveSourcePort switch { null => "auto", 0 => "any", { } port => Number(port) });
        Line([
            "ftp_port_peer", .. data.ActivePeer.Policy switch
            {
                ActivePeerPolicy.Any => ["any"],
                _ when data.ActivePeer.Policy == ActivePeerPolicy.Control || data.ActivePeer.Networks.IsDefaultOrEmpty => ["control"],
                _ => data.ActivePeer.Networks.Select(n => n.ToString()),
            },
        ]);
        foreach (var line in server.ProxyAddresses)
            Line("ftp_proxy_ip", line.Clients.ToString(), Quote(Show(line.Address)));
    }

    /// <summary>Where data connections arrive: at each port of the zone, or at the one to which they are redirected.</summary>
    private void WriteDataListens(ServerConfig server)
    {
        var (zone, data) = (server.Zone, server.Data);
        var ports = data.RedirectPort is { } port ? Number(port) : $"{zone.MinPort}-{zone.MaxPort}";
        // A redirect needs a listener to lead to, though its addresses be those of the control server.
        var addresses = data.Addresses.IsEmpty && data.RedirectPort is not null ? server.Listens.Select(l => l.EndPoint.Address).Distinct() : data.Addresses;
        foreach (var address in addresses)
            Line(["listen", $"{ConfigValue.Show(address)}:{ports}", .. Ssl(data.TlsRequired)]);
        if (data.RedirectPort is not null)
            Line("njtmesh_dest", "on");
    }

    private static string Show(ProxyAddressConfig address) => address.Address?.ToString() ?? address.Name ?? "auto";
}
