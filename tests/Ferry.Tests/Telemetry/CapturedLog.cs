using System.IO;
using System.Text;
using Ferry.Telemetry;
using Microsoft.Win32.SafeHandles;

namespace Ferry.Tests.Telemetry;

/// <summary>A log whose writes end up in memory, with a disk that can be held up or made to fail.</summary>
internal sealed class CapturedLog : IAsyncDisposable
{
    private const int NoSpace = 28;

    private readonly MemoryStream _bytes = new();
    private readonly ManualResetEventSlim _free = new(true);
    private readonly SemaphoreSlim _entered = new(0);
    private volatile int _failAfter = -1;

    public CapturedLog(LogSyntax syntax = LogSyntax.Text, int queueBytes = LogFiles.DefaultQueueBytes)
    {
        Files = new LogFiles(queueBytes, Write);
        Assert.True(Files.TryOpen("stderr", syntax, out var file, out _));
        File = file;
    }

    public LogFiles Files { get; }

    public LogFile File { get; }

    /// <summary>What was written so far, without asking the queue.</summary>
    public string Written
    {
        get
        {
            lock (_bytes)
                return Encoding.Latin1.GetString(_bytes.ToArray());
        }
    }

    public async Task<string> ReadAsync()
    {
        await File.FlushAsync().WaitAsync(TimeSpan.FromSeconds(30));
        return Written;
    }

    /// <summary>Writes wait from here on.</summary>
    public void Hold() => _free.Reset();

    public void Release() => _free.Set();

    /// <summary>Ends when the writer stands before the disk.</summary>
    public Task EnteredAsync() => _entered.WaitAsync(TimeSpan.FromSeconds(30));

    /// <summary>Writes take so many bytes more, then the disk is full.</summary>
    public void Fill(int bytesLeft) => _failAfter = bytesLeft;

    public void Empty() => _failAfter = -1;

    public async ValueTask DisposeAsync()
    {
        Release();
        await File.DisposeAsync();
    }

    private int Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, out int written)
    {
        _entered.Release();
        Assert.True(_free.Wait(TimeSpan.FromSeconds(30)));
        written = _failAfter < 0 ? bytes.Length : Math.Min(_failAfter, bytes.Length);
        lock (_bytes)
            _bytes.Write(bytes[..written]);
        if (_failAfter >= 0)
            _failAfter -= written;
        return written == bytes.Length ? 0 : NoSpace;
    }
}
