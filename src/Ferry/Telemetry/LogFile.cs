namespace Ferry.Telemetry;

/// <summary>One user's hold on a log of <see cref="LogFiles"/>. Safe from any thread.</summary>
internal sealed class LogFile : IAsyncDisposable
{
    // A disk that hangs must not hang a stop: the lines are given up, and the thread, which does not keep the process, is left to it.
    private static readonly TimeSpan MostWait = TimeSpan.FromSeconds(5);

    private readonly LogWriter _writer;
    private readonly Func<Task> _leave;
    private int _disposed;

    public LogFile(LogWriter writer, Func<Task> leave)
    {
        _writer = writer;
        _leave = leave;
    }

    /// <summary>Lines that all users of this path have lost, to a full queue or to a failing disk.</summary>
    public long LinesLost => _writer.LinesLost;

    /// <summary>Queues whole lines of UTF-8, each with its line feed. Never waits for the disk; false when they are lost.</summary>
    public bool Append(ReadOnlySpan<byte> lines) => Volatile.Read(ref _disposed) == 0 && _writer.Append(lines);

    /// <summary>Ends when all lines appended before have been written, or were lost.</summary>
    public Task FlushAsync() => _writer.FlushAsync();

    /// <summary>Opens the path anew, for all its users. Yields null, or why that failed.</summary>
    public Task<string?> ReopenAsync() => _writer.ReopenAsync();

    /// <summary>Writes out what is queued; the last user closes the file. May be called twice.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        try
        {
            await _leave().WaitAsync(MostWait, TimeProvider.System).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
        }
    }
}
