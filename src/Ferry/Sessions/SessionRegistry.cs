using System.Diagnostics.CodeAnalysis;

namespace Ferry.Sessions;

/// <summary>Every session that runs, of all generations. Adding and removing are O(1).</summary>
internal sealed class SessionRegistry
{
    private readonly Lock _sync = new();
    private readonly List<FtpSession> _sessions = [];
    private TaskCompletionSource? _empty;
    private FtpSession[] _sweeping = [];

    public int Count
    {
        get
        {
            lock (_sync)
                return _sessions.Count;
        }
    }

    /// <summary>Adds a session unless there are <paramref name="most"/> already.</summary>
    public bool TryAdd(FtpSession session, int most)
    {
        lock (_sync)
        {
            if (_sessions.Count >= most)
                return false;
            session.RegistryIndex = _sessions.Count;
            _sessions.Add(session);
            return true;
        }
    }

    public void Remove(FtpSession session)
    {
        TaskCompletionSource? empty = null;
        lock (_sync)
        {
            var last = _sessions[^1];
            _sessions[session.RegistryIndex] = last;
            last.RegistryIndex = session.RegistryIndex;
            _sessions.RemoveAt(_sessions.Count - 1);
            if (_sessions.Count == 0)
                (empty, _empty) = (_empty, null);
        }
        empty?.SetResult();
    }

    /// <summary>Ends when there is no session.</summary>
    public Task Empty()
    {
        lock (_sync)
        {
            return _sessions.Count == 0 ? Task.CompletedTask
                : (_empty ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>Shows every session the time. One caller at a time.</summary>
    public void Sweep(long now)
    {
        var count = Snapshot(ref _sweeping);
        for (var i = 0; i < count; i++)
            _sweeping[i].Sweep(now);
        Array.Clear(_sweeping, 0, count);
    }

    /// <summary>Does something to every session that runs now.</summary>
    public void ForEach(Action<FtpSession> action)
    {
        FtpSession[] sessions = [];
        var count = Snapshot(ref sessions);
        for (var i = 0; i < count; i++)
            action(sessions[i]);
    }

    // Outside the lock, because a session that is ended may remove itself on the spot.
    private int Snapshot([NotNull] ref FtpSession[] into)
    {
        lock (_sync)
        {
            if (into.Length < _sessions.Count)
                into = new FtpSession[_sessions.Count * 2];
            _sessions.CopyTo(into);
            return _sessions.Count;
        }
    }
}
