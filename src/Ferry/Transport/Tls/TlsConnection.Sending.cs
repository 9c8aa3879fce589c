using System.Net.Sockets;

namespace Ferry.Transport.Tls;

// Records are gathered and go out together: a system call a batch, not a record.
internal sealed partial class TlsConnection
{
    /// <summary>Output that reading has caused and the peer does not take: more than any honest peer asks for.</summary>
    private const int MostUnasked = 512 * 1024;

    private readonly TlsBatch _batch = new();
    private bool _draining;
    private TaskCompletionSource? _drained;

    /// <summary>Sends all of <paramref name="bytes"/>; returns when the kernel has them.</summary>
    /// <exception cref="SocketException">The connection failed.</exception>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var part = bytes[..Math.Min(bytes.Length, TlsBlocks.BatchSize)];
            if (!Encrypt(part.Span))
                throw new SocketException((int)SocketError.ConnectionReset);
            await DrainAsync().ConfigureAwait(false);
            bytes = bytes[part.Length..];
        }
    }

    /// <summary>Sends what reading has caused to be sent; without effect as a rule.</summary>
    /// <exception cref="SocketException">The connection failed.</exception>
    public ValueTask SendUnaskedAsync()
    {
        lock (_gate)
        {
            if (_draining || !HasOutput)
                return ValueTask.CompletedTask; // who is draining takes it along
        }
        return DrainAsync();
    }

    /// <summary>Ends our direction: close_notify where <paramref name="notify"/>, then FIN, behind all that was sent.</summary>
    /// <returns>False when the connection is gone.</returns>
    public async ValueTask<bool> EndSendAsync(bool notify)
    {
        try
        {
            if (notify && !Notify())
                return false;
            await DrainAsync().ConfigureAwait(false);
            _socket.Shutdown(SocketShutdown.Send);
            return true;
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
        return DrainAsync();
    }

    /// <summary>Sends a last line and close_notify if that can be done at once and in order.</summary>
    /// <returns>How many bytes went out, records and all.</returns>
    public unsafe int TrySendLast(ReadOnlySpan<byte> line)
    {
        lock (_gate)
        {
            if (_draining || _isBroken || !_isEstablished || _ssl.IsClosed)
                return 0;
            if (line.Length > 0)
                _ = Encrypt(line);
            _ = Notify();
            try
            {
                return _socket.Send(new ReadOnlySpan<byte>(_ssl.Wire->Out, _ssl.Wire->OutLength), SocketFlags.None, out _);
            }
            catch (ObjectDisposedException)
            {
                return 0;
            }
            finally
            {
                _ssl.Wire->OutLength = 0;
                _isBroken = true; // part of a record may have gone: nothing can follow
            }
        }
    }

    private unsafe bool Encrypt(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            if (_isBroken || _ssl.IsClosed)
                return false;
            if (bytes.Length >= 4096)
                _ssl.Wire->Reserve(bytes.Length + (((bytes.Length / 16384) + 1) * 325));
            fixed (byte* start = bytes)
            {
                var written = OpenSsl.SSL_write(_ssl.DangerousGetHandle(), start, bytes.Length);
                if (written == bytes.Length)
                    return true;
                // Output never blocks, so this is a failure.
                var reason = OpenSsl.TakeErrors();
                _ = Fail(reason.Length > 0 ? reason : "nothing can be written");
                return false;
            }
        }
    }

    private unsafe bool Notify()
    {
        lock (_gate)
        {
            if (_isBroken || !_isEstablished || _ssl.IsClosed)
                return false;
            _ = OpenSsl.SSL_shutdown(_ssl.DangerousGetHandle());
            OpenSsl.ERR_clear_error();
            return true;
        }
    }

    /// <summary>Gives the kernel all that OpenSSL has written, whoever caused it.</summary>
    private async ValueTask DrainAsync()
    {
        while (true)
        {
            Task others;
            lock (_gate)
            {
                if (!_draining)
                {
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
                ReadOnlyMemory<byte> rest = _batch.Memory;
                while (rest.Length > 0)
                    rest = rest[await _socket.SendAsync(rest, SocketFlags.None).ConfigureAwait(false)..];
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
                _isBroken = true;
                drained = EndDraining();
            }
            drained?.SetException(failure);
            throw;
        }
    }

    private unsafe bool HasOutput => !_ssl.IsClosed && _ssl.Wire->OutLength > 0;

    private unsafe bool TakeBatch()
    {
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
