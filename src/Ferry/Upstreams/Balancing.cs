using System.Collections.Immutable;
using System.Linq;
using Ferry.Config;

namespace Ferry.Upstreams;

/// <summary>How a group chooses, as its block says: what balancers are made from, whichever servers there are at the moment.</summary>
internal sealed class Balancing
{
    private const string TooLate = "which is not known when a server is chosen";

    /// <summary>So many servers are looked at one by one: no order pays.</summary>
    internal const int Few = 32;

    private readonly BalanceMethod _method;
    private readonly StickyConfig? _sticky;
    private readonly HashKey? _key;
    private readonly HashKey? _stickyKey;

    private Balancing(UpstreamConfig config, HashKey? key, HashKey? stickyKey)
    {
        _method = config.Balance;
        _sticky = config.Sticky;
        _key = key;
        _stickyKey = stickyKey;
    }

    /// <summary>Reads a block. What an embedder's own records could have got wrong comes back as errors; the parser says it with more words and earlier.</summary>
    /// <returns>Null when there were errors.</returns>
    public static Balancing? TryCreate(UpstreamConfig config, List<ConfigDiagnostic> errors)
    {
        var before = errors.Count;
        var key = config.Balance is BalanceMethod.Hash or BalanceMethod.ConsistentHash ? ReadKey(config, errors) : null;
        var stickyKey = config.Sticky is { } sticky ? ReadSticky(config, sticky, errors) : null;
        return errors.Count > before ? null : new Balancing(config, key, stickyKey);
    }

    /// <summary>Whether a balancer keeps what it was made from, instead of looking at the weights with each choice.</summary>
    public bool KeepsWeights => _method is BalanceMethod.Hash or BalanceMethod.ConsistentHash or BalanceMethod.Random or BalanceMethod.RandomTwo or BalanceMethod.Sh or BalanceMethod.Mh;

    /// <summary>Makes the balancer of a set of servers.</summary>
    /// <param name="servers">The servers.</param>
    /// <param name="memory">What the group remembers.</param>
    /// <param name="changes">What changes of the servers.</param>
    /// <param name="time">The clock that choices are stamped by.</param>
    public IBalancer Make(ImmutableArray<UpstreamServer> servers, GroupMemory memory, ChangeLog changes, TimeProvider time)
    {
        // Where backups are all there is, there is nothing to hash to.
        var method = servers.All(s => s.Config.Backup) ? new RoundRobinBalancer(servers) : MakeMethod(servers, memory, changes, time);
        return _sticky is null ? method : new StickyBalancer(servers, method, _stickyKey!, _sticky, memory.Clients, time);
    }

    private IBalancer MakeMethod(ImmutableArray<UpstreamServer> servers, GroupMemory memory, ChangeLog changes, TimeProvider time) => _method switch
    {
        BalanceMethod.Hash => new HashBalancer(servers, _key!),
        BalanceMethod.ConsistentHash => new ConsistentHashBalancer(servers, _key!),
        BalanceMethod.LeastConnections => new LeastConnBalancer(servers, changes),
        BalanceMethod.Random => new RandomBalancer(servers, ofTwo: false, Random.Shared),
        BalanceMethod.RandomTwo => new RandomBalancer(servers, ofTwo: true, Random.Shared),
        BalanceMethod.Rr => new TurnsBalancer(servers, isWeighted: false),
        BalanceMethod.Wrr => new TurnsBalancer(servers, isWeighted: true),
        BalanceMethod.Lc => new LeastLoadBalancer(servers, ServerLoad.Sessions, changes),
        BalanceMethod.Wlc => new LeastLoadBalancer(servers, ServerLoad.WeightedSessions, changes),
        BalanceMethod.Sed => new LeastLoadBalancer(servers, ServerLoad.ExpectedDelay, changes),
        BalanceMethod.Nq => new LeastLoadBalancer(servers, ServerLoad.ExpectedDelayUnlessIdle, changes),
        BalanceMethod.Fo => new LeastLoadBalancer(servers, ServerLoad.Weight, changes),
        BalanceMethod.Ovf => new LeastLoadBalancer(servers, ServerLoad.WeightUnlessFull, changes),
        BalanceMethod.Sh => new AddressBalancer(servers, s => AddressTable.Filled(s, isWeighted: true), ofListener: false),
        BalanceMethod.Dh => new AddressBalancer(servers, s => AddressTable.Filled(s, isWeighted: false), ofListener: true),
        BalanceMethod.Mh => new AddressBalancer(servers, AddressTable.Maglev, ofListener: false),
        BalanceMethod.Lblc => new LocalityBalancer(servers, replicates: false, memory.Destinations, time),
        BalanceMethod.Lblcr => new LocalityBalancer(servers, replicates: true, memory.Destinations, time),
        // Of servers with a weight of their own each is looked at anyway.
        _ when servers.Length > Few && servers.DistinctBy(s => s.Weight).Count() <= servers.Length / 4 => new SmoothBalancer(servers, changes),
        _ => new RoundRobinBalancer(servers),
    };

    private static HashKey? ReadKey(UpstreamConfig config, List<ConfigDiagnostic> errors)
    {
        if (config.HashKey is null)
        {
            errors.Add(Error(config, $"upstream \"{config.Name}\" is to hash, and has no key; write \"hash $remote_addr\""));
            return null;
        }
        var key = HashKey.TryCreate(config.HashKey, out var unknown);
        if (key is null)
            errors.Add(Error(config, $"the hash key of upstream \"{config.Name}\" has the variable ${unknown}, {TooLate}"));
        return key;
    }

    private static HashKey? ReadSticky(UpstreamConfig config, StickyConfig sticky, List<ConfigDiagnostic> errors)
    {
        var key = HashKey.TryCreate(sticky.Key, out var unknown, sticky.Prefix4, sticky.Prefix6);
        if (key is null)
            errors.Add(Error(config, $"the sticky key of upstream \"{config.Name}\" has the variable ${unknown}, {TooLate}"));
        if (sticky.Timeout <= TimeSpan.Zero || sticky.MaxEntries < 1)
            errors.Add(Error(config, $"the timeout and the number of entries of \"sticky\" in upstream \"{config.Name}\" must be greater than 0"));
        if (sticky.Prefix4 is < 0 or > 32 || sticky.Prefix6 is < 0 or > 128)
            errors.Add(Error(config, $"a network of \"sticky\" in upstream \"{config.Name}\" has a length that no network has; IPv4 has 0 to 32 bits, IPv6 0 to 128"));
        return key;
    }

    private static ConfigDiagnostic Error(UpstreamConfig config, string message) => new(ConfigSeverity.Error, config.Position, 1, message, null);
}
