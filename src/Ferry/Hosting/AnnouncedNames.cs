using System.Collections.Immutable;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.Config;
using Ferry.Upstreams;

namespace Ferry.Hosting;

/// <summary>The addresses of the names of <c>proxy_ip</c> and <c>ftp_proxy_ip</c>.</summary>
internal static class AnnouncedNames
{
    /// <summary>Resolves each name once. IPv4 comes first, which alone fits into the reply to PASV.</summary>
    public static async Task<(IReadOnlyDictionary<string, IPAddress> Addresses, ImmutableArray<ConfigDiagnostic> Errors)> ResolveAsync(
        FerryConfig config, Func<string, CancellationToken, Task<IPAddress[]>> resolve, TimeProvider time, CancellationToken ct)
    {
        var places = config.Servers
            .SelectMany(static s => s.ProxyAddresses.Select(static l => l.Address).Append(s.Zone.ProxyAddress))
            .Where(static a => a.Name is not null)
            .Distinct()
            .ToList();
        var answers = await ServerAddresses.AskAsync(places.Select(static a => a.Name!), resolve, time, ct).ConfigureAwait(false);
        var found = new Dictionary<string, IPAddress>(StringComparer.OrdinalIgnoreCase);
        var errors = ImmutableArray.CreateBuilder<ConfigDiagnostic>();
        foreach (var place in places)
        {
            var (addresses, why) = answers[place.Name!];
            // A name that is blocked by way of the hosts file.
            IPAddress[] usable = [.. addresses.Where(static a => !a.Equals(IPAddress.Any) && !a.Equals(IPAddress.IPv6Any))];
            if (usable.Length > 0)
                found[place.Name!] = Array.Find(usable, static a => a.AddressFamily == AddressFamily.InterNetwork) ?? usable[0];
            else
                errors.Add(new ConfigDiagnostic(ConfigSeverity.Error, place.Position, Math.Max(1, place.Name!.Length),
                    $"the name \"{place.Name}\", whose address clients are to be told, cannot be resolved: {why ?? "it has no address that clients could connect to"}; correct the name, or write the address", place.SourceLine));
        }
        return (found, errors.ToImmutable());
    }
}
