using System.Collections.Immutable;
using System.Globalization;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ferry.Config;
using Ferry.Transport.Linux;

namespace Ferry.Hosting;

/// <summary>What a configuration wants of single ports: where they listen, and what the kernel brings there.</summary>
internal static class RedirectPlan
{
    /// <summary>Where the single port of a server listens: on its data addresses, and where these lack a family, on its control addresses of that family.</summary>
    public static ImmutableArray<IPEndPoint> EndPoints(ServerConfig server)
    {
        if (server.Data.RedirectPort is not { } port)
            return [];
        var data = server.Data.Addresses;
        var addresses = data.Concat(server.Listens.Select(static l => l.EndPoint.Address).Where(a => !data.Any(d => d.AddressFamily == a.AddressFamily))).Distinct().ToArray();
        // The unspecified address is every other one of its family, and the kernel gives a port to one of the two only.
        return [.. addresses.Where(a => IsAny(a) || !addresses.Any(o => IsAny(o) && o.AddressFamily == a.AddressFamily)).Select(a => new IPEndPoint(a, port))];
    }

    /// <summary>What the kernel is to do for these ranges.</summary>
    public static ImmutableArray<RedirectRule> Rules(FerryConfig config, IEnumerable<RangeConfig> ranges) =>
    [
        .. ranges.SelectMany(r => Listeners(config, r).Select(l => new RedirectRule(r.DestinationPort, l.AddressFamily, IsAny(l.Address) ? null : l.Address, r.First, r.Last)))
            .Distinct(),
    ];

    /// <summary>Ranges for which nothing listens.</summary>
    public static IEnumerable<RangeConfig> Unused(FerryConfig config, IEnumerable<RangeConfig> ranges) => ranges.Where(r => !Listeners(config, r).Any());

    /// <summary>The rules as text, for an operator who installs them.</summary>
    public static string Text(FerryConfig config, RangeMethod method)
    {
        var text = new StringBuilder();
        var ports = Rules(config, config.Ranges).GroupBy(static r => r.DestinationPort).OrderBy(static g => g.Key).ToArray();
        if (method == RangeMethod.Iptables)
        {
            foreach (var (family, program) in ((AddressFamily, string)[])
                [(AddressFamily.InterNetwork, config.IptablesPath ?? "iptables"), (AddressFamily.InterNetworkV6, config.Ip6tablesPath ?? "ip6tables")])
            {
                var chains = ports.Select(g => (g.Key, Rules: g.Where(r => r.Family == family).ToArray())).Where(static c => c.Rules.Length > 0).ToArray();
                if (chains.Length == 0)
                    continue;
                // Run twice, it must not jump twice.
                foreach (var (port, _) in chains)
                {
                    foreach (var jump in IptablesTool.Jumps)
                        text.Append(CultureInfo.InvariantCulture, $"while {program} -w 5 -t nat -D {jump} -j {NetfilterRules.Chain(port)} 2>/dev/null; do :; done\n");
                }
                var own = string.Concat(chains.Select(static c => NetfilterRules.Iptables(c.Key, c.Rules, IptablesTool.Jumps)));
                text.Append(CultureInfo.InvariantCulture, $"{program}-restore --noflush -w 5 <<'END'\n{NetfilterRules.NatTable(own)}END\n");
            }
            return text.ToString();
        }
        foreach (var port in ports)
            text.Append(NetfilterRules.NftRemoval(port.Key)).Append(method == RangeMethod.Tproxy ? NetfilterRules.Tproxy(port.Key, port) : NetfilterRules.Nft(port.Key, port));
        return text.ToString();
    }

    private static IEnumerable<IPEndPoint> Listeners(FerryConfig config, RangeConfig range) =>
        config.Servers.Where(s => s.Data.RedirectPort == range.DestinationPort).SelectMany(static s => EndPoints(s))
            .Where(e => range.Family is not { } family || e.AddressFamily == family);

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
}
