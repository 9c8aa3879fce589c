using System.Globalization;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ferry.Transport.Linux;

/// <summary>
/// The text of the rules that bring a range of ports to one, for the programs nft and iptables-restore. All that belongs to a destination
/// port lies in a table or chain of its own. Only the port is changed, so that the connection arrives on the address that was dialled.
/// </summary>
internal static class NetfilterRules
{
    /// <summary>The table of nftables that holds the rules of a destination port.</summary>
    public static string Table(int port) => string.Create(CultureInfo.InvariantCulture, $"ferry_{port}");

    /// <summary>The chain of iptables that holds them.</summary>
    public static string Chain(int port) => string.Create(CultureInfo.InvariantCulture, $"FERRY-{port}");

    /// <summary>For nft: takes the table away, be it there or not.</summary>
    public static string NftRemoval(int port) => $"table inet {Table(port)} {{}}\ndelete table inet {Table(port)}\n";

    /// <summary>For nft: the table, in which the destination port is changed. The output chain is for clients on this machine.</summary>
    public static string Nft(int port, IEnumerable<RedirectRule> rules)
    {
        var lines = string.Concat(rules.Select(r => $"\t\t{NftMatch(r)} dnat to :{Text(port)}\n"));
        return $"table inet {Table(port)} {{\n"
            + $"\tchain prerouting {{\n\t\ttype nat hook prerouting priority -100; policy accept;\n{lines}\t}}\n"
            + $"\tchain output {{\n\t\ttype nat hook output priority -100; policy accept;\n{lines}\t}}\n"
            + "}\n";
    }

    /// <summary>For nft: the table, in which connections are handed to the listener as they are. Clients on this machine come through the same hook. The destination
    /// is an address of this machine, so that no mark and no routing rule is needed for the packet to stay.</summary>
    public static string Tproxy(int port, IEnumerable<RedirectRule> rules)
    {
        var lines = string.Concat(rules.Select(r => $"\t\t{NftMatch(r)} tproxy {NftFamily(r)} to :{Text(port)}\n"));
        return $"table inet {Table(port)} {{\n"
            + $"\tchain prerouting {{\n\t\ttype filter hook prerouting priority -150; policy accept;\n{lines}\t}}\n"
            + "}\n";
    }

    /// <summary>For iptables-restore --noflush and the like: the chain anew, with what it holds, and its jumps.</summary>
    /// <param name="port">The destination port.</param>
    /// <param name="rules">Rules of one family; none takes the chain away.</param>
    /// <param name="jumps">From where to jump: the chains that do not do it yet, or, without rules, those that still do.</param>
    public static string Iptables(int port, IReadOnlyCollection<RedirectRule> rules, IEnumerable<string> jumps)
    {
        // Naming a chain makes it, or empties the one that is there.
        var text = new StringBuilder($":{Chain(port)} - [0:0]\n");
        foreach (var rule in rules)
        {
            var ports = rule.First == rule.Last ? Text(rule.First) : $"{Text(rule.First)}:{Text(rule.Last)}";
            var address = rule.Address is null ? "-m addrtype --dst-type LOCAL" : $"-d {Text(rule.Address)}";
            text.Append(CultureInfo.InvariantCulture, $"-A {Chain(port)} {address} -p tcp -m tcp --dport {ports} -j DNAT --to-destination :{port}\n");
        }
        foreach (var jump in jumps)
            text.Append(CultureInfo.InvariantCulture, $"{(rules.Count == 0 ? "-D" : "-A")} {jump} -j {Chain(port)}\n");
        if (rules.Count == 0)
            text.Append(CultureInfo.InvariantCulture, $"-X {Chain(port)}\n");
        return text.ToString();
    }

    /// <summary>What the chains of iptables are put into.</summary>
    public static string NatTable(string text) => $"*nat\n{text}COMMIT\n";

    private static string NftMatch(RedirectRule rule)
    {
        var ports = rule.First == rule.Last ? Text(rule.First) : $"{Text(rule.First)}-{Text(rule.Last)}";
        var address = rule.Address is null
            ? $"meta nfproto {(rule.Family == AddressFamily.InterNetworkV6 ? "ipv6" : "ipv4")} fib daddr type local"
            : $"{NftFamily(rule)} daddr {Text(rule.Address)}";
        return $"{address} tcp dport {ports}";
    }

    private static string NftFamily(RedirectRule rule) => rule.Family == AddressFamily.InterNetworkV6 ? "ip6" : "ip";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    // A scope (fe80::1%2) is this machine's own matter, and no part of the address in a packet.
    private static string Text(IPAddress address) => new IPAddress(address.GetAddressBytes()).ToString();
}
