using System.Buffers;
using System.Net.Sockets;
using Ferry.Protocol;
using Ferry.Transport.Tls;

namespace Ferry.Transport;

// A control channel that TLS begins on, from its first byte or with AUTH, and ends on with CCC (RFC 4217).
internal sealed partial class ControlChannel
{
    private volatile TlsConnection? _tls;
    private bool _isChangingTls;
    private volatile bool _isUseless;

    /// <summary>The TLS in force; null where the channel is clear.</summary>
    public TlsConnection? Tls => _tls;

    /// <summary>What the handshake agreed on, which is remembered where TLS has ended; null where there was none.</summary>
    public TlsInfo? TlsInfo { get; private set; }

    /// <summary>The connection below, for a handshake to come.</summary>
    public Connection Connection => _connection;

    /// <summary>Sends what is written in clear, then shakes hands. What is written meanwhile goes out behind that, encrypted. Nothing may be <see cref="Buffered"/>.</summary>
    /// <param name="tls">Over <see cref="Connection"/>; owned from here on.</param>
    /// <param name="last">A last line in clear, which nothing that is written by another thread gets behind.</param>
    /// <returns>False where that failed; the connection says why, and the channel is of no use any more.</returns>
    /// <exception cref="SocketException">The connection failed before.</exception>
    public async ValueTask<bool> StartTlsAsync(TlsConnection tls, ReadOnlyMemory<byte> last = default)
    {
        var isDone = false;
        try
        {
            await BeginChangingAsync().ConfigureAwait(false);
            await SendAllAsync(last).ConfigureAwait(false);
            isDone = await tls.HandshakeAsync().ConfigureAwait(false);
        }
        finally
        {
            if (!isDone)
            {
                tls.Dispose();
                GiveUp();
            }
        }
        if (!isDone)
            return false;
        TlsInfo = tls.Info;
        GoOnWith(tls);
        await SendUnsentAsync().ConfigureAwait(false);
        return true;
    }

    /// <summary>Sends what is written, then leaves TLS. What is written meanwhile goes out behind that, in clear.</summary>
    /// <returns>False where the peer has ended the connection instead; the channel is of no use any more.</returns>
    /// <exception cref="SocketException">The connection failed.</exception>
    public async ValueTask<bool> StopTlsAsync()
    {
        var tls = _tls!;
        var isDone = false;
        try
        {
            await BeginChangingAsync().ConfigureAwait(false);
            isDone = await tls.StopAsync().ConfigureAwait(false) is { } clear && TryAppend(clear);
        }
        finally
        {
            if (!isDone)
                GiveUp();
        }
        if (!isDone)
            return false;
        GoOnWith(null);
        tls.Dispose();
        await SendUnsentAsync().ConfigureAwait(false);
        return true;
    }

    private void GoOnWith(TlsConnection? tls)
    {
        lock (_sync)
        {
            _tls = tls;
            _isChangingTls = false;
        }
    }

    private void GiveUp()
    {
        TaskCompletionSource? sent;
        lock (_sync)
        {
            _isUseless = true; // neither a clear line nor a record could be told from what went before
            _isChangingTls = false;
            sent = EndSending();
        }
        sent?.SetException(new SocketException((int)SocketError.ConnectionReset));
    }

    // A client that has not waited for the reply to CCC has sent its next commands in TLS.
    private bool TryAppend(ReadOnlySpan<byte> clear)
    {
        if (_in is null)
        {
            PutBack(clear);
            return true;
        }
        Compact();
        if (clear.Length > LineScanner.MaxLine - _end)
            return false;
        clear.CopyTo(_in.AsSpan(_end));
        _end += clear.Length;
        return true;
    }

    private async ValueTask<bool> FillTlsAsync(TlsConnection tls)
    {
        while (true)
        {
            if (tls.HasBuffered)
                await _connection.Loop.NextTurn();
            else
                await _connection.WaitReadableAsync().ConfigureAwait(false);
            if (_in is null)
                _in = ArrayPool<byte>.Shared.Rent(LineScanner.MaxLine);
            else if (_start > 0)
                Compact();
            var status = tls.Read(_in.AsSpan(_end, LineScanner.MaxLine - _end), out var received);
            await tls.SendUnaskedAsync().ConfigureAwait(false);
            switch (status)
            {
                case TlsReadStatus.Data:
                    _end += received;
                    BytesReceived += received;
                    return true;
                case TlsReadStatus.WouldBlock:
                    if (_start == _end)
                        Release();
                    continue;
                case TlsReadStatus.CloseNotify or TlsReadStatus.Truncated: // the end of a conversation, of which many clients make no ceremony
                    if (_start == _end)
                        Release();
                    return false;
                default:
                    if (_start == _end)
                        Release();
                    return _connection.HasEndedReading ? false : throw new SocketException((int)SocketError.ConnectionReset);
            }
        }
    }
}
