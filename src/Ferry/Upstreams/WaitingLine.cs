namespace Ferry.Upstreams;

/// <summary>
/// The sessions that wait for a place on a server, first come first served. Whoever leaves a place, or makes one, calls <see cref="Advance"/>.
/// </summary>
/// <param name="gate">The lock of the group, under which a place is found and taken in one step.</param>
internal sealed class WaitingLine(Lock gate)
{
    private readonly LinkedList<WaitingSession> _sessions = [];
    private int _count;

    /// <summary>How many sessions wait.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Goes to the end of the line. Under the lock.</summary>
    public WaitingSession Join(UpstreamChoice choice)
    {
        var waiting = new WaitingSession(choice);
        _sessions.AddLast(waiting.Place);
        _count++;
        return waiting;
    }

    /// <summary>Gives up, unless a place was found already.</summary>
    public void Leave(WaitingSession waiting)
    {
        lock (gate)
        {
            if (waiting.Place.List is null)
                return;
            _sessions.Remove(waiting.Place);
            _count--;
        }
        waiting.End(null);
    }

    /// <summary>Gives what places there are to those who have waited longest. Those for whom no server is left at all wait no longer.</summary>
    public void Advance()
    {
        // A session that joins at this moment has looked for a place under the lock itself.
        if (Count == 0)
            return;
        List<(WaitingSession Session, UpstreamServer? Server, bool IsTriedAgain)> ended = [];
        lock (gate)
        {
            for (var place = _sessions.First; place is not null;)
            {
                var (session, next) = (place.Value, place.Next);
                if (session.Choice.TryServe(out var server, out var isTriedAgain))
                {
                    _sessions.Remove(place);
                    _count--;
                    ended.Add((session, server, isTriedAgain));
                }
                else if (session.Choice.HasTriedNone)
                {
                    // What it cannot have, nobody behind it can.
                    break;
                }
                place = next;
            }
        }
        foreach (var (session, server, isTriedAgain) in ended)
        {
            if (isTriedAgain)
                server?.SayTriedAgain();
            session.End(server);
        }
    }
}

/// <summary>A session in the line.</summary>
internal sealed class WaitingSession
{
    private readonly TaskCompletionSource<UpstreamServer?> _server = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public WaitingSession(UpstreamChoice choice)
    {
        Choice = choice;
        Place = new LinkedListNode<WaitingSession>(this);
    }

    public UpstreamChoice Choice { get; }

    public LinkedListNode<WaitingSession> Place { get; }

    /// <summary>The server, its session counted already; null when there is none to be had.</summary>
    public Task<UpstreamServer?> Server => _server.Task;

    public void End(UpstreamServer? server) => _server.TrySetResult(server);
}
