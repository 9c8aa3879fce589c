namespace Ferry.Config;

/// <summary>The directives by which servers are told whose connections they get.</summary>
internal static partial class DirectiveTable
{
    private static IEnumerable<Directive> ProxyProtocolRows() =>
    [
        new("proxy_protocol", InBoth, "proxy_protocol on | v2 | off;", "off",
            "Begins every control connection to a server with a header of the PROXY protocol, before any TLS: the client's address and port, and those that it connected to. `on` is version 1, as in nginx; `v2` is version 2, with the session's id and what is known of the client's TLS. Servers must expect the header.")
        { ControlOnly = true, Set = static (b, n) => b.SetProxyProtocol(n, static (s, v) => s.ProxyProtocol = v) },
        new("proxy_protocol_data", InBoth, "proxy_protocol_data on | v2 | off;", "off",
            "The same for the data connections that Ferry opens to servers in passive mode. The header names what that of the control connection names. Those that servers open to Ferry have none.")
        { ControlOnly = true, Set = static (b, n) => b.SetProxyProtocol(n, static (s, v) => s.DataProxyProtocol = v) },
    ];
}
