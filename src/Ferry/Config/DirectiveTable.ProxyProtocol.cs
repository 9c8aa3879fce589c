namespace Ferry.Config;

/// <summary>The directives by which servers are told whose connections they get, and Ferry is.</summary>
internal static partial class DirectiveTable
{
    private static IEnumerable<Directive> ProxyProtocolRows() =>
    [
        new("proxy_protocol", InBoth, "proxy_protocol on | v2 | off;", "off",
            "Begins every control connection to a server with a header of the PROXY protocol, before any TLS: the client's address and port, and those that it connected to, both as a balancer of `set_real_ip_from` names them where it came through one. `on` is version 1, as in nginx; `v2` is version 2, with the session's id and what is known of the client's TLS. Servers must expect the header.")
        { ControlOnly = true, Set = static (b, n) => b.SetProxyProtocol(n, static (s, v) => s.ProxyProtocol = v) },
        new("proxy_protocol_data", InBoth, "proxy_protocol_data on | v2 | off;", "off",
            "The same for the data connections that Ferry opens to servers in passive mode. The header names what that of the control connection names. Those that servers open to Ferry have none.")
        { ControlOnly = true, Set = static (b, n) => b.SetProxyProtocol(n, static (s, v) => s.DataProxyProtocol = v) },
        new("set_real_ip_from", InBoth, "set_real_ip_from ADDR | NETWORK | unix:;", "none",
            "Balancers in front whose PROXY headers are believed, on a `listen` with `proxy_protocol`: the client is who such a header names, for everything that Ferry does. Headers of others are read, and their words are in `$proxy_protocol_addr` and its like, but the client stays who has connected. Lines of a server replace those of `stream`. `unix:` names nobody here.")
        { Repeats = true, ControlOnly = true, Set = static (b, n) => b.SetRealIpFrom(n) },
        new("proxy_protocol_timeout", InBoth, "proxy_protocol_timeout TIME;", "30s",
            "How long a client may take to send its whole PROXY header, on a `listen` with `proxy_protocol`; then the connection is closed.")
        { ControlOnly = true, Set = static (b, n) => b.SetProxyProtocolTimeout(n) },
    ];
}
