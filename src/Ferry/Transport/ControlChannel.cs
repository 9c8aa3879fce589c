using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Ferry.Protocol;
using Ferry.Transport.Linux;

namespace Ferry.Transport;

/// <summary>
/// One control connection, to a client or to a server. One reader at a time; any thread may write. A channel that waits holds no buffer.
/// </summary>
internal sealed partial class ControlChannel : IDisposable
{
    // The kernel's two hours are longer than any firewall remembers; cloud load balancers forget after four minutes.
    private const int KeepAliveSeconds = 120;

    private readonly Connection _connection;
    private byte[]? _in;
    private int _start;
    private int _end;

    /// <param name="connection">Owned.</param>
    /// <param name="noDelay">TCP_NODELAY.</param>
    /// <param name="keepAlive">SO_KEEPALIVE, after two minutes of silence.</param>
    /// <param name="urgent">Keep account of urgent data, which only clients send.</param>
    /// <exception cref="SocketException">The peer has gone already.</exception>
    public ControlChannel(Connection connection, bool noDelay, bool keepAlive, bool urgent)
    {
        _connection = connection;
        RemoteEndPoint = EndPoints.Plain(connection.RemoteEndPoint);
        LocalEndPoint = EndPoints.Plain(connection.LocalEndPoint);
        if (noDelay)
            connection.TrySet(Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);
        if (keepAlive)
        {
            connection.TrySet(Libc.SOL_SOCKET, Libc.SO_KEEPALIVE, 1);
            connection.TrySet(Libc.IPPROTO_TCP, Libc.TCP_KEEPIDLE, KeepAliveSeconds);
        }
        _seesUrgent = urgent;
        // Urgent data stays in line (RFC 1123 §4.1.2.10 for ABOR); without this its last byte would be lost to the reader.
        if (urgent)
            connection.TrySet(Libc.SOL_SOCKET, Libc.SO_OOBINLINE, 1);
    }

    /// <summary>The peer; or who is behind it, where it speaks for another.</summary>
    public IPEndPoint RemoteEndPoint { get; init; }

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
        if (_start > 0)
            Compact();
        while (true)
        {
            // Before an urgent byte has come there is no mark to be seen.
            await _connection.WaitReadableAsync().ConfigureAwait(false);
            _in ??= ArrayPool<byte>.Shared.Rent(LineScanner.MaxLine);
            NoteUrgentMark();
            var received = _connection.Receive(_in.AsSpan(_end, LineScanner.MaxLine - _end), out var error);
            if (error == SocketError.WouldBlock)
            {
                if (_end == 0)
                    Release();
                continue;
            }
            if (error != SocketError.Success && !_connection.HasEndedReading)
                throw new SocketException((int)error);
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
        _tls?.TrySendLast([]);
        _connection.TryShutdown(SocketShutdown.Send);
    }

    /// <summary>Ends both directions at once; without effect where that is done, or the peer has done it. Waits end with what the kernel then says.</summary>
    public void Shutdown()
    {
        _tls?.TrySendLast([]);
        _connection.TryShutdown(SocketShutdown.Both);
    }

    /// <summary>Closes in order: what was sent still arrives, because nothing is left unread (an unread byte would make the kernel send RST).</summary>
    public void Close()
    {
        ShutdownSend();
        try
        {
            Span<byte> unread = stackalloc byte[1024];
            for (var i = 0; i < 64 && _connection.Receive(unread, out _) > 0; i++)
            {
            }
        }
        catch (ObjectDisposedException)
        {
        }
        Dispose();
    }

    /// <summary>Closes the connection, which ends any call in flight with an error. The buffers go with the pumps that use them.</summary>
    public void Dispose()
    {
        _connection.Dispose();
        _tls?.Dispose();
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
