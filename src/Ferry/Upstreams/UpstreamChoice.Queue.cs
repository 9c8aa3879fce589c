using System.Linq;

namespace Ferry.Upstreams;

/// <summary>Waiting for a place where every server is at its <c>max_conns</c>.</summary>
internal sealed partial class UpstreamChoice
{
    /// <summary>Whether no server has been tried in this walk.</summary>
    public bool HasTriedNone => _tried == 0 && (_triedBeyond is null || !_triedBeyond.AsSpan().ContainsAnyExcept(0UL));

    /// <summary>As <see cref="TryNext"/>, and behind those who wait already.</summary>
    /// <returns>False where the session may wait for a place, by <see cref="WaitAsync"/>.</returns>
    public bool TryNextAtOnce(out UpstreamServer? server)
    {
        server = null;
        if (_group.QueueLength > 0 && _group.Line.Count > 0)
            return false;
        server = TryNext();
        return server is not null || _group.QueueLength == 0;
    }

    /// <summary>
    /// Waits for a place in the group's queue. It goes to whoever has waited longest; a session that has tried servers already waits for the others.
    /// </summary>
    /// <param name="ct">Gives up; the result is then null.</param>
    /// <returns>The server, counted as by <see cref="TryNext"/>; null when the queue is full, or no server is left to wait for.</returns>
    public async ValueTask<UpstreamServer?> WaitAsync(CancellationToken ct)
    {
        var line = _group.Line;
        WaitingSession? waiting;
        lock (_group.Gate)
            waiting = line.Count < _group.QueueLength ? line.Join(this) : null;
        if (waiting is null)
        {
            _group.SayQueueFull();
            return null;
        }
        line.Advance();
        var leaving = ct.UnsafeRegister(static (state, _) =>
        {
            var (line, waiting) = ((WaitingLine, WaitingSession))state!;
            line.Leave(waiting);
        }, (line, waiting));
        await using (leaving.ConfigureAwait(false))
            return await waiting.Server.ConfigureAwait(false);
    }

    /// <summary>For the line, under the lock: takes a place, among the servers that the group has now.</summary>
    /// <returns>Whether the waiting is over: there is a place, or no server is left that could have one.</returns>
    internal bool TryServe(out UpstreamServer? server, out bool isTriedAgain)
    {
        BeginAnew();
        server = Pick(out isTriedAgain);
        return server is not null || !_set.Servers.Any(s => !IsTried(s.Index) && s.IsInUse(Now));
    }

    /// <summary>Takes the walk to the newest set of the group, a reload's included, and to its beginning, but not to servers that were tried.</summary>
    private void BeginAnew()
    {
        (Hash, Misses, Rehashes) = (0, 0, 0);
        var set = _group.Newest.Set;
        if (set == _set)
            return;
        var tried = _set.Servers.Where(s => IsTried(s.Index)).Select(s => s.Tally).ToHashSet();
        Begin(set);
        foreach (var server in set.Servers)
        {
            if (tried.Contains(server.Tally))
                MarkTried(server.Index);
        }
    }
}
