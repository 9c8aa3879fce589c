namespace Ferry.Config;

/// <summary>Whose word on clients is taken.</summary>
internal sealed partial class ConfigWriter
{
    private void WriteForwarding(ServerConfig server)
    {
        Line("proxy_protocol_timeout", Time(server.ProxyProtocolTimeout));
        foreach (var network in server.RealIpFrom)
            Line("set_real_ip_from", network.ToString());
    }
}
