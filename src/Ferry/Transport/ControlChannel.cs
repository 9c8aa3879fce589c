using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Ferry.Protocol;

namespace Ferry.Transport;

/// <summary>
/// One control connection, to a client or to a server. One reader at a time; any thread may write. A channel that waits holds no buffer.
/// </summary>
internal sealed partial class ControlChannel : IDisposable
{
    /// <summary>A reader that never has to wait, because its peer floods it, lets others have the thread after so many reads.
    /// The thread may be the heartbeat's or an accept loop's, which go on with a pump that they have set free.</summary>
    private const int ReadsPerTurn = 32;

    // The kernel's two hours are longer than any firewall remembers; cloud load balancers forget after four minutes.
    private const int KeepAliveSeconds = 120;

    private readonly Socket _socket;
    private byte[]? _in;
    private int _readsInTurn;
    private int _start;
    private int _end;

    /// <param name="socket">Connected; the channel owns it.</param>
    /// <param name="noDelay">TCP_NODELAY.</param>
    /// <param name="keepAlive">SO_KEEPALIVE, after two minutes of silence.</param>
    /// <param name="urgent">Keep account of urgent data, which only clients send.</param>
    public ControlChannel(Socket socket, bool noDelay, bool keepAlive, bool urgent)
    {
        _socket = socket;
        RemoteEndPoint = EndPoints.Plain((IPEndPoint)socket.RemoteEndPoint!);
        LocalEndPoint = EndPoints.Plain((IPEndPoint)socket.LocalEndPoint!);
        socket.Blocking = false;
        socket.NoDelay = noDelay;
        if (keepAlive)
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveSeconds);
        }
        _seesUrgent = urgent;
        // Urgent data stays in line (RFC 1123 §4.1.2.10 for ABOR); without this its last byte would be lost to the reader.
        if (urgent)
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

    /// <summary>Waits until there is more than <see cref="Buffered"/> holds. Buffered must not be a full line's bound already.</summary>
    /// <returns>False at the end of the peer's stream.</returns>
    /// <exception cref="SocketException">The connection failed.</exception>
    public ValueTask<bool> FillAsync() =>
        _isUseless ? throw new SocketException((int)SocketError.ConnectionReset) : _tls is { } tls ? FillTlsAsync(tls) : FillClearAsync();

    private async ValueTask<bool> FillClearAsync()
    {
        while (true)
        {
            int received;
            if (_in is null)
            {
                var readable = _socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None);
                if (IsTurnOver(readable.IsCompleted))
                    await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                _ = await readable.ConfigureAwait(false);
                _in = ArrayPool<byte>.Shared.Rent(LineScanner.MaxLine);
                NoteUrgentMark();
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
                // Before the byte has come there is no mark to be seen.
                var readable = _socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None);
                if (IsTurnOver(readable.IsCompleted))
                    await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                _ = await readable.ConfigureAwait(false);
                NoteUrgentMark();
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

    /// <summary>Has <paramref name="bytes"/>, at most <see cref="LineScanner.MaxLine"/>, read a second time. Nothing may be <see cref="Buffered"/>.</summary>
    public void PutBack(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            return;
        _in = ArrayPool<byte>.Shared.Rent(LineScanner.MaxLine);
        bytes.CopyTo(_in);
        _start = 0;
        _end = bytes.Length;
    }

    /// <summary>Ends our direction in order (close_notify where it is TLS, and FIN).</summary>
    public void ShutdownSend()
    {
        try
        {
            _tls?.TrySendLast([]);
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

    /// <summary>Ends both directions at once; without effect where that is done.</summary>
    public void Shutdown()
    {
        try
        {
            _tls?.TrySendLast([]);
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            Dispose(); // the peer has gone already
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

    /// <summary>Closes the socket, which ends any call in flight with an error. The buffers go with the pumps that use them.</summary>
    public void Dispose()
    {
        _socket.Dispose();
        _tls?.Dispose();
    }

    /// <summary>Whether the reader has gone on for so long that it must yield before it reads what is there already.</summary>
    private bool IsTurnOver(bool isThere)
    {
        if (isThere && ++_readsInTurn < ReadsPerTurn)
            return false;
        _readsInTurn = 0;
        return isThere;
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
