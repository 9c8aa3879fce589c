using Ferry.Config;

namespace Ferry.Upstreams;

/// <summary>What a group remembers over reloads and changes of its servers. Guarded by the lock that all generations of the group share.</summary>
/// <param name="Clients">Which server each key of <c>sticky</c> had last.</param>
/// <param name="Destinations">Which servers each destination of <c>lblc</c> and <c>lblcr</c> has.</param>
internal sealed record GroupMemory(RecentTable<ServerName> Clients, RecentTable<LocalServers> Destinations)
{
    private string? KeyOfClients { get; init; }

    /// <summary>The memory of a generation: that of the one before, unless its keys were others.</summary>
    public static GroupMemory For(StickyConfig? sticky, GroupMemory? previous)
    {
        var key = sticky is null ? null : $"{sticky.Key.Text} {sticky.Prefix4} {sticky.Prefix6}";
        return key is not null && key == previous?.KeyOfClients
            ? previous
            : new GroupMemory(new RecentTable<ServerName>(), previous?.Destinations ?? new RecentTable<LocalServers>()) { KeyOfClients = key };
    }
}
