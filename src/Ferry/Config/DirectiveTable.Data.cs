namespace Ferry.Config;

/// <summary>The directives that do something: who connects to whom for data, and which ports are redirected.</summary>
internal static partial class DirectiveTable
{
    private static IEnumerable<Directive> DataRows() =>
    [
        new("ftp_proxy_ip", InBoth, "ftp_proxy_ip NETWORK ADDR | NAME | auto;", "none",
            "Tells clients of a network another address than `proxy_ip`, with the same words. The first line that matches decides; where none does, it is `proxy_ip`. Lines of a server replace those of `stream`.")
        { MinArguments = 2, MaxArguments = 2, Repeats = true, ControlOnly = true, Set = (b, n) => b.SetProxyAddress(n) },
        new("ftp_active_source_port", InBoth, "ftp_active_source_port PORT | any | auto;", "auto",
            "The port that data connections to clients in active mode come from. `auto` is the one below that of the control listener: 20 for 21, as FTP has it, and 989 for 990; for a client behind a balancer of `set_real_ip_from`, below the port that it has connected to there. Where it may not be bound, any is used; ports below 1024 need root or CAP_NET_BIND_SERVICE. With `any` the kernel chooses.")
        { ControlOnly = true, Set = (b, n) => b.SetActiveSourcePort(n) },
        new("ftp_port_peer", InBoth, "ftp_port_peer control | any | NETWORK ...;", "control",
            "Which addresses a client's PORT or EPRT may name: only the one that its control connection comes from, any, or that one and those in the networks. Everything but `control` lets clients have Ferry connect to others (FXP, and the bounce attack of RFC 2577). Ports below 1024 are refused always.")
        { MaxArguments = 256, ControlOnly = true, Set = (b, n) => b.SetActivePeer(n) },
        new("proxy_ftp_data", InBoth, "proxy_ftp_data client | passive | active | epsv | pasv | port | eprt;", "client",
            "How data connections to servers are made, whatever the client asks for its own. `client`: the same way, and for clients in active mode passively where the server knows only that. `passive`: Ferry connects to the server, by PASV or EPSV. `active`: the server connects to Ferry, by PORT or EPRT. Of two commands the other is tried where a server knows the first not, and that is remembered for the session; `epsv`, `pasv`, `port` and `eprt` are that command and no other. Servers reached over IPv6 are asked by EPSV and EPRT only.")
        { ControlOnly = true, Set = (b, n) => b.SetDataMode(n) },
        new("proxy_ftp_ports", InBoth, "proxy_ftp_ports PORT-PORT;", "49152-65535",
            "The ports that servers connect to in active mode, on the address that Ferry has towards the server (`proxy_bind`). Only the server of the session is let in.")
        { ControlOnly = true, Set = (b, n) => b.SetUpstreamPorts(n) },
    ];

    private static IEnumerable<Directive> RangeRows() =>
    [
        new("range", InMain, "range type=tcp | udp src_ports=PORT[:PORT] dst_port=PORT [family=ipv4 | ipv6] | iptables_path=FILE | ip6tables_path=FILE | ip_path=FILE;", "none",
            "Redirects a range of ports to the port of a data server with `njtmesh_dest on`, so that one listener serves the whole range. Ferry makes the rules when it starts and takes them away when it ends. Without `family=` it is both; `type=udp` is accepted and does nothing. No other listener may be among the ports, and no two lines may have a port in common. A line that leads to no such data server redirects nothing, with a warning. The other form says where the programs of `range_method` are.")
        { MinArguments = 0, MaxArguments = Directive.Many, Repeats = true, Set = (b, n) => b.SetRange(n) },
        new("range_method", InMain, "range_method auto | nft | iptables | tproxy | none;", "auto",
            "How ports are redirected: by a table of nftables, by chains of iptables and ip6tables, by TPROXY, which needs no connection tracking, or by rules of your own (`none`), which `ferryd rules` prints. `auto` is iptables where a `range` line says where that is, and else nft where it works, and iptables where it does not. With `none` and no `range` line at all, nothing is checked.")
        { Set = (b, n) => b.SetRangeMethod(n) },
    ];
}
