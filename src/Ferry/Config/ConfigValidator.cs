using System.Linq;

namespace Ferry.Config;

/// <summary>Checks what no directive can tell alone: the servers.</summary>
internal sealed partial class ConfigValidator(MainDraft main, ConfigSource source, ConfigFindings findings)
{
    // Each is far beyond what is run, and keeps the comparison of each with each short.
    private const int MostServers = 1000;
    private const int MostUpstreams = 10_000;
    private const int MostListens = 4096;
    private const int MostRanges = 1000;

    /// <summary>Sockets that all control servers together listen on.</summary>
    private const int MostControlPorts = 4096;

    public static void Validate(MainDraft main, ConfigSource source, ConfigFindings findings)
    {
        var validator = new ConfigValidator(main, source, findings);
        if (!validator.IsOfUsualSize())
            return;
        foreach (var upstream in main.Upstreams)
            validator.CheckUpstream(upstream);
        foreach (var server in main.Servers)
            validator.CheckServer(server);
        validator.CheckZoneNames();
        validator.CheckDataServers();
        validator.CheckTls();
        validator.CheckForwarding();
        validator.CheckServersBehind();
        validator.CheckListens();
        validator.CheckZonePorts();
        validator.CheckRanges();
        // Said last, and only where nothing else explains it.
        if (main.Servers.Count == 0 && !findings.HasErrors)
            findings.Error(source, 0, 1, "there is no server: Ferry needs a \"stream\" block with a \"server\" that has \"ftp_ctrl\"");
    }

    private bool IsOfUsualSize()
    {
        var controlPorts = main.Servers.Where(s => s.Data is null).Sum(s => s.Listens.Sum(l => (long)(l.Last - l.First + 1)));
        var tooMany = main.Servers.Count > MostServers ? $"more than {MostServers} servers"
            : main.Upstreams.Count > MostUpstreams ? $"more than {MostUpstreams} upstreams"
            : main.Servers.Sum(s => s.Listens.Count) > MostListens ? $"more than {MostListens} listen lines"
            : controlPorts > MostControlPorts ? $"more than {MostControlPorts} ports of control servers"
            : main.Ranges.Count > MostRanges ? $"more than {MostRanges} range lines"
            : null;
        if (tooMany is not null)
            findings.Error(source, 0, 1, $"this configuration has {tooMany}");
        return tooMany is null;
    }

    private void CheckUpstream(UpstreamDraft upstream)
    {
        var name = upstream.Node.Name;
        var shown = ConfigFindings.Show(upstream.Name);
        if (upstream.State is not null)
            CheckState(upstream, upstream.State);
        else if (!upstream.HasServerLine)
            findings.Error(name, $"upstream {shown} has no server");
        else if (upstream.Servers.Count > 0 && upstream.Servers.TrueForAll(s => s.Backup))
            findings.Error(name, $"upstream {shown} has backup servers only: one server at least must be without \"backup\"");
        else if (upstream.Servers.Count > 0 && upstream.Servers.TrueForAll(s => s.Down || s.Drain))
            findings.Warning(name, $"every server of upstream {shown} is down: all clients are turned away");
        CheckSlowStart(upstream);
        // nginx refuses it too, where hash stands before the server.
        if (upstream.Balance is BalanceMethod.Hash or BalanceMethod.ConsistentHash)
        {
            foreach (var backup in upstream.BackupWords)
                findings.Error(backup, $"\"hash\" does not support \"backup\": a key belongs to one server of upstream {shown}");
        }
    }

    private void CheckServer(ServerDraft server)
    {
        var name = server.Node.Name;
        if (server is { Control: { } control, Data: { } data })
            findings.Error(data.Name, $"a server has \"ftp_ctrl\" or \"ftp_data\", not both; \"ftp_ctrl\" is at {control.Position}");
        else if (server is { Control: null, Data: null })
            findings.Error(name, "this server has neither \"ftp_ctrl\" nor \"ftp_data\": Ferry serves FTP only");
        else if (server.Control is not null)
            CheckControlServer(server, server.Control);
        else if (server.ProxyPass is { } pass)
            findings.Error(pass.Name, "\"proxy_pass\" is not allowed in an \"ftp_data\" server: data goes where its session goes");
    }

    private void CheckControlServer(ServerDraft server, ConfigNode control)
    {
        if (!server.HasListen)
            findings.Error(server.Node.Name, "this server has no \"listen\": write where clients connect, as in: listen 21;");
        if (server.ProxyPass is null && server.LookupWithin(main.Stream) is null)
            findings.Error(control.Name, "\"ftp_ctrl\" needs a \"proxy_pass\" beside it, with the FTP server or upstream behind");
        if (server.Mesh is { } mesh)
            findings.Note(mesh,
                "mesh control", $"{ConfigFindings.Show(mesh.Text)} has no meaning in an \"ftp_ctrl\" server: it is for data connections");
    }

    private void CheckZoneNames()
    {
        Dictionary<string, ServerDraft> first = new(StringComparer.Ordinal);
        foreach (var server in main.Servers)
        {
            if (server is { Control: { } control, Zone: { } zone } && !first.TryAdd(zone.Name, server))
                findings.Error(control.Name,
                    $"zone {ConfigFindings.Show(zone.Name)} has an \"ftp_ctrl\" already, at {first[zone.Name].Control?.Position}");
        }
    }

    private void CheckDataServers()
    {
        Dictionary<string, ConfigToken> first = new(StringComparer.Ordinal);
        var zones = main.Servers.Select(s => s.Zone?.Name).OfType<string>().ToList();
        foreach (var server in main.Servers)
        {
            if (server is not { Data: not null, Control: null, DataZone: { } name })
                continue;
            var control = main.Servers.Find(s => s.Zone?.Name == name.Text);
            if (control is null)
                findings.Error(name,
                    $"no \"ftp_ctrl\" names the zone {ConfigFindings.Show(name.Text)}{Spelling.DidYouMean(name.Text, zones)}");
            if (!first.TryAdd(name.Text, name))
                findings.Error(name,
                    $"zone {ConfigFindings.Show(name.Text)} has an \"ftp_data\" already, at {first[name.Text].Position}: write all \"listen\" lines into one server");
            foreach (var node in server.ControlOnly)
                findings.Note(node.Name,
                    $"{node.Name.Text} in ftp_data", $"\"{node.Name.Text}\" has no effect in an \"ftp_data\" server: that of the \"ftp_ctrl\" server counts");
            if (control?.Zone is { MinPort: > 0 } zone && server.Listens.Count > 0)
                CheckCover(server, control, zone);
            else if (server is { HasListen: false, Mesh: { } mesh })
                findings.Note(mesh, "mesh alone", $"{ConfigFindings.Show(mesh.Text)} has no meaning without a \"listen\" that ports are redirected to: each port of the zone is opened by itself");
        }
    }

    private static (int First, int Last)? FirstGap(List<(int First, int Last)> covers, ZoneConfig zone)
    {
        var next = zone.MinPort;
        foreach (var (first, last) in covers.Order())
        {
            if (first > next)
                break;
            next = Math.Max(next, last + 1);
        }
        if (next > zone.MaxPort)
            return null;
        var end = covers.Where(c => c.First > next).Select(c => c.First - 1).DefaultIfEmpty(zone.MaxPort).Min();
        return (next, Math.Min(end, zone.MaxPort));
    }

    private static string Show((int First, int Last) ports) => ports.First == ports.Last ? $"{ports.First}" : $"{ports.First}-{ports.Last}";
}
