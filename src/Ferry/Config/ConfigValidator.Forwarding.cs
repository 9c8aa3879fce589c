namespace Ferry.Config;

/// <summary>PROXY headers of clients: what is asked for but acts nowhere, and what acts but is not asked for.</summary>
internal sealed partial class ConfigValidator
{
    private void CheckForwarding()
    {
        foreach (var server in main.Servers)
        {
            if (server.Data is not null)
                CheckDataHeaders(server);
            else if (server.Control is not null)
                CheckHeaders(server);
        }
        if (main.Stream.RealIpFrom is [var (word, _), ..] && !main.Servers.Exists(s => s.Data is null && ExpectsHeader(s)))
            findings.Warning(word, NoHeader("server"));
    }

    private void CheckDataHeaders(ServerDraft server)
    {
        if (server.Listens.Find(static l => l.ProxyProtocol is not null) is { ProxyProtocol: { } word })
        {
            findings.Error(word,
                "\"proxy_protocol\" cannot be on a \"listen\" of an \"ftp_data\" server: have the balancer pass data ports on without a header, "
                + "and name it in \"set_real_ip_from\" of the \"ftp_ctrl\" server, whose sessions then take data from it too");
        }
    }

    private void CheckHeaders(ServerDraft server)
    {
        var (own, trusted) = (server.Scope.RealIpFrom, server.Scope.RealIpFrom.Count > 0 ? server.Scope.RealIpFrom : main.Stream.RealIpFrom);
        if (!ExpectsHeader(server) && own is [var (word, _), ..])
            findings.Warning(word, NoHeader("\"listen\" of this server"));
        else if (trusted.Count == 0 && server.Listens.Find(static l => l.ProxyProtocol is not null) is { ProxyProtocol: { } parameter })
        {
            findings.Warning(parameter,
                "the headers of \"proxy_protocol\" are read, but nobody is believed, so all clients have the balancer's address: add set_real_ip_from with that");
        }
    }

    private static bool ExpectsHeader(ServerDraft server) => server.Listens.Exists(static l => l.ProxyProtocol is not null);

    private static string NoHeader(string where) => $"\"set_real_ip_from\" has no effect: no {where} has \"proxy_protocol\"";
}
