using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Ferry.Telemetry;

/// <summary>What a notice between the lines of a log must look like.</summary>
internal enum LogSyntax
{
    /// <summary>Plain lines; a notice begins with <c>#</c>.</summary>
    Text,

    /// <summary>One JSON object a line.</summary>
    Json,
}

/// <summary>Writes as <see cref="AppendFile.Write"/> does.</summary>
internal delegate int LogWrite(SafeFileHandle file, ReadOnlySpan<byte> bytes, out int written);

/// <summary>
/// The one queue and the one thread behind a path. Callers copy their line into the filling buffer under a lock that is never held over a system call; the thread takes
/// the whole buffer in exchange for an empty one and writes it with one call:
/// <code>
///   Append ─┐
///   Append ─┼─> filling buffer ──swap──> write(2), O_APPEND
///   Append ─┘   (bounded)
/// </code>
/// A thread and not a pool task, because a disk may stall it for as long as it likes.
/// </summary>
internal sealed class LogWriter
{
    private const int SmallBuffer = 4096;
    private const int KeptBuffer = 4 * RestBytes;

    // After a batch the thread rests, so that a busy proxy pays for fifty wake-ups a second and not for one a line; a buffer this full ends the rest.
    // It is real time also under a manual TimeProvider: nothing that a reader of the log can see depends on it.
    private const int RestMilliseconds = 20;
    private const int RestBytes = 64 * 1024;

    private readonly object _gate = new();
    private readonly string _path;
    private readonly LogSyntax _syntax;
    private readonly int _queueBytes;
    private readonly LogWrite _write;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SafeFileHandle _file;

    // Under _gate:
    private byte[] _filling = new byte[SmallBuffer];
    private int _filled;
    private long _refused;
    private long _linesLost;
    private bool _resting;
    private bool _ending;
    private TaskCompletionSource? _flush;
    private TaskCompletionSource<string?>? _reopen;

    // The thread's own:
    private byte[] _spare = new byte[SmallBuffer];
    private long _failed;
    private int _failure;
    private bool _lineIsCut;

    public LogWriter(string path, SafeFileHandle file, LogSyntax syntax, int queueBytes, LogWrite write)
    {
        _path = path;
        _file = file;
        _syntax = syntax;
        _queueBytes = queueBytes;
        _write = write;
        new Thread(Run) { IsBackground = true, Name = "ferry log" }.Start();
    }

    /// <summary>Lines that never reached the file, since it was opened first.</summary>
    public long LinesLost
    {
        get
        {
            lock (_gate)
                return _linesLost;
        }
    }

    /// <summary>Queues whole lines, each with its line feed. Never waits for the file; false when the queue is full and the lines are lost.</summary>
    public bool Append(ReadOnlySpan<byte> lines)
    {
        lock (_gate)
        {
            var wanted = _filled + lines.Length;
            if (_ending || wanted > _queueBytes)
            {
                var count = lines.Count((byte)'\n');
                _refused += count;
                _linesLost += count;
                if (_filled == 0)
                    Monitor.Pulse(_gate);
                return false;
            }
            if (wanted > _filling.Length)
                Array.Resize(ref _filling, Math.Max(wanted, Math.Min(_queueBytes, _filling.Length * 2)));
            lines.CopyTo(_filling.AsSpan(_filled));
            if (_resting ? _filled < RestBytes && wanted >= RestBytes : _filled == 0)
                Monitor.Pulse(_gate);
            _filled = wanted;
            return true;
        }
    }

    /// <summary>Ends when all lines appended before have been written, or were lost.</summary>
    public Task FlushAsync()
    {
        lock (_gate)
        {
            if (_ending)
                return _ended.Task;
            _flush ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Monitor.Pulse(_gate);
            return _flush.Task;
        }
    }

    /// <summary>Opens the path anew. Yields null, or why that failed; the old file is then kept.</summary>
    public Task<string?> ReopenAsync()
    {
        lock (_gate)
        {
            if (_ending)
                return Task.FromResult<string?>(null);
            _reopen ??= new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
            Monitor.Pulse(_gate);
            return _reopen.Task;
        }
    }

    /// <summary>Writes what is queued and closes the file.</summary>
    public Task EndAsync()
    {
        lock (_gate)
        {
            _ending = true;
            Monitor.Pulse(_gate);
            return _ended.Task;
        }
    }

    private void Run()
    {
        bool ending;
        do
        {
            byte[] batch;
            int length;
            long refused;
            TaskCompletionSource? flush;
            TaskCompletionSource<string?>? reopen;
            lock (_gate)
            {
                while (_filled == 0 && _refused == 0 && !IsCalled)
                    Monitor.Wait(_gate);
                (batch, length, refused, flush, reopen, ending) = (_filling, _filled, _refused, _flush, _reopen, _ending);
                (_filling, _filled, _refused, _flush, _reopen) = (_spare, 0, 0, null, null);
            }
            WriteBatch(batch.AsSpan(0, length), refused);
            _spare = batch.Length <= KeptBuffer ? batch : new byte[SmallBuffer];
            reopen?.SetResult(Reopen());
            flush?.SetResult();
            lock (_gate)
            {
                _resting = true;
                if (_filled < RestBytes && !IsCalled)
                    Monitor.Wait(_gate, RestMilliseconds);
                _resting = false;
            }
        }
        while (!ending);
        _file.Dispose();
        _ended.SetResult();
    }

    // Under _gate: somebody waits for the thread.
    private bool IsCalled => _ending || _flush is not null || _reopen is not null;

    // Lines that were refused came after those in the queue, so their notice comes behind; lines that failed come from an earlier batch, so theirs comes before.
    private void WriteBatch(ReadOnlySpan<byte> batch, long refused)
    {
        if (_failed > 0 && (batch.Length > 0 || refused > 0))
        {
            if (!TryWrite(Notice(_failed, AppendFile.Describe(_failure)), isNotice: true))
            {
                Lose(batch.Count((byte)'\n'), _failure);
                _failed += refused;
                return;
            }
            _failed = 0;
        }
        if (!TryWrite(batch, isNotice: false) || refused > 0 && !TryWrite(Notice(refused, "the queue was full"), isNotice: true))
            _failed += refused;
    }

    private bool TryWrite(ReadOnlySpan<byte> lines, bool isNotice)
    {
        if (lines.IsEmpty)
            return true;
        // A full disk may have taken half a line; what follows must not be glued to it.
        var errno = _lineIsCut ? _write(_file, "\n"u8, out _) : 0;
        if (errno == 0)
        {
            _lineIsCut = false;
            errno = _write(_file, lines, out var written);
            if (errno == 0)
                return true;
            _lineIsCut = written > 0 && lines[written - 1] != '\n';
            lines = lines[written..];
        }
        if (isNotice)
            _failure = errno;
        else
            Lose(lines.Count((byte)'\n'), errno);
        return false;
    }

    private void Lose(int lines, int errno)
    {
        _failed += lines;
        _failure = errno;
        lock (_gate)
            _linesLost += lines;
    }

    private byte[] Notice(long lines, string reason) => Encoding.UTF8.GetBytes(
        _syntax == LogSyntax.Json ? $"{{\"lines_lost\":{lines},\"reason\":\"{reason}\"}}\n" : $"# {lines} lines of this log were lost here: {reason}\n");

    private string? Reopen()
    {
        if (!AppendFile.TryOpen(_path, out var file, out var error))
            return error;
        _file.Dispose();
        _file = file;
        _lineIsCut = false;
        return null;
    }
}
