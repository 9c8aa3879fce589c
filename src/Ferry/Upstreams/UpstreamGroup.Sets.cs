using System.Collections.Immutable;
using System.Linq;
using System.Net;

namespace Ferry.Upstreams;

/// <summary>Sets of servers, and putting another one in place of the one at work.</summary>
internal sealed partial class UpstreamGroup
{
    // Held while the lines change, and not by whoever chooses: making a set may take a while.
    private readonly Lock _changing = new();

    /// <summary>The weights that its balancer was made from, as the <see cref="ChangeLog"/> counts them.</summary>
    private long _weightsSeen;

    private ServerSet MakeSet(ImmutableArray<UpstreamServer> servers) => new(servers, _balancing.Make(servers, _memory, _changes, Time));

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
            var agent = old?.SaidTo(HealthCheck?.Agent) ?? new ServerAgent(now);
            servers.Add(new UpstreamServer(place.Name, place, servers.Count, places.Count == 1, old?.Tally ?? new ServerTally(now), agent, standing, _parts));
        }
        return servers.MoveToImmutable();
    }

    /// <summary>Puts a balancer in force that knows what agents say of the weights, where it is one that does not ask again. Not with each answer: a ring takes a while.</summary>
    private void RenewWeights()
    {
        if (HealthCheck?.Agent is null || !_balancing.KeepsWeights)
            return;
        lock (_changing)
        {
            long weights;
            lock (Gate)
                weights = _changes.Weights;
            if (weights == _weightsSeen)
                return;
            _weightsSeen = weights;
            Volatile.Write(ref _set, MakeSet(Set.Servers));
        }
    }

    /// <summary>Puts a set of the lines of this moment in force. With the lock for changes held.</summary>
    /// <returns>Servers that are being emptied from now on and have no session; to be told outside of all locks.</returns>
    private List<UpstreamServer> Rebuild()
    {
        var before = Set.Servers;
        var set = MakeSet(MakeServers(before, isSameGroup: true));
        // Of many servers the turns may be kept elsewhere in part (TurnLane); all then begin anew.
        var keepsTurns = before.Length <= Balancing.Few;
        var old = before.ToDictionary(s => s.Standing);
        List<UpstreamServer> empty = [];
        lock (Gate)
        {
            foreach (var server in set.Servers)
            {
                var isWithdrawn = server.Config.Down || server.Config.Drain;
                server.Standing.IsWithdrawn = isWithdrawn;
                NoteUse(server, isWithdrawn || server.IsWithdrawnByAgent, empty);
                if (old.Remove(server.Standing, out var same))
                    server.Turn = keepsTurns ? same.Turn : 0;
                else
                    server.BeginSlowStart();
            }
            foreach (var gone in old.Values)
            {
                gone.Standing.IsWithdrawn = true;
                NoteUse(gone, true, empty);
            }
            _changes.Standing++;
            Volatile.Write(ref _set, set);
        }
        return empty;
    }
}
