namespace Ferry.Relay;

/// <summary>Empty pipes at rest, for the next transfer with something to carry. A transfer that waits for its sender holds none.</summary>
internal sealed class PipePool(Func<SplicePipe?> open)
{
    /// <summary>Half of what an unprivileged user may own in pipes of 1 MiB (/proc/sys/fs/pipe-user-pages-soft is 64 MiB).</summary>
    private const int MostAtRest = 32;

    private readonly Lock _gate = new();
    private readonly Stack<SplicePipe> _atRest = new(MostAtRest);

    public SplicePipe? TryRent()
    {
        lock (_gate)
        {
            if (_atRest.TryPop(out SplicePipe? pipe))
                return pipe;
        }
        return open();
    }

    /// <summary>Takes <paramref name="pipe"/> back, or closes it: bytes left inside must never reach another transfer.</summary>
    public void Return(SplicePipe pipe)
    {
        if (pipe.Count == 0)
        {
            lock (_gate)
            {
                if (_atRest.Count < MostAtRest)
                {
                    _atRest.Push(pipe);
                    return;
                }
            }
        }
        pipe.Dispose();
    }
}
