using System.Diagnostics.CodeAnalysis;

namespace Ferry.Upstreams;

/// <summary>A session's walk over the servers of a group. Belongs to one session: not for two threads at a time.</summary>
internal sealed partial class UpstreamChoice
{
    private readonly UpstreamGroup _group;
    private ServerSet _set;
    private ulong[]? _triedBeyond;
    private ulong _tried;

    public UpstreamChoice(UpstreamGroup group, ChoiceFacts facts)
    {
        _group = group;
        Facts = facts;
        Begin(group.Set);
    }

    /// <summary>What is known of the session.</summary>
    public ChoiceFacts Facts { get; }

    /// <summary>Time stamp of the pick that is being made.</summary>
    public long Now { get; private set; }

    /// <summary>Where the walk of a hash stands: the sum of the hashes so far, or the point of the ring. Belongs to the balancer.</summary>
    public uint Hash { get; set; }

    /// <summary>Looks that the walk of a hash has spent on servers that could not be had. Belongs to the balancer.</summary>
    public int Misses { get; set; }

    /// <summary>How often the key has been hashed. Belongs to the balancer.</summary>
    public uint Rehashes { get; set; }

    /// <summary>
    /// The next server to try, never one that was tried before; null when none is left. A live session is counted on it, which
    /// <see cref="UpstreamServer.Release"/> undoes: to be called once for every server that comes from here.
    /// </summary>
    public UpstreamServer? TryNext()
    {
        UpstreamServer? server;
        bool isTriedAgain;
        lock (_group.Gate)
        {
            server = Pick(out isTriedAgain);
        }
        if (isTriedAgain)
            server?.SayTriedAgain();
        return server;
    }

    /// <summary>Whether this walk has come to a server before.</summary>
    public bool HasTried { get; private set; }

    /// <summary>Whether the server has not been tried in this walk and can be had now.</summary>
    public bool MayTry(UpstreamServer server) => !IsTried(server.Index) && server.IsEligible(Now);

    [MemberNotNull(nameof(_set))]
    private void Begin(ServerSet set)
    {
        _set = set;
        _tried = 0;
        _triedBeyond = set.Servers.Length > 64 ? new ulong[(set.Servers.Length - 1) / 64] : null;
    }

    private UpstreamServer? Pick(out bool isTriedAgain)
    {
        Now = _group.Time.GetTimestamp();
        var server = _set.Balancer.Pick(this);
        isTriedAgain = false;
        if (server is null)
            return null;
        MarkTried(server.Index);
        isTriedAgain = server.Take(Now);
        return server;
    }

    private bool IsTried(int index) => (index < 64 ? _tried >> index & 1 : _triedBeyond![index / 64 - 1] >> index % 64 & 1) != 0;

    private void MarkTried(int index)
    {
        HasTried = true;
        if (index < 64)
            _tried |= 1UL << index;
        else
            _triedBeyond![index / 64 - 1] |= 1UL << index % 64;
    }
}
