using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.Config;
using Ferry.Transport;
using Ferry.Transport.Linux;

namespace Ferry.Hosting;

/// <summary>What a configuration needs where servers are to see their clients' addresses (<c>proxy_bind … transparent</c>).</summary>
internal static class TransparentPlan
{
    private static readonly (AddressFamily Family, Func<FerryConfig, string> Iptables)[] Families =
    [
        (AddressFamily.InterNetwork, static c => c.IptablesPath ?? "iptables"),
        (AddressFamily.InterNetworkV6, static c => c.Ip6tablesPath ?? "ip6tables"),
    ];

    private static readonly IPAddress[] AnyFamily = [IPAddress.Any, IPAddress.IPv6Any];

    /// <summary>Why this process cannot do it; nothing where it can, or need not.</summary>
    public static IEnumerable<ConfigDiagnostic> Check(FerryConfig config, ConfigSeverity severity)
    {
        var first = config.Servers.IsDefault ? null : config.Servers.Select(static s => s.Bind).FirstOrDefault(static b => b is { IsTransparent: true });
        if (first is null || SourceAddress.TryTransparency() is var error && error == SocketError.Success)
            yield break;
        var reason = error == SocketError.AccessDenied
            ? "is not permitted to this process: it needs root, CAP_NET_RAW or CAP_NET_ADMIN; under systemd, add CAP_NET_RAW to AmbientCapabilities= and CapabilityBoundingSet= of the unit"
            : $"does not work here: the kernel refuses it ({error})";
        yield return new ConfigDiagnostic(severity, first.Position, 1, $"\"transparent\" of \"proxy_bind\" {reason}", null);
    }

    /// <summary>The marks, beside what <see cref="RedirectPlan.Text"/> says of ranges; empty where none is needed.</summary>
    public static string Rules(FerryConfig config, RangeMethod method)
    {
        var families = FamiliesOf(config);
        return families.Length == 0 ? ""
            : method == RangeMethod.Iptables ? string.Concat(Families.Where(f => families.Contains(f.Family)).Select(f => TransparentRules.Iptables(f.Iptables(config), f.Family)))
            : TransparentRules.Nft;
    }

    /// <summary>The routes of what is marked, for a shell; empty where none is needed.</summary>
    public static string Routes(FerryConfig config) =>
        string.Concat(FamiliesOf(config).Select(f => TransparentRules.Routes(config.IpPath ?? "ip", f)));

    /// <summary>The families that clients come over, whose addresses the connections to servers have; both where only a variable knows.</summary>
    private static AddressFamily[] FamiliesOf(FerryConfig config) =>
    [
        .. config.Servers.Where(static s => s.Bind is { IsTransparent: true })
            .SelectMany(static s => s.Bind! switch
            {
                { Address: { } one } => [one],
                { Text.Parts: [{ IsVariable: true, Text: "remote_addr" }] } => s.Listens.SelectMany(ClientsOf),
                _ => AnyFamily,
            })
            .Select(static a => a.AddressFamily).Distinct().Order(),
    ];

    /// <summary>A balancer may bring clients of either family.</summary>
    private static IEnumerable<IPAddress> ClientsOf(ListenConfig listen) => listen.ProxyProtocol ? AnyFamily : [listen.EndPoint.Address];
}
