using Ferry.Config;
using Ferry.Sessions;

namespace Ferry.Hosting;

internal sealed partial class GenerationBuilder
{
    /// <summary>The service that a server block asks; blocks with the same line share one, and the generation before leaves its answers to it.</summary>
    private RouteLookup? Lookup(ServerConfig config)
    {
        if (config.Route?.Lookup is not { } line)
            return null;
        var words = Words(line);
        if (_made.Lookups.Find(l => Words(l.Config) == words) is { } shared)
            return shared;
        var found = new List<ConfigDiagnostic>();
        var service = RouteService.TryCreate(line, _parts.Time, found);
        Take(found);
        if (service is null)
            return null;
        var lookup = new RouteLookup(line, service, _previous?.Lookups.Find(l => Words(l.Config) == words), _parts.Metrics, _parts.Time, _parts.Logger);
        _made.Lookups.Add(lookup);
        return lookup;

        static string Words(RouteLookupConfig line) => string.Join(' ', ConfigWriter.LookupWords(line));
    }
}
