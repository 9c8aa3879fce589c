using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Linq;

namespace Ferry.Telemetry;

/// <summary>The logs that are open, by path: two servers, or two generations, that name one file share its queue, and no line is torn by another.</summary>
internal sealed class LogFiles
{
    /// <summary>What a log may keep in memory while its file is slow: some twenty thousand lines.</summary>
    public const int DefaultQueueBytes = 4 * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _open = new(StringComparer.Ordinal);
    private readonly int _queueBytes;
    private readonly LogWrite _write;

    public LogFiles(int queueBytes = DefaultQueueBytes, LogWrite? write = null)
    {
        _queueBytes = queueBytes;
        _write = write ?? AppendFile.Write;
    }

    /// <summary>Opens a log for one user, who disposes of it. Touches the disk: for starting and reloading only.</summary>
    /// <param name="path">A path, or <c>stderr</c> or <c>-</c> for the standard error stream.</param>
    /// <param name="syntax">What the lines are; the first who opens a path decides.</param>
    /// <param name="file">The log.</param>
    /// <param name="error">Why it cannot be opened, with the path.</param>
    public bool TryOpen(string path, LogSyntax syntax, [NotNullWhen(true)] out LogFile? file, [NotNullWhen(false)] out string? error)
    {
        path = AppendFile.IsStandardError(path) ? "stderr" : Path.GetFullPath(path);
        lock (_gate)
        {
            if (!_open.TryGetValue(path, out var entry))
            {
                if (!AppendFile.TryOpen(path, out var handle, out error))
                {
                    file = null;
                    return false;
                }
                entry = new Entry(path, new LogWriter(path, handle, syntax, _queueBytes, _write));
                _open.Add(path, entry);
            }
            entry.Users++;
            file = new LogFile(entry.Writer, () => LeaveAsync(entry));
            error = null;
            return true;
        }
    }

    /// <summary>Opens every path anew, after a rotation renamed the files (SIGUSR1). Yields what failed; those logs go on in their old files.</summary>
    public async Task<IReadOnlyList<string>> ReopenAsync()
    {
        List<Task<string?>> asked;
        lock (_gate)
            asked = [.. from entry in _open.Values select entry.Writer.ReopenAsync()];
        var errors = new List<string>();
        foreach (var task in asked)
        {
            if (await task.ConfigureAwait(false) is { } error)
                errors.Add(error);
        }
        return errors;
    }

    private Task LeaveAsync(Entry entry)
    {
        lock (_gate)
        {
            if (--entry.Users > 0)
                return entry.Writer.FlushAsync();
            _open.Remove(entry.Path);
        }
        return entry.Writer.EndAsync();
    }

    private sealed class Entry(string path, LogWriter writer)
    {
        public string Path { get; } = path;

        public LogWriter Writer { get; } = writer;

        public int Users { get; set; }
    }
}
