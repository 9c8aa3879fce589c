using System.Collections.Immutable;
using System.Linq;
using System.Net;
using Ferry.Config;

namespace Ferry.Upstreams;

/// <summary>Sets of servers, and putting another one in place of the one at work.</summary>
internal sealed partial class UpstreamGroup
{
    // Held while the lines change, and not by whoever chooses: making a set may take a while.
    private readonly Lock _changing = new();

    /// <summary>Without a server in the first row a method has nothing to choose among; the second row takes turns.</summary>
    private ServerSet MakeSet(ImmutableArray<UpstreamServer> servers) => new(servers, servers.All(s => s.Config.Backup)
        ? new RoundRobinBalancer(servers)
        : _config.Balance switch
        {
            BalanceMethod.Hash => new HashBalancer(servers, _key!),
            BalanceMethod.ConsistentHash => new ConsistentHashBalancer(servers, _key!),
            _ => new RoundRobinBalancer(servers),
        });

    /// <summary>Servers for all lines. Those of the same name and address as one from before keep its counts.</summary>
    private ImmutableArray<UpstreamServer> MakeServers(ImmutableArray<UpstreamServer> before, bool isSameGroup)
    {
        // A queue, as an address may be written twice; then the first keeps the counts of the first.
        var kept = new Dictionary<(string, IPEndPoint), Queue<UpstreamServer>>();
        foreach (var server in before)
        {
            var key = (server.Config.Host, server.EndPoint);
            if (!kept.TryGetValue(key, out var alike))
                kept.Add(key, alike = new Queue<UpstreamServer>());
            alike.Enqueue(server);
        }
        var now = Time.GetTimestamp();
        var places = _lines.SelectMany(l => l.Places).ToList();
        var servers = ImmutableArray.CreateBuilder<UpstreamServer>(places.Count);
        foreach (var place in places)
        {
            var old = kept.TryGetValue((place.Config.Host, place.EndPoint), out var alike) && alike.TryDequeue(out var first) ? first : null;
            var standing = isSameGroup && old is not null ? old.Standing : new ServerStanding();
            servers.Add(new UpstreamServer(place.Name, place, servers.Count, places.Count == 1, old?.Tally ?? new ServerTally(now), standing, _parts));
        }
        return servers.MoveToImmutable();
    }

    /// <summary>Puts a set of the lines of this moment in force. With the lock for changes held.</summary>
    /// <returns>Servers that are being emptied from now on and have no session; to be told outside of all locks.</returns>
    private List<UpstreamServer> Rebuild()
    {
        var before = Set.Servers;
        var set = MakeSet(MakeServers(before, isSameGroup: true));
        var old = before.ToDictionary(s => s.Standing);
        List<UpstreamServer> empty = [];
        lock (Gate)
        {
            foreach (var server in set.Servers)
            {
                var isWithdrawn = server.Config.Down || server.Config.Drain;
                server.Standing.IsWithdrawn = isWithdrawn;
                NoteUse(server, isWithdrawn, empty);
                if (old.Remove(server.Standing, out var same))
                    server.Turn = same.Turn;
                else
                    server.BeginSlowStart();
            }
            foreach (var gone in old.Values)
            {
                gone.Standing.IsWithdrawn = true;
                NoteUse(gone, true, empty);
            }
            Volatile.Write(ref _set, set);
        }
        return empty;
    }
}
