using Ferry.Transport;

namespace Ferry.Hosting;

/// <summary>Connections whose PROXY header has not come yet: who they are, and so whether they may have a session, is not known.</summary>
internal sealed class ArrivingClients
{
    private readonly Lock _sync = new();
    private readonly HashSet<Arrival> _arrivals = [];
    private TaskCompletionSource? _empty;

    public int Count
    {
        get
        {
            lock (_sync)
                return _arrivals.Count;
        }
    }

    /// <summary>Adds one, unless there are <paramref name="most"/> already.</summary>
    /// <param name="connection">Disposed when its time is over.</param>
    /// <param name="due">The timestamp at which it is.</param>
    /// <param name="most">The bound.</param>
    public Arrival? TryAdd(Connection connection, long due, int most)
    {
        var arrival = new Arrival(connection, due);
        lock (_sync)
        {
            if (_arrivals.Count >= most)
                return null;
            _arrivals.Add(arrival);
            return arrival;
        }
    }

    public void Remove(Arrival arrival)
    {
        TaskCompletionSource? empty = null;
        lock (_sync)
        {
            _arrivals.Remove(arrival);
            if (_arrivals.Count == 0)
                (empty, _empty) = (_empty, null);
        }
        empty?.SetResult();
    }

    /// <summary>Ends when there is none.</summary>
    public Task Empty()
    {
        lock (_sync)
        {
            return _arrivals.Count == 0 ? Task.CompletedTask
                : (_empty ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>Closes those whose time is over; called about once a second.</summary>
    public void Sweep(long now)
    {
        lock (_sync)
        {
            foreach (var arrival in _arrivals)
            {
                if (now >= arrival.Due)
                    arrival.End(isLate: true);
            }
        }
    }

    /// <summary>Closes all of them: nobody is served any more.</summary>
    public void Close()
    {
        lock (_sync)
        {
            foreach (var arrival in _arrivals)
                arrival.End(isLate: false);
        }
    }

    /// <summary>One of them.</summary>
    internal sealed class Arrival(Connection connection, long due)
    {
        private const int Passed = 1, Late = 2, Closed = 3;

        private int _end;

        public long Due { get; } = due;

        /// <summary>The connection was closed because its time was over.</summary>
        public bool IsLate => Volatile.Read(ref _end) == Late;

        /// <summary>The header has come, and the connection is a session's.</summary>
        /// <returns>False where the connection was closed before.</returns>
        public bool TryPass() => Interlocked.CompareExchange(ref _end, Passed, 0) == 0;

        // Waits that this ends go on behind the caller's lock (Connection.Dispose).
        public void End(bool isLate)
        {
            if (Interlocked.CompareExchange(ref _end, isLate ? Late : Closed, 0) == 0)
                connection.Dispose();
        }
    }
}
