using System.Globalization;
using System.Net.Sockets;

namespace Ferry.Transport.Linux;

/// <summary>
/// The text of the rules that keep on this machine what is addressed to somebody else and belongs to a socket of Ferry's: packets get a mark by which they are
/// routed as this machine's own. One bit of the mark is used, so that others may use the rest; the table and the place among the routing rules have one number.
/// </summary>
internal static class TransparentRules
{
    private const string Table = "ferry_transparent";
    private const string Chain = "FERRY-TRANSPARENT";
    private const string Mark = "0x1000";
    private const int Number = 2121;

    /// <summary>For <c>nft -f -</c>: the table anew.</summary>
    // Errors (ICMP) name the socket's packet, and with it the greatest packet that a way takes: without them transfers stand still behind a narrow one.
    // A listener on every address would match what is only forwarded to its port. It is asked for in a rule of its own: of half-open and of
    // closing connections the kernel cannot say it, and a rule that asks ends there.
    public static string Nft =>
        $"table inet {Table} {{}}\ndelete table inet {Table}\n"
        + $"table inet {Table} {{\n\tchain prerouting {{\n\t\ttype filter hook prerouting priority -150; policy accept;\n"
        + $"\t\tmeta l4proto tcp socket wildcard 1 return\n\t\tmeta l4proto {{ tcp, icmp, icmpv6 }} socket transparent 1 meta mark set meta mark | {Mark}\n"
        + "\t}\n}\n";

    /// <summary>For a shell: the same for iptables or ip6tables, whose match leaves such listeners out by itself.</summary>
    public static string Iptables(string program, AddressFamily family) =>
        $"while {program} -w 5 -t mangle -D PREROUTING -j {Chain} 2>/dev/null; do :; done\n"
        + $"{program}-restore --noflush -w 5 <<'END'\n*mangle\n:{Chain} - [0:0]\n"
        + $"-A {Chain} -p tcp -m socket --transparent -j MARK --set-xmark {Mark}/{Mark}\n"
        + $"-A {Chain} -p {(family == AddressFamily.InterNetworkV6 ? "icmpv6" : "icmp")} -m socket --transparent -j MARK --set-xmark {Mark}/{Mark}\n-A PREROUTING -j {Chain}\nCOMMIT\nEND\n";

    /// <summary>For a shell: the routing of what is marked.</summary>
    public static string Routes(string program, AddressFamily family)
    {
        var ip = $"{program} {(family == AddressFamily.InterNetworkV6 ? "-6" : "-4")}";
        var rule = string.Create(CultureInfo.InvariantCulture, $"pref {Number} fwmark {Mark}/{Mark} lookup {Number}");
        return string.Create(CultureInfo.InvariantCulture,
            $"while {ip} rule del {rule} 2>/dev/null; do :; done\n{ip} rule add {rule}\n{ip} route replace local default dev lo table {Number}\n");
    }
}
