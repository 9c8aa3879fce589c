using System.Collections.Immutable;
using System.Linq;

namespace Ferry.Upstreams;

/// <summary>LVS's methods that take the first server with the least <see cref="ServerLoad"/>. Backup servers only when no other can be had.</summary>
internal sealed class LeastLoadBalancer : IBalancer
{
    private readonly UpstreamServer[] _primaries;
    private readonly UpstreamServer[] _backups;
    private readonly ServerLoad _load;

    /// <summary>Where there are many servers.</summary>
    private readonly LoadTree? _tree;

    /// <param name="servers">The servers.</param>
    /// <param name="load">What they are measured by.</param>
    /// <param name="changes">Shared by all generations.</param>
    public LeastLoadBalancer(ImmutableArray<UpstreamServer> servers, ServerLoad load, ChangeLog changes)
    {
        _primaries = [.. servers.Where(s => !s.Config.Backup)];
        _backups = [.. servers.Where(s => s.Config.Backup)];
        _load = load;
        if (_primaries.Length > Balancing.Few)
            _tree = new LoadTree(_primaries, load, changes);
    }

    public UpstreamServer? Pick(UpstreamChoice choice) =>
        (_tree is null ? PickFrom(_primaries, _load, choice) : _tree.Pick(choice)) ?? PickFrom(_backups, _load, choice);

    /// <summary>The least loaded of <paramref name="servers"/>.</summary>
    public static UpstreamServer? PickFrom(ReadOnlySpan<UpstreamServer> servers, ServerLoad load, UpstreamChoice choice)
    {
        UpstreamServer? best = null;
        foreach (var server in servers)
        {
            if (choice.MayTry(server) && IsWithin(server, load) && (best is null || IsLess(server, best, load)))
                best = server;
        }
        return best;
    }

    /// <summary>Whether the method itself lets the server take another session.</summary>
    public static bool IsWithin(UpstreamServer server, ServerLoad load) => load != ServerLoad.WeightUnlessFull || server.Sessions * 100L <= server.Hundredths;

    public static bool IsLess(UpstreamServer a, UpstreamServer b, ServerLoad load) => load == ServerLoad.Sessions
        ? a.Sessions < b.Sessions
        : MeasureOf(a, load) * b.Hundredths < MeasureOf(b, load) * a.Hundredths;

    private static long MeasureOf(UpstreamServer server, ServerLoad load) => load switch
    {
        ServerLoad.WeightedSessions => server.Sessions,
        ServerLoad.ExpectedDelayUnlessIdle when server.Sessions == 0 => 0,
        ServerLoad.ExpectedDelay or ServerLoad.ExpectedDelayUnlessIdle => server.Sessions + 1L,
        _ => 1,
    };
}
