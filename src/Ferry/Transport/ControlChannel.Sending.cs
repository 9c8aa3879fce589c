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
    public async ValueTask FlushAsync()
    {
        Task? others = null;
        lock (_sync)
        {
            if (_sending)
                others = (_sent ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            else if (_outLength == 0)
                return;
            else
                _sending = true;
        }
        if (others is not null)
        {
            await others.ConfigureAwait(false);
            return;
        }
        try
        {
            while (TakeUnsent(out var bytes, out var length))
            {
                try
                {
                    await SendAllAsync(bytes.AsMemory(0, length), SocketFlags.None).ConfigureAwait(false);
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

    /// <summary>Sends a last line if that can be done at once and in order; for a channel that is about to be closed.</summary>
    public void TrySendLast(ReadOnlySpan<byte> line)
    {
        lock (_sync)
        {
            if (HasUnsent)
                return;
            try
            {
                BytesSent += _socket.Send(line, SocketFlags.None, out _);
            }
            catch (ObjectDisposedException)
            {
            }
        }
    }

    private bool TakeUnsent(out byte[] bytes, out int length)
    {
        TaskCompletionSource? sent;
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
        }
        sent?.SetResult();
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

    private async ValueTask SendAllAsync(ReadOnlyMemory<byte> bytes, SocketFlags flags)
    {
        while (bytes.Length > 0)
        {
            var sent = await _socket.SendAsync(bytes, flags).ConfigureAwait(false);
            BytesSent += sent;
            bytes = bytes[sent..];
        }
    }
}
