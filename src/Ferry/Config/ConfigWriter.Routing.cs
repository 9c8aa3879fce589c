using System.Globalization;
using System.Linq;

namespace Ferry.Config;

/// <summary>Variables, and the choice of a server by them.</summary>
internal sealed partial class ConfigWriter
{
    private void WriteVariable(VariableConfig variable)
    {
        switch (variable)
        {
            case MapConfig map:
                Open($"map {Quote(map.Source.Text)} ${map.Name}");
                if (map.HostNames)
                    Line("hostnames");
                Line("default", Quote(map.Default.Text));
                foreach (var entry in map.Entries)
                    Line(Quote(MapKeys.Written(entry)), Quote(entry.Value.Text));
                break;
            case SplitClientsConfig split:
                Open($"split_clients {Quote(split.Source.Text)} ${split.Name}");
                foreach (var share in split.Shares)
                    Line(share.Percent is { } percent ? percent.ToString(CultureInfo.InvariantCulture) + "%" : "*", Quote(share.Value));
                break;
            case GeoConfig geo:
                Open($"geo ${geo.Address} ${geo.Name}");
                Line("default", Quote(geo.Default));
                foreach (var network in geo.Networks)
                    Line(network.Network.ToString(), Quote(network.Value));
                break;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
        Close();
    }

    private void WriteRouting(ServerConfig server)
    {
        if (server.Route is not { Lookup: not null, Target.Parts: [] })
            Line("proxy_pass", Quote(server.Route?.Target.Text ?? server.Upstream.Name));
        Line(["ftp_route", .. LookupWords(server.Route?.Lookup)]);
        if (server.Route?.User is { } user)
            Line("ftp_user", Quote(user.Text));
        Line("ftp_greeting", Quote(server.Greeting ?? "off"));
        Line("ftp_hide_server", OnOff(server.HideServer));
    }

    /// <summary>All that an <c>ftp_route</c> says.</summary>
    public static IEnumerable<string> LookupWords(RouteLookupConfig? lookup)
    {
        if (lookup is null)
            return ["off"];
        List<string> words =
        [
            Quote(lookup.Url.AbsoluteUri), $"timeout={Time(lookup.Timeout)}", $"cache={Time(lookup.CacheTime)}", $"entries={Number(lookup.CacheEntries)}",
            $"stale={Time(lookup.StaleTime)}", $"password={OnOff(lookup.SendsPassword)}",
        ];
        if (lookup.TokenFile is { } token)
            words.Add(Quote("token_file=" + token.Value));
        if (lookup.TrustedCertificate is { } trusted)
            words.Add(Quote("trusted_certificate=" + trusted.Value));
        words.AddRange(lookup.AllowedServers.Select(static n => $"allow={n}"));
        return words;
    }
}
