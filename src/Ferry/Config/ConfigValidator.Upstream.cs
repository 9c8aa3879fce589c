using System.Linq;

namespace Ferry.Config;

/// <summary>What the address of a server says of how it is spoken to.</summary>
internal sealed partial class ConfigValidator
{
    /// <summary>FTP over TLS from the first byte, by IANA's list.</summary>
    private const int ImplicitPort = 990;

    private void CheckServersBehind()
    {
        foreach (var server in main.Servers)
        {
            if (server is not { Control: not null, Route: { } route })
                continue;
            if ((server.ProxyPass?.Arguments ?? server.LookupWithin(main.Stream)?.Node.Arguments) is not [var target, ..])
                continue;
            foreach (var upstream in route.Upstreams)
            {
                CheckImplicit(server, target, upstream);
                CheckMode(server, target, upstream);
            }
        }
    }

    /// <summary>Such a server waits for a handshake, and its clients for a greeting, until the time is over.</summary>
    private void CheckImplicit(ServerDraft server, ConfigToken target, UpstreamConfig upstream)
    {
        var mode = server.Scope.Tls.ModeWithin(Outer);
        // Who writes that it is off knows.
        if (mode == UpstreamTls.Implicit || server.Scope.Tls.UpstreamSsl.Or(Outer.UpstreamSsl).IsSet
            || upstream.Servers.FirstOrDefault(s => s.Port == ImplicitPort) is not { } behind)
            return;
        findings.Warning(target,
            $"{Named(behind)} is on port {ImplicitPort}, where servers speak TLS from the first byte, and is spoken to {(mode == UpstreamTls.Off ? "in plain" : "in plain until AUTH")}: "
            + (mode == UpstreamTls.Off ? "add proxy_ssl on; or write the port of plain FTP, 21" : "write proxy_ssl on; for proxy_starttls, or port 21"));
    }

    /// <summary>A share that grows is a matter of turns: a method that chooses by a key or by chance has none, in nginx neither.</summary>
    private void CheckSlowStart(UpstreamDraft upstream)
    {
        if (upstream.Balance.TakesTurns())
            return;
        foreach (var word in upstream.SlowStartWords)
            findings.Error(word, $"\"slow_start\" needs a method by which servers take turns, and upstream {ConfigFindings.Show(upstream.Name)} has another: remove it here");
    }

    /// <summary>As nginx: whoever changes servers while it runs has them in one place.</summary>
    private void CheckState(UpstreamDraft upstream, ConfigNode state)
    {
        if (upstream.HasServerLine)
            findings.Error(state.Name, $"upstream {ConfigFindings.Show(upstream.Name)} has \"state\" and servers of its own: write the \"server\" lines into the state file, and leave them out here");
        if (upstream.Balance is BalanceMethod.Hash or BalanceMethod.ConsistentHash && upstream.StateServers.Any(s => s.Backup))
            findings.Error(state.Name, $"\"hash\" does not support \"backup\", which is in the state file of upstream {ConfigFindings.Show(upstream.Name)}");
        if (!upstream.Balance.TakesTurns() && upstream.StateServers.Any(s => s.SlowStart > TimeSpan.Zero))
            findings.Error(state.Name, $"\"slow_start\" needs a method by which servers take turns, and is in the state file of upstream {ConfigFindings.Show(upstream.Name)}");
    }

    private void CheckMode(ServerDraft server, ConfigToken target, UpstreamConfig upstream)
    {
        var mode = server.Scope.UpstreamMode.Or(main.Stream.UpstreamMode).Else(UpstreamDataMode.Client);
        if (mode is UpstreamDataMode.Pasv or UpstreamDataMode.Port && upstream.Servers.FirstOrDefault(s => s.Host.Contains(':')) is { } behind)
            findings.Warning(target,
                mode == UpstreamDataMode.Pasv
                    ? $"{Named(behind)} is reached over IPv6, where there is no PASV: write proxy_ftp_data passive; or epsv"
                    : $"{Named(behind)} is reached over IPv6, where there is no PORT: write proxy_ftp_data active; or eprt");
    }

    private static string Named(UpstreamServerConfig server) => $"server {ConfigFindings.Show(server.Text ?? server.Host)}";
}
