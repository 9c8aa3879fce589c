using System.Collections.Immutable;
using System.IO;
using System.Linq;

namespace Ferry.Config;

/// <summary><c>ftp_route</c>: a service that says where a user belongs.</summary>
internal sealed partial class ConfigBinder
{
    private const int MostCachedRoutes = 1_000_000;

    private static readonly TimeSpan LongestLookup = TimeSpan.FromHours(1);

    private static readonly string[] LookupParameters = ["timeout", "cache", "entries", "stale", "password", "token_file", "trusted_certificate", "allow"];

    public void SetRouteLookup(ConfigNode node)
    {
        if (node.Arguments is [{ Text: "off" }])
        {
            Scope.RouteLookup = new RouteLookupDraft(node, null);
            return;
        }
        var word = node.Arguments[0];
        var isUrl = Uri.TryCreate(word.Text, UriKind.Absolute, out var url);
        var config = new RouteLookupConfig(url ?? new Uri("http://127.0.0.1/")) { Position = node.Position };
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach (var argument in node.Arguments.Skip(1))
        {
            var (key, value) = Cut(argument.Text);
            if (!seen.Add(key) && key != "allow")
                findings.Error(argument, $"\"{key}\" of \"ftp_route\" is given twice");
            else
                config = LookupParameter(node, config, argument, key, value);
        }
        // The URL is not shown: what is wrong with it may be a password.
        if (word.Text.Contains('$'))
            findings.Error(word, "\"ftp_route\" has no variables in its URL: the service gets what is known of the client with each question");
        else if (!isUrl || RouteLookupConfig.FaultOf(config.Url, config.SendsPassword) is not null)
            findings.Error(word, $"\"ftp_route\" {(isUrl ? RouteLookupConfig.FaultOf(config.Url, config.SendsPassword) : "needs a URL such as https://routes.example.com/ftp, or \"off\"")}");
        if (config.TrustedCertificate is not null && isUrl && config.Url.Scheme == "http")
            findings.Error(word, "\"trusted_certificate=\" of \"ftp_route\" needs a URL with https://");
        Scope.RouteLookup = new RouteLookupDraft(node, config);
    }

    private RouteLookupConfig LookupParameter(ConfigNode node, RouteLookupConfig config, ConfigToken argument, string key, string? value)
    {
        var word = value is null ? argument : argument.Part(key.Length + 1);
        switch (key)
        {
            case "timeout" when value is not null:
                if (ConfigValue.TryTime(value, out var timeout) && timeout > TimeSpan.Zero && timeout <= LongestLookup)
                    return config with { Timeout = timeout };
                findings.Error(word, $"\"timeout=\" needs a time such as 3s, up to {LongestLookup.TotalHours}h, not {ConfigFindings.Show(value)}");
                return config;
            case "cache" when value is not null:
                return LookupTime(word, key, "60s", value) is { } cache ? config with { CacheTime = cache } : config;
            case "stale" when value is not null:
                return LookupTime(word, key, "10m", value) is { } stale ? config with { StaleTime = stale } : config;
            case "entries" when value is not null:
                return Integer("entries=", word, 1, MostCachedRoutes, out var entries) ? config with { CacheEntries = entries } : config;
            case "password" when value is "on" or "off":
                return config with { SendsPassword = value == "on" };
            case "password" when value is not null:
                findings.Error(word, $"\"password=\" is \"on\" or \"off\": whether the service gets the client's password");
                return config;
            case "token_file" when value is not null:
                return LookupFile(word, key, value) is { } token ? config with { TokenFile = token } : config;
            case "trusted_certificate" when value is not null:
                return LookupFile(word, key, value) is { } trusted ? config with { TrustedCertificate = trusted } : config;
            case "allow" when value is not null:
                return Network(node, word, out var network) ? config with { AllowedServers = config.AllowedServers.Add(network) } : config;
            default:
                findings.Error(argument, LookupParameters.Contains(key)
                    ? $"\"{key}\" of \"ftp_route\" needs a value behind a \"=\""
                    : $"unknown parameter {ConfigFindings.Show(key)} of \"ftp_route\"{Spelling.DidYouMean(key, LookupParameters)}");
                return config;
        }
    }

    private TimeSpan? LookupTime(ConfigToken word, string key, string example, string value)
    {
        if (ConfigValue.TryTime(value, out var time) && time <= TimeSpan.FromDays(1))
            return time;
        findings.Error(word, $"\"{key}=\" needs a time such as {example}, up to 1d, not {ConfigFindings.Show(value)}");
        return null;
    }

    private PlacedText? LookupFile(ConfigToken word, string key, string value)
    {
        if (value.Length > 0 && !value.Any(char.IsControl))
            return new PlacedText(Path.GetFullPath(Path.Combine(folder, value)), word.Position);
        findings.Error(word, $"\"{key}=\" needs the name of a file");
        return null;
    }

    /// <summary>Adds what a service may name: every upstream of the file. Users whom it does not name a place go where <c>proxy_pass</c> leads.</summary>
    private void AddLookup(ServerDraft server, RouteLookupDraft draft)
    {
        if (draft.Config is not { } lookup || (server.ProxyPass is not null && server.Route is null))
            return; // what proxy_pass has wrong is reported
        var upstreams = (server.Route?.Upstreams ?? []).ToBuilder();
        var seen = upstreams.Select(static u => u.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var upstream in Main.Upstreams.OrderBy(static u => u.Name, StringComparer.Ordinal))
        {
            if (HasServers(upstream) && seen.Add(upstream.Name))
                upstreams.Add(Named(upstream));
        }
        if (upstreams.Count == 0)
        {
            if (Main.Upstreams.Count == 0)
                findings.Error(draft.Node.Name, "\"ftp_route\" leads nowhere: write the \"upstream\" blocks that the service names, or a \"proxy_pass\" for the users that it does not know");
            return;
        }
        server.Route = new RouteConfig(server.Route?.Target ?? new TextTemplate("", []), upstreams.ToImmutable()) { Lookup = lookup };
    }
}

/// <summary>An <c>ftp_route</c> line.</summary>
/// <param name="Node">The line.</param>
/// <param name="Config">What it says; null: off.</param>
internal sealed record RouteLookupDraft(ConfigNode Node, RouteLookupConfig? Config);
