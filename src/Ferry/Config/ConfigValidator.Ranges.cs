using System.Linq;
using System.Net;
using System.Net.Sockets;

namespace Ferry.Config;

/// <summary>Whether clients get through on every port that they are told, by themselves or by a redirect.</summary>
internal sealed partial class ConfigValidator
{
    private static readonly PortRangeConfig DefaultUpstreamPorts = new DataConfig().UpstreamPorts;

    /// <summary>A data server must be reachable on every port that clients are told.</summary>
    private void CheckCover(ServerDraft server, ServerDraft control, ZoneConfig zone)
    {
        if (server.Mesh is not null && PortOutside(server, zone) is { } port)
        {
            server.RedirectPort = port;
            CheckRedirects(server, control, zone, port);
            return;
        }
        var isCovered = true;
        foreach (var address in ConfigBinder.DataAddresses(server))
        {
            var direct = server.Listens
                .Where(l => l.Address.Equals(address) || (ConfigValue.IsWildcard(l.Address) && ConfigValue.Overlap(l.Address, address)))
                .Select(l => (l.First, l.Last)).ToList();
            if (FirstGap(direct, zone) is not { } gap)
                continue;
            isCovered = false;
            findings.Error(server.Listens.First(l => l.Address.Equals(address)).Place,
                $"{Promise(zone)}, but this server does not listen on {Show(gap)}: write listen {Host(address)}{Show((zone.MinPort, zone.MaxPort))};{OrByRedirect(server)}");
        }
        if (isCovered && server.Mesh is { } mesh)
            findings.Note(mesh,
                "mesh data", $"{ConfigFindings.Show(mesh.Text)} has no meaning here: this server listens on all ports of its zone itself");
    }

    /// <summary>The port of all its lines, where it is one and none of the zone's.</summary>
    private static int? PortOutside(ServerDraft server, ZoneConfig zone)
    {
        var port = server.Listens[0].First;
        return server.Listens.TrueForAll(l => l.First == port && l.Last == port) && (port < zone.MinPort || port > zone.MaxPort) ? port : null;
    }

    private string OrByRedirect(ServerDraft server) =>
        server.Mesh is not null ? " or, where \"range\" redirects all of them, one port that is none of them"
        : main.Ranges.Exists(r => server.Listens.Exists(l => l.First <= r.Target && r.Target <= l.Last)) ? " or, since \"range\" redirects to it, njtmesh_dest on;"
        : "";

    private void CheckRedirects(ServerDraft server, ServerDraft control, ZoneConfig zone, int port)
    {
        // What a line that is wrong was to redirect is not known.
        if (main.HasBadRange)
            return;
        if (main.EffectiveRangeMethod == RangeMethod.None && main.Ranges.Count == 0)
        {
            findings.Note(server.Mesh!.Value,
                $"own rules {port}", $"that ports {Show((zone.MinPort, zone.MaxPort))} are redirected to port {port} is not checked: \"range_method none\" leaves it to rules of your own");
            return;
        }
        // Clients that come over a family that the data server does not speak of are told these ports as well.
        var families = server.Listens.Concat(control.Listens).Select(l => l.Address.AddressFamily).Distinct().ToList();
        var gaps = families.Select(f => (Family: f, Gap: FirstGap([.. main.Ranges.Where(r => r.Target == port && r.Redirects(f)).Select(r => (r.First, r.Last))], zone)))
            .Where(g => g.Gap is not null).ToList();
        var isSame = gaps.Count == families.Count && gaps.TrueForAll(g => g.Gap == gaps[0].Gap);
        foreach (var (family, gap) in isSame ? gaps.Take(1) : gaps)
        {
            var listen = server.Listens.Find(l => l.Address.AddressFamily == family);
            var address = listen?.Address ?? (family == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any);
            var (version, word) = isSame ? ("", "") : family == AddressFamily.InterNetwork ? (" over IPv4", " family=ipv4") : (" over IPv6", " family=ipv6");
            findings.Error((listen ?? server.Listens[0]).Place,
                $"{Promise(zone)}, but no \"range\" redirects {Show(gap!.Value)} to port {port}{version}: "
                + $"write range type=tcp src_ports={gap.Value.First}:{gap.Value.Last} dst_port={port}{word}; or listen {Host(address)}{Show((zone.MinPort, zone.MaxPort))};");
        }
    }

    /// <summary>A redirect takes its ports from everybody else.</summary>
    private void CheckRanges()
    {
        var zones = main.Servers.Where(s => s is { Control: not null, Zone.MinPort: > 0 })
            .Select(s => (s.Zone, s.Control, Data: main.Servers.Find(d => d.DataZone?.Text == s.Zone!.Name), Addresses: PortAddresses(s, s.Zone!))).ToList();
        for (var i = 0; i < main.Ranges.Count; i++)
        {
            var range = main.Ranges[i];
            if (Holds(range, range.Target))
                findings.Error(range.Ports, $"port {range.Target} is one of those that are redirected to it: choose a port that is none of them");
            if (main.Ranges.Take(i).FirstOrDefault(o => Meet(o, range)) is { } other)
                findings.Error(range.Ports, $"{Common(other.First, other.Last, range)} redirected to port {other.Target} already, at {other.Line.Position}");
            foreach (var listen in main.Servers.Where(s => s.Data is null).SelectMany(s => s.Listens))
            {
                if (listen.First <= range.Last && range.First <= listen.Last && range.Redirects(listen.Address.AddressFamily))
                    findings.Error(range.Ports,
                        $"\"listen {listen.Place.Text}\" at {listen.Place.Position} is within these ports: clients would be redirected away from it");
            }
            if (zones.Find(z => z.Data?.RedirectPort == range.Target) is not { Zone: { } own } mine)
                continue;
            foreach (var z in zones.Where(z => z.Data?.RedirectPort != range.Target && !Meet(z.Zone!, own.MinPort, own.MaxPort) && Meet(z.Zone!, range.First, range.Last)))
            {
                if (z.Addresses.Any(a => range.Redirects(a.AddressFamily) && Shared([a], mine.Addresses) is not null))
                    findings.Error(range.Ports,
                        $"{Common(z.Zone!.MinPort, z.Zone.MaxPort, range)} of zone {ConfigFindings.Show(z.Zone.Name)}, at {z.Control!.Position}: clients would be redirected to zone {ConfigFindings.Show(own.Name)}");
            }
        }
        // A mistake is often why something acts nowhere, so these wait until there is none.
        if (!findings.HasErrors)
            CheckIdleRanges();
    }

    private void CheckIdleRanges()
    {
        foreach (var range in main.Ranges)
        {
            if (!main.Servers.Exists(s => s.RedirectPort == range.Target))
                findings.Warning(range.Line,
                    $"this has no effect, and redirects nothing: no \"ftp_data\" server with \"njtmesh_dest on\" listens on port {range.Target} for a zone of other ports");
            else if (main.Servers.Find(s => s.Control is not null && MayMeet(s, range)) is { } server)
                findings.Warning(range.Ports,
                    $"servers of \"proxy_pass\" at {server.ProxyPass!.Position} connect to some of these ports too, in active mode: write proxy_ftp_ports with others");
        }
        var method = main.EffectiveRangeMethod;
        foreach (var (tool, word) in main.RangeTools)
        {
            if (method is not (RangeMethod.Iptables or RangeMethod.Auto) && (tool != "ip_path" || method != RangeMethod.Tproxy))
                findings.Warning(word, $"\"{tool}=\" has no effect: \"range_method {ConfigBinder.RangeMethods.First(m => m.Method == method).Word}\" does without it");
        }
    }

    private bool MayMeet(ServerDraft server, RangeDraft range)
    {
        var mode = server.Scope.UpstreamMode.Or(main.Stream.UpstreamMode).Else(default);
        var ports = server.Scope.UpstreamPorts.Or(main.Stream.UpstreamPorts).Else(DefaultUpstreamPorts);
        return mode is UpstreamDataMode.Client or UpstreamDataMode.Active or UpstreamDataMode.Port or UpstreamDataMode.Eprt && ports.First <= range.Last && range.First <= ports.Last;
    }

    private static string Promise(ZoneConfig zone) => $"zone {ConfigFindings.Show(zone.Name)} tells clients ports {zone.MinPort}-{zone.MaxPort}";

    private static string Host(IPAddress address) => address.Equals(IPAddress.Any) ? "" : ConfigValue.Show(address) + ":";

    private static bool Holds(RangeDraft range, int port) => range.First <= port && port <= range.Last;

    private static bool Meet(ZoneConfig zone, int first, int last) => zone.MinPort <= last && first <= zone.MaxPort;

    private static bool Meet(RangeDraft a, RangeDraft b) =>
        a.First <= b.Last && b.First <= a.Last && (a.Family is null || b.Family is null || a.Family == b.Family);

    /// <summary>The ports that two have in common, as the beginning of a sentence.</summary>
    private static string Common(int first, int last, RangeDraft range)
    {
        (int First, int Last) both = (Math.Max(first, range.First), Math.Min(last, range.Last));
        return both.First == both.Last ? $"port {both.First} is" : $"ports {Show(both)} are";
    }
}
