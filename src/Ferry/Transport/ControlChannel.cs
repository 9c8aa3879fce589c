using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Ferry.Protocol;
using Ferry.Transport.Linux;

namespace Ferry.Transport;

/// <summary>
/// One control connection, to a client or to a server. One reader at a time; any thread may write. A channel that waits holds no buffer.
/// </summary>
internal sealed class ControlChannel : IDisposable
{
    // A peer that reads nothing blocks the pump that writes to it, so this much is only ever reached by a fault of ours.
    private const int MaxUnsent = 256 * 1024;

    private readonly Socket _socket;
    private readonly Lock _sync = new();
    private byte[]? _in;
    private int _start;
    private int _end;
    private int _urgent = -1;
    private byte[]? _out;
    private int _outLength;
    private bool _sending;
    private TaskCompletionSource? _sent;

    /// <param name="socket">Connected; the channel owns it.</param>
    /// <param name="noDelay">TCP_NODELAY.</param>
    /// <param name="keepAlive">SO_KEEPALIVE.</param>
    public ControlChannel(Socket socket, bool noDelay, bool keepAlive)
    {
        _socket = socket;
        RemoteEndPoint = EndPoints.Plain((IPEndPoint)socket.RemoteEndPoint!);
        LocalEndPoint = EndPoints.Plain((IPEndPoint)socket.LocalEndPoint!);
        socket.Blocking = false;
        socket.NoDelay = noDelay;
        if (keepAlive)
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        // Urgent data stays in line (RFC 1123 §4.1.2.10 for ABOR); without this its last byte would be lost to the reader.
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.OutOfBandInline, true);
    }

    public IPEndPoint RemoteEndPoint { get; }

    public IPEndPoint LocalEndPoint { get; }

    /// <summary>Bytes received; read by any thread.</summary>
    public long BytesReceived { get; private set; }

    /// <summary>Bytes given to the kernel to send; read by any thread.</summary>
    public long BytesSent { get; private set; }

    /// <summary>What has been received and not consumed.</summary>
    public ReadOnlySpan<byte> Buffered => _in is null ? default : _in.AsSpan(_start, _end - _start);

    /// <summary>Offset in <see cref="Buffered"/> of a byte that was sent as urgent; -1 when there is none.</summary>
    public int UrgentOffset => _urgent < _start ? -1 : _urgent - _start;

    /// <summary>Waits until there is more than <see cref="Buffered"/> holds. Buffered must not be a full line's bound already.</summary>
    /// <returns>False at the end of the peer's stream.</returns>
    /// <exception cref="SocketException">The connection failed.</exception>
    public async ValueTask<bool> FillAsync()
    {
        while (true)
        {
            int received;
            if (_in is null)
            {
                _ = await _socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None).ConfigureAwait(false);
                _in = ArrayPool<byte>.Shared.Rent(LineScanner.MaxLine);
                received = _socket.Receive(_in.AsSpan(0, LineScanner.MaxLine), SocketFlags.None, out var error);
                if (error == SocketError.WouldBlock)
                {
                    Release();
                    continue;
                }
                if (error != SocketError.Success)
                    throw new SocketException((int)error);
            }
            else
            {
                if (_start > 0)
                    Compact();
                // A read ends before an urgent byte, so only a line that is cut here can have one next.
                if (Libc.IsAtUrgentMark(_socket.SafeHandle))
                    _urgent = _end;
                received = await _socket.ReceiveAsync(_in.AsMemory(_end, LineScanner.MaxLine - _end), SocketFlags.None).ConfigureAwait(false);
            }
            if (received == 0)
            {
                if (_start == _end)
                    Release();
                return false;
            }
            _end += received;
            BytesReceived += received;
            return true;
        }
    }

    /// <summary>Drops the first <paramref name="count"/> bytes of <see cref="Buffered"/>; the buffer goes back when it is empty.</summary>
    public void Consume(int count)
    {
        _start += count;
        if (_start == _end)
            Release();
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
            EndSending(failure);
            throw;
        }
    }

    /// <summary>Sends bytes of which the last is urgent (MSG_OOB), after everything written before. The channel must have one writer.</summary>
    public async ValueTask SendUrgentAsync(ReadOnlyMemory<byte> bytes)
    {
        await FlushAsync().ConfigureAwait(false);
        await SendAllAsync(bytes, SocketFlags.OutOfBand).ConfigureAwait(false);
    }

    /// <summary>Sends a last line if that can be done at once and in order; for a channel that is about to be closed.</summary>
    public void TrySendLast(ReadOnlySpan<byte> line)
    {
        lock (_sync)
        {
            if (_sending || _outLength > 0)
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

    /// <summary>Ends our direction in order (FIN).</summary>
    public void ShutdownSend()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The peer has gone already.
        }
        catch (ObjectDisposedException)
        {
        }
    }

    /// <summary>Closes in order: what was sent still arrives, because nothing is left unread (an unread byte would make the kernel send RST).</summary>
    public void Close()
    {
        ShutdownSend();
        try
        {
            Span<byte> unread = stackalloc byte[1024];
            for (var i = 0; i < 64 && _socket.Receive(unread, SocketFlags.None, out _) > 0; i++)
            {
            }
        }
        catch (ObjectDisposedException)
        {
        }
        Dispose();
    }

    /// <summary>Closes as an abort (RST). Ends any call in flight.</summary>
    public void Reset()
    {
        try
        {
            _socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
        Dispose();
    }

    /// <summary>Closes the socket, which ends any call in flight with an error. The buffers go with the pumps that use them.</summary>
    public void Dispose() => _socket.Dispose();

    private bool TakeUnsent(out byte[] bytes, out int length)
    {
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
        }
        EndSending(null);
        return false;
    }

    private void EndSending(Exception? failure)
    {
        TaskCompletionSource? sent;
        lock (_sync)
        {
            _sending = false;
            sent = _sent;
            _sent = null;
        }
        if (failure is null)
            sent?.SetResult();
        else
            sent?.SetException(failure);
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

    private void Compact()
    {
        _in.AsSpan(_start, _end - _start).CopyTo(_in);
        _end -= _start;
        _urgent = _urgent < _start ? -1 : _urgent - _start;
        _start = 0;
    }

    private void Release()
    {
        if (_in is not null)
            ArrayPool<byte>.Shared.Return(_in);
        _in = null;
        _start = _end = 0;
        _urgent = -1;
    }
}
