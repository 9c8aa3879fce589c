namespace Ferry.Transport;

/// <summary>Legs in TLS that have been given their end and wait for their peers', so that what is still on its way to those is not lost.</summary>
/// <remarks>
/// <code>
///   close_notify, FIN ──> [here: read and throw away] ──peer's FIN or RST, or 5 s──> close
/// </code>
/// <para>A connection that is closed with bytes unread, or before the peer's last ones have come (a session ticket, its own close_notify), answers with RST,
/// and the kernel throws away what it has not sent yet: the end of a file (RFC 1122, 4.2.2.13).</para>
/// <para>One of these for all transfers. No thread, no timer, and no buffer for a leg that waits; somebody calls <see cref="Sweep"/>.</para>
/// </remarks>
internal sealed partial class LingeringLegs(TimeProvider time, int most = LingeringLegs.DefaultMost) : IAsyncDisposable
{
    /// <summary>A fifth of the descriptors that a machine gives a service as a rule (20,000), so that peers who never close cannot take all of them.</summary>
    private const int DefaultMost = 4096;

    /// <summary>More than a peer has to say once it has all: tickets and a close_notify.</summary>
    private const int MostDiscarded = 4 << 20;

    /// <summary>nginx's lingering_timeout.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly LinkedList<Lingerer> _legs = []; // the oldest first
    private readonly TaskCompletionSource _emptied = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isClosed;

    /// <summary>How many wait.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _legs.Count;
        }
    }

    /// <summary>Owns <paramref name="leg"/> from here on, whose end has been given to the kernel or which is to wait for its peer's, and which nobody reads any more.</summary>
    public void Take(DataLeg leg)
    {
        leg.LeaveTls();
        int left = MostDiscarded;
        LinkedListNode<Lingerer>? node = null;
        if (leg.DiscardReceived(ref left))
        {
            lock (_gate)
            {
                if (!_isClosed && _legs.Count < most)
                    node = _legs.AddLast(new Lingerer(leg, left, time.GetTimestamp()));
            }
        }
        if (node is null)
            leg.Dispose();
        else
            _ = LingerAsync(node);
    }

    /// <summary>Closes those that have waited for long enough. About once a second.</summary>
    /// <param name="now">A timestamp of the clock.</param>
    public void Sweep(long now)
    {
        Close(lingerer => time.GetElapsedTime(lingerer.Since, now) >= Longest);
        CloseRefused(refused => time.GetElapsedTime(refused.Since, now) >= LongestRefused);
    }

    /// <summary>Closes all, and from here on each one that is handed over.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _isClosed = true;
            if (_legs.Count == 0)
                _emptied.TrySetResult();
        }
        CloseRefused(static _ => true);
        Close(static _ => true);
        await _emptied.Task.ConfigureAwait(false);
    }

    /// <summary>Closes the oldest, as long as they are <paramref name="due"/>. Each leaves the list when its reader has.</summary>
    private void Close(Func<Lingerer, bool> due)
    {
        List<DataLeg> legs = [];
        lock (_gate)
        {
            for (LinkedListNode<Lingerer>? node = _legs.First; node is not null && due(node.Value); node = node.Next)
                legs.Add(node.Value.Leg);
        }
        legs.ForEach(static leg => leg.Dispose());
    }

    private async Task LingerAsync(LinkedListNode<Lingerer> node)
    {
        DataLeg leg = node.Value.Leg;
        int left = node.Value.Left;
        try
        {
            do
                await leg.Connection.WaitReadableAsync().ConfigureAwait(false);
            while (leg.DiscardReceived(ref left));
        }
        catch (Exception exception) when (DataLeg.IsEnd(exception))
        {
            // Reset, or closed by us.
        }
        leg.Dispose();
        lock (_gate)
        {
            _legs.Remove(node);
            if (_isClosed && _legs.Count == 0)
                _emptied.TrySetResult();
        }
    }

    private sealed record Lingerer(DataLeg Leg, int Left, long Since);
}
