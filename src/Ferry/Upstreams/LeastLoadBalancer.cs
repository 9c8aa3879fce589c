using System.Collections.Immutable;
using System.Linq;

namespace Ferry.Upstreams;

/// <summary>LVS's methods that look at every server and take the first with the least <see cref="ServerLoad"/>. Backup servers only when no other can be had.</summary>
internal sealed class LeastLoadBalancer(ImmutableArray<UpstreamServer> servers, ServerLoad load) : IBalancer
{
    private readonly UpstreamServer[] _primaries = [.. servers.Where(s => !s.Config.Backup)];
    private readonly UpstreamServer[] _backups = [.. servers.Where(s => s.Config.Backup)];

    public UpstreamServer? Pick(UpstreamChoice choice) => PickFrom(_primaries, load, choice) ?? PickFrom(_backups, load, choice);

    /// <summary>The least loaded of <paramref name="servers"/>.</summary>
    public static UpstreamServer? PickFrom(ReadOnlySpan<UpstreamServer> servers, ServerLoad load, UpstreamChoice choice)
    {
        UpstreamServer? best = null;
        var (least, weightOfBest) = (0L, 1);
        foreach (var server in servers)
        {
            if (!choice.MayTry(server) || (load == ServerLoad.WeightUnlessFull && server.Sessions > server.Weight))
                continue;
            var measure = MeasureOf(server, load);
            var weight = load == ServerLoad.Sessions ? 1 : server.Weight;
            if (best is null || measure * weightOfBest < least * weight)
                (best, least, weightOfBest) = (server, measure, weight);
        }
        return best;
    }

    private static long MeasureOf(UpstreamServer server, ServerLoad load) => load switch
    {
        ServerLoad.Sessions or ServerLoad.WeightedSessions => server.Sessions,
        ServerLoad.ExpectedDelayUnlessIdle when server.Sessions == 0 => 0,
        ServerLoad.ExpectedDelay or ServerLoad.ExpectedDelayUnlessIdle => server.Sessions + 1L,
        _ => 1,
    };
}
