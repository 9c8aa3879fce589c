using System.Net.Sockets;

namespace Ferry.Transport.Tls;

// Records are gathered and go out together: a system call a batch, not a record.
internal sealed partial class TlsConnection
{
    /// <summary>Output that reading has caused and the peer does not take: more than any honest peer asks for.</summary>
    private const int MostUnasked = 512 * 1024;

    private readonly TlsBatch _batch = new();
    private int _held;
    private bool _draining;
    private bool _isMute;
    private bool _isReset;
    private TaskCompletionSource? _drained;

    /// <summary>Sends all of <paramref name="bytes"/>; returns when the kernel has them.</summary>
    /// <exception cref="SocketException">The connection failed.</exception>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var part = bytes[..Math.Min(bytes.Length, TlsBlocks.BatchSize)];
            if (!TryWrite(part.Span))
                throw new SocketException((int)SocketError.ConnectionReset);
            await FlushAsync().ConfigureAwait(false);
            bytes = bytes[part.Length..];
        }
    }

    /// <summary>Sends what reading has caused to be sent; without effect as a rule.</summary>
    /// <exception cref="SocketException">The connection failed.</exception>
    public ValueTask SendUnaskedAsync()
    {
        lock (_gate)
        {
            if (_draining || !HasOutput || OnlyTicketsWait)
                return ValueTask.CompletedTask; // who is draining takes it along, or who writes next
        }
        return FlushAsync();
    }

    /// <summary>Ends our direction: close_notify where <paramref name="notify"/>, then FIN, behind all that was sent.</summary>
    /// <returns>False when the connection is gone.</returns>
    public async ValueTask<bool> EndSendAsync(bool notify)
    {
        try
        {
            if (notify && !Notify())
                return false;
            await FlushAsync().ConfigureAwait(false);
            return _connection.TryShutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>Sends close_notify, and waits for nothing else.</summary>
    /// <exception cref="SocketException">The connection failed.</exception>
    public ValueTask SendCloseNotifyAsync()
    {
        _ = Notify();
        return FlushAsync();
    }

    /// <summary>Sends a last line and close_notify if that can be done at once and in order.</summary>
    /// <returns>How many bytes of the line went out.</returns>
    public unsafe int TrySendLast(ReadOnlySpan<byte> line)
    {
        lock (_gate)
        {
            if (_draining || _isBroken || !_isEstablished || _ssl.IsClosed)
                return 0;
            if (line.Length > 0)
                _ = TryWrite(line);
            _ = Notify();
            var records = new ReadOnlySpan<byte>(_ssl.Wire->Out, _ssl.Wire->OutLength);
            try
            {
                return records.IsEmpty || _connection.Send(records, out _) == records.Length ? line.Length : 0;
            }
            catch (ObjectDisposedException)
            {
                return 0;
            }
            finally
            {
                _isBroken = _isMute = true; // part of a record may have gone: nothing can follow
                _ssl.Wire->DropOutput();
            }
        }
    }

    /// <summary>Encrypts bytes, for the next <see cref="FlushAsync"/> to send.</summary>
    /// <returns>False when the connection can carry nothing more.</returns>
    public unsafe bool TryWrite(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            if (_isBroken || !_isEstablished || _ssl.IsClosed)
                return false;
            if (bytes.Length >= 4096)
                _ssl.Wire->Reserve(_ssl.Wire->OutLength == 0 ? TlsBlocks.LargeSize : bytes.Length + TlsBlocks.OverheadOf(bytes.Length));
            OpenSsl.ForgetErrors();
            fixed (byte* start = bytes)
            {
                var done = 0;
                while (done < bytes.Length)
                {
                    // One record a call, where the context allows partial writes.
                    var written = OpenSsl.SSL_write(_ssl.DangerousGetHandle(), start + done, bytes.Length - done);
                    if (written <= 0)
                    {
                        // Output never blocks, so this is a failure: OpenSSL's own, or a peer that has sent a part of a message only, behind which nothing may be written.
                        var reason = OpenSsl.TakeErrors();
                        _ = Fail(reason.Length > 0 ? reason : "the peer has sent half a message");
                        return false;
                    }
                    done += written;
                }
                return true;
            }
        }
    }

    private unsafe bool Notify()
    {
        lock (_gate)
        {
            if (_isBroken || !_isEstablished || _ssl.IsClosed)
                return false;
            var ssl = _ssl.DangerousGetHandle();
            // A second time, OpenSSL would read instead, and throw away what it finds.
            if ((OpenSsl.SSL_get_shutdown(ssl) & OpenSsl.SSL_SENT_SHUTDOWN) != 0)
                return true;
            OpenSsl.ForgetErrors();
            _ = OpenSsl.SSL_shutdown(ssl);
            OpenSsl.ERR_clear_error();
            return (OpenSsl.SSL_get_shutdown(ssl) & OpenSsl.SSL_SENT_SHUTDOWN) != 0;
        }
    }

    /// <summary>Gives the kernel all that OpenSSL has written, whoever caused it.</summary>
    /// <exception cref="SocketException">The connection failed.</exception>
    public async ValueTask FlushAsync()
    {
        while (true)
        {
            Task others;
            lock (_gate)
            {
                if (!_draining)
                {
                    // What was written is gone with the connection, and must not pass for sent.
                    ObjectDisposedException.ThrowIf(_ssl.IsClosed, this);
                    if (_isMute)
                        throw new SocketException((int)SocketError.ConnectionReset);
                    if (!TakeBatch())
                        return;
                    _draining = true;
                    break;
                }
                others = (_drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }
            await others.ConfigureAwait(false);
        }
        try
        {
            bool more;
            do
            {
                await _connection.SendAsync(_batch.Memory).ConfigureAwait(false);
                TaskCompletionSource? drained = null;
                lock (_gate)
                {
                    _batch.Release();
                    more = TakeBatch();
                    if (!more)
                        drained = EndDraining();
                }
                drained?.SetResult();
            }
            while (more);
        }
        catch (Exception failure)
        {
            TaskCompletionSource? drained;
            lock (_gate)
            {
                _batch.Release();
                _isBroken = _isMute = _isReset = true;
                drained = EndDraining();
            }
            drained?.SetException(failure);
            throw;
        }
    }

    private unsafe bool HasOutput => !_ssl.IsClosed && !_isMute && _ssl.Wire->OutLength > 0;

    /// <summary>Nothing is to be sent but tickets, which nobody waits for: they go with what is written next, and save a packet.</summary>
    private unsafe bool OnlyTicketsWait
    {
        get
        {
            lock (_gate)
                return _held > 0 && !_ssl.IsClosed && _ssl.Wire->OutLength == _held;
        }
    }

    /// <summary>In TLS 1.3 the server's last words of a handshake are tickets; in those before it, its Finished may be.</summary>
    private unsafe void HoldTickets()
    {
        if (_isServer && Info!.Protocol == "TLSv1.3")
            _held = _ssl.Wire->OutLength;
    }

    private unsafe bool TakeBatch()
    {
        _held = 0;
        if (!HasOutput)
            return false;
        _batch.TakeFrom(_ssl.Wire);
        return true;
    }

    private TaskCompletionSource? EndDraining()
    {
        _draining = false;
        var drained = _drained;
        _drained = null;
        return drained;
    }
}
