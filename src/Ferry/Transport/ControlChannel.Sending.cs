using System.Buffers;
using System.Net.Sockets;

namespace Ferry.Transport;

internal sealed partial class ControlChannel
{
    // A peer that reads nothing blocks the pump that writes to it, so this much is only ever reached by a fault of ours.
    private const int MaxUnsent = 256 * 1024;

    private readonly Lock _sync = new();
    private byte[]? _out;
    private int _outLength;
    private bool _sending;
    private bool _endsWhenSent;
    private TaskCompletionSource? _sent;

    /// <summary>Something was written that the kernel does not have yet.</summary>
    public bool HasUnsent
    {
        get
        {
            lock (_sync)
                return _sending || _outLength > 0;
        }
    }

    /// <summary>Puts bytes in line for <see cref="FlushAsync"/>; the order of calls is the order on the wire.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        lock (_sync)
        {
            var needed = _outLength + bytes.Length;
            if (needed > MaxUnsent)
                throw new InvalidOperationException("A control channel was written to without being flushed.");
            if (_out is null || _out.Length < needed)
            {
                var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, 512));
                if (_out is not null)
                {
                    _out.AsSpan(0, _outLength).CopyTo(larger);
                    ArrayPool<byte>.Shared.Return(_out);
                }
                _out = larger;
            }
            bytes.CopyTo(_out.AsSpan(_outLength));
            _outLength = needed;
        }
    }

    /// <summary>Sends everything written so far; returns when the kernel has it.</summary>
    /// <exception cref="SocketException">The connection failed.</exception>
    public ValueTask FlushAsync()
    {
        lock (_sync)
        {
            if (_sending)
                return new ValueTask((_sent ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task);
            if (_outLength == 0)
                return ValueTask.CompletedTask;
            _sending = true;
        }
        return SendUnsentAsync();
    }

    /// <summary>Sends everything written so far and holds back what is written from here on, until <see cref="SendUnsentAsync"/>: TLS begins or ends in between.</summary>
    private async ValueTask BeginChangingAsync()
    {
        while (true)
        {
            await FlushAsync().ConfigureAwait(false);
            lock (_sync)
            {
                if (!_sending && _outLength == 0)
                {
                    _sending = _isChangingTls = true;
                    return;
                }
            }
        }
    }

    /// <summary>Sends what is written, until there is no more. For the one who has set <see cref="_sending"/>.</summary>
    private async ValueTask SendUnsentAsync()
    {
        try
        {
            while (TakeUnsent(out var bytes, out var length))
            {
                try
                {
                    await SendAllAsync(bytes.AsMemory(0, length)).ConfigureAwait(false);
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(bytes);
                }
            }
        }
        catch (Exception failure)
        {
            EndSending()?.SetException(failure);
            throw;
        }
    }

    /// <summary>Ends both directions in order behind what was written and a last line, and returns at once: where something is being sent, its sender does it.
    /// A peer that takes nothing does not get the line. Whoever waits to read gets an end of stream, which costs far less than the exception of a closed socket.</summary>
    /// <param name="line">The last line; empty for none.</param>
    public void EndWith(ReadOnlySpan<byte> line)
    {
        lock (_sync)
        {
            if (_sending && !_isChangingTls && _connection.HasRoom() && _outLength + line.Length <= MaxUnsent)
            {
                if (line.Length > 0)
                    Write(line);
                _endsWhenSent = true;
                return;
            }
            if (!_sending && !_isUseless)
                SendAtOnce(line);
        }
        Shutdown();
    }

    // What is written and not flushed yet comes first; nobody else is sending, so nobody can get in between.
    private void SendAtOnce(ReadOnlySpan<byte> line)
    {
        if (line.Length > 0)
            Write(line);
        try
        {
            var rest = _out.AsSpan(0, _outLength);
            BytesSent += _tls is { } tls ? tls.TrySendLast(rest) : rest.Length > 0 ? _connection.Send(rest, out _) : 0;
        }
        catch (ObjectDisposedException)
        {
        }
        _outLength = 0;
    }

    private bool TakeUnsent(out byte[] bytes, out int length)
    {
        TaskCompletionSource? sent;
        bool ends;
        lock (_sync)
        {
            bytes = _out!;
            length = _outLength;
            _out = null;
            _outLength = 0;
            if (length > 0)
                return true;
            if (bytes is not null)
                ArrayPool<byte>.Shared.Return(bytes);
            // In the same breath as the look, or what is written in between would wait for the next flush.
            sent = EndSending();
            ends = _endsWhenSent;
        }
        sent?.SetResult();
        if (ends)
            Shutdown();
        return false;
    }

    private TaskCompletionSource? EndSending()
    {
        lock (_sync)
        {
            var sent = _sent;
            _sending = false;
            _sent = null;
            return sent;
        }
    }

    private async ValueTask SendAllAsync(ReadOnlyMemory<byte> bytes, bool isUrgent = false)
    {
        if (_isUseless)
            throw new SocketException((int)SocketError.ConnectionReset);
        if (_tls is { } tls)
        {
            await tls.SendAsync(bytes).ConfigureAwait(false); // urgent data stays in its place: a record has no urgent byte
            BytesSent += bytes.Length;
            return;
        }
        await _connection.SendAsync(bytes, isUrgent).ConfigureAwait(false);
        BytesSent += bytes.Length;
    }
}
