using System.Collections.Immutable;
using System.Linq;
using System.Net;

namespace Ferry.Config;

/// <summary>Addresses and ports that two would want.</summary>
internal sealed partial class ConfigValidator
{
    /// <summary>The kernel gives an address and port to one listener: no two lines may share one.</summary>
    private void CheckListens()
    {
        List<ListenDraft> taken = [];
        foreach (var server in main.Servers.Where(IsListener))
        {
            foreach (var listen in server.Listens)
                AddListen(listen, taken);
        }
        // Lines of other data servers only say where their zone's ports are; those of two zones are compared by their ranges.
        foreach (var server in main.Servers.Where(s => !IsListener(s)))
        {
            List<ListenDraft> own = [];
            foreach (var listen in server.Listens)
                AddListen(listen, own);
        }
    }

    /// <summary>Whether its lines are sockets: those of clients, and those that a zone's ports are redirected to.</summary>
    private static bool IsListener(ServerDraft server) => server.Data is null || server.RedirectPort is not null;

    private void AddListen(ListenDraft listen, List<ListenDraft> taken)
    {
        var other = taken.Find(t => ConfigValue.Overlap(t.Address, listen.Address) && t.First <= listen.Last && listen.First <= t.Last);
        if (other is null)
            taken.Add(listen);
        else if (other.Address.Equals(listen.Address))
            findings.Error(listen.Place,
                $"\"listen {listen.Place.Text}\" is duplicate: {Show(listen.Address, other.First, other.Last)} is taken at {other.Place.Position}");
        else
            findings.Error(listen.Place,
                $"\"listen {listen.Place.Text}\" overlaps {Show(other.Address, other.First, other.Last)} at {other.Place.Position}: "
                + "the kernel gives a port to one of them only");
    }

    /// <summary>A passive port belongs to one zone, and to no control server.</summary>
    private void CheckZonePorts()
    {
        List<(ServerDraft Server, ZoneConfig Zone, ImmutableArray<IPAddress> Addresses)> zones = [];
        foreach (var server in main.Servers)
        {
            if (server.Zone is not { MinPort: > 0 } zone || zones.Exists(z => z.Zone.Name == zone.Name))
                continue;
            var addresses = PortAddresses(server, zone);
            foreach (var other in zones)
            {
                if (zone.MinPort <= other.Zone.MaxPort && other.Zone.MinPort <= zone.MaxPort && Shared(addresses, other.Addresses) is { } shared)
                {
                    var both = (Math.Max(zone.MinPort, other.Zone.MinPort), Math.Min(zone.MaxPort, other.Zone.MaxPort));
                    findings.Error(server.Control!.Name,
                        $"zone {ConfigFindings.Show(zone.Name)} and zone {ConfigFindings.Show(other.Zone.Name)} (at {other.Server.Control!.Position}) "
                        + $"both have ports {Show(both)} of {ConfigValue.Show(shared)}");
                }
            }
            zones.Add((server, zone, addresses));
        }

        foreach (var listen in main.Servers.Where(IsListener).SelectMany(s => s.Listens))
        {
            var inside = zones.Find(z => listen.First <= z.Zone.MaxPort && z.Zone.MinPort <= listen.Last && Shared([listen.Address], z.Addresses) is not null);
            if (inside.Zone is { } zone)
                findings.Error(listen.Place,
                    $"\"listen {listen.Place.Text}\" is within ports {zone.MinPort}-{zone.MaxPort} "
                    + $"of zone {ConfigFindings.Show(zone.Name)}, at {inside.Server.Control!.Position}");
        }
    }

    /// <summary>Where a zone's ports are opened: on the addresses of its data server, or else of its control server.</summary>
    private ImmutableArray<IPAddress> PortAddresses(ServerDraft control, ZoneConfig zone)
    {
        var data = main.Servers.Find(s => s.DataZone?.Text == zone.Name);
        return ConfigBinder.DataAddresses(data is { Listens.Count: > 0 } ? data : control);
    }

    private static IPAddress? Shared(ImmutableArray<IPAddress> some, ImmutableArray<IPAddress> others) =>
        some.FirstOrDefault(a => others.Any(b => ConfigValue.Overlap(a, b)));

    private static string Show(IPAddress address, int first, int last) => $"{ConfigValue.Show(address)}:{Show((first, last))}";
}
