using System.Collections.Immutable;
using System.Linq;
using System.Runtime.InteropServices;

namespace Ferry.Upstreams;

/// <summary>
/// LVS's <c>lblc</c> and <c>lblcr</c>: the address that clients connect to has a server of its own, or a set of them, until that is overloaded: more sessions
/// than its weight, while another has fewer than half of its own. Then <c>wlc</c> finds another, which takes its place, or joins the set.
/// </summary>
/// <param name="servers">The servers.</param>
/// <param name="replicates"><c>lblcr</c>: a destination may have several servers.</param>
/// <param name="table">The servers of each destination; shared by all generations.</param>
/// <param name="time">The clock that the choices are stamped by.</param>
internal sealed class LocalityBalancer(ImmutableArray<UpstreamServer> servers, bool replicates, RecentTable<LocalServers> table, TimeProvider time) : IBalancer
{
    /// <summary>As LVS's table.</summary>
    private const int MostDestinations = 16_384;

    private readonly UpstreamServer[] _primaries = [.. servers.Where(s => !s.Config.Backup)];
    private readonly UpstreamServer[] _backups = [.. servers.Where(s => s.Config.Backup)];
    private readonly Dictionary<ServerName, UpstreamServer> _byName = servers.Where(s => !s.Config.Backup).DistinctBy(s => s.Id).ToDictionary(s => s.Id);
    private readonly List<UpstreamServer> _local = [];

    /// <summary>A day: destinations that nobody asks for are forgotten, and sets that have not grown shrink. As LVS.</summary>
    private readonly long _day = (long)TimeSpan.FromDays(1).TotalSeconds * time.TimestampFrequency;

    public UpstreamServer? Pick(UpstreamChoice choice)
    {
        Span<byte> bytes = stackalloc byte[AddressText.MaxBytes];
        Span<char> key = stackalloc char[AddressText.MaxBytes];
        key = key[..AddressText.WriteBytes(choice.Facts.Listener.Address, bytes)];
        for (var i = 0; i < key.Length; i++)
            key[i] = (char)bytes[i];

        var server = table.TryGet(key, choice.Now, _day, out var known) ? PickLocal(known!, choice) : null;
        if (server is null || IsOverloaded(server, choice))
        {
            server = LeastLoadBalancer.PickFrom(_primaries, ServerLoad.WeightedSessions, choice);
            if (server is null)
                return LeastLoadBalancer.PickFrom(_backups, ServerLoad.WeightedSessions, choice);
            known = Add(known, server.Id, choice.Now);
        }
        table.Set(key, known!, choice.Now, MostDestinations);
        return server;
    }

    /// <summary>The least loaded server of a destination; a set that is a day old then loses the one with the most load.</summary>
    private UpstreamServer? PickLocal(LocalServers known, UpstreamChoice choice)
    {
        _local.Clear();
        foreach (var name in known.Names)
        {
            if (_byName.TryGetValue(name, out var server))
                _local.Add(server);
        }
        var least = LeastLoadBalancer.PickFrom(CollectionsMarshal.AsSpan(_local), ServerLoad.WeightedSessions, choice);
        if (replicates && _local.Count > 1 && choice.Now - known.ChangedAt > _day)
        {
            var most = _local[0];
            foreach (var server in _local)
            {
                if (server.Sessions * most.Hundredths > most.Sessions * server.Hundredths)
                    most = server;
            }
            known.Names.Remove(most.Id);
            known.ChangedAt = choice.Now;
        }
        return least;
    }

    private LocalServers Add(LocalServers? known, ServerName name, long now)
    {
        if (known is null || !replicates)
            return new LocalServers([name]) { ChangedAt = now };
        if (known.Names.Contains(name))
            return known;
        known.Names.RemoveAll(n => !_byName.ContainsKey(n));
        known.Names.Insert(0, name);
        known.ChangedAt = now;
        return known;
    }

    private bool IsOverloaded(UpstreamServer server, UpstreamChoice choice)
    {
        if (server.Sessions * 100L <= server.Hundredths)
            return false;
        foreach (var other in _primaries)
        {
            if (other.Sessions * 200L < other.Hundredths && choice.MayTry(other))
                return true;
        }
        return false;
    }
}
