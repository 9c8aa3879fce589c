using System.Collections.Immutable;
using System.Linq;
using System.Net;
using Ferry.Config;

namespace Ferry.Upstreams;

/// <summary>A <c>server</c> line at work, with the addresses that it stands for at this moment. Belongs to its group, under its lock for changes.</summary>
internal sealed class GroupLine(UpstreamServerConfig config, ImmutableArray<ServerPlace> places)
{
    public UpstreamServerConfig Config { get; } = config;

    public ImmutableArray<ServerPlace> Places { get; } = places;

    /// <summary>Whether its name is to be resolved while Ferry runs.</summary>
    public bool IsWatched => Config.Resolve && !IPAddress.TryParse(Config.Host, out _);

    /// <summary>Time stamp from which on its name is to be resolved anew.</summary>
    public long DueAt { get; set; }

    public bool IsAsking { get; set; }

    /// <summary>Its last resolution has failed, which has been told.</summary>
    public bool HasFailed { get; set; }

    /// <summary>The same addresses under another line.</summary>
    public GroupLine With(UpstreamServerConfig config) =>
        new(config, [.. Places.Select(p => p with { Config = Adapt(config, p.Config) })]) { DueAt = DueAt, HasFailed = HasFailed };

    public GroupLine With(ImmutableArray<ServerPlace> places) => new(Config, places);

    /// <summary>Whether two lines ask for the same.</summary>
    public static bool AskAlike(UpstreamServerConfig a, UpstreamServerConfig b) =>
        (a.Resolve, a.Port, a.Service) == (b.Resolve, b.Port, b.Service) && a.Host.Equals(b.Host, StringComparison.OrdinalIgnoreCase);

    // A server that a service names has some of its line from there.
    private static UpstreamServerConfig Adapt(UpstreamServerConfig line, UpstreamServerConfig place) => line.Service is null
        ? line
        : line with { Host = place.Host, Port = place.Port, Text = place.Text, Backup = place.Backup, Weight = line.Weight != 1 ? line.Weight : place.Weight };
}
