namespace Ferry.Config;

/// <summary>The directives that say how a server is chosen.</summary>
internal static partial class DirectiveTable
{
    private static IEnumerable<Directive> BalancingRows() =>
    [
        new("hash", InUpstream, "hash KEY [consistent];", "none",
            "The same key leads to the same server. With `consistent`, few clients move when a server comes or goes (ketama, with the points of nginx, so that both choose alike). The key is a text with variables, such as `$remote_addr`; where it is empty, servers take turns.")
        { MaxArguments = 2, Repeats = true, Set = (b, n) => b.SetHash(n) },
        new("least_conn", InUpstream, "least_conn;", "none",
            "The server with the fewest sessions for its weight; among equals they take turns. Sessions of an earlier configuration that still run count too.")
        { MinArguments = 0, MaxArguments = 0, Repeats = true, Set = (b, n) => b.SetLeastConn(n) },
        new("random", InUpstream, "random [two [least_conn]];", "none",
            "A server by chance, in proportion to the weights. With `two`, of two different ones that with fewer sessions for its weight.")
        { MinArguments = 0, MaxArguments = 2, Repeats = true, Set = (b, n) => b.SetRandom(n) },
        new("balance", InUpstream, "balance rr | wrr | lc | wlc | sed | nq | sh | dh | lblc | lblcr | mh | ovf | fo;", "none",
            "A scheduler of LVS, by its name there; see [Choosing a server](#choosing-a-server).")
        { Repeats = true, Set = (b, n) => b.SetBalance(n) },
        new("sticky", InUpstream, "sticky KEY [timeout=TIME] [netmask=BITS | MASK] [prefix6=BITS] [entries=NUMBER];", "none",
            "Sends a key to the server that it had last, as long as its next session begins within the timeout, whatever the method; as LVS's persistence. A key whose server is down, failed, full or gone is moved, and stays with the new one. `timeout=300s` runs anew with each session. `netmask=32` (or 255.255.255.255) and `prefix6=128`: so many bits of the client's address count where the key has `$remote_addr` or `$binary_remote_addr`. `entries=65536`: most keys that are remembered; beyond them the one that was not used for longest goes. All of it survives a reload.")
        { MaxArguments = 5, Set = (b, n) => b.SetSticky(n) },
    ];
}
