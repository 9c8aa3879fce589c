using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Ferry.Transport.Linux;
using Ferry.Transport.Tls;

namespace Ferry.Transport;

// A leg in TLS. It differs from a plain one in its end, which is a message and not a state of the connection:
//
//   peer      close_notify  FIN      the stream is whole; what becomes of the connection after it matters no more
//                           FIN      the stream was cut off
//   we        close_notify  FIN      so neither shutdown(RECEIVE) nor shutdown(SEND) can serve to wake our own pumps: after the first
//                                    nobody can wait for the peer's end, and after the second our end looks cut off
internal sealed partial class DataLeg
{
    private TlsConnection? _tls;
    private volatile bool _isReceivingStopped;
    private int _isWaitingForRoom;
    private volatile bool _isSendingStopped;
    private bool _hasEnded;

    /// <summary>Whether the leg is in TLS.</summary>
    public bool IsTls => _tls is not null;

    /// <summary>A <see cref="Receive"/> may find something though the connection is not readable.</summary>
    public bool HasBuffered => _tls is { HasBuffered: true };

    /// <summary>Why TLS on the leg failed, in OpenSSL's words; null where it did not.</summary>
    public string? Failure => _tls?.Failure;

    /// <summary>From here on the leg is in TLS. Before its first byte; owns <paramref name="tls"/>, whose handshake is the caller's affair.</summary>
    public void Secure(TlsConnection tls)
    {
        // Handshakes are small messages that wait for one another, which Nagle's algorithm and a peer's delayed ACK make 40 ms each.
        Connection.TrySet(Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);
        _tls = tls;
    }

    /// <summary>Encrypts bytes, for the next <see cref="FlushAsync"/> to send. In TLS only.</summary>
    /// <exception cref="SocketException">The connection failed.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (!_tls!.TryWrite(bytes))
            throw new SocketException((int)SocketError.ConnectionReset);
    }

    /// <summary>Sends what was written; returns when the kernel has it. In TLS only.</summary>
    /// <exception cref="SocketException">The connection failed.</exception>
    public async ValueTask FlushAsync()
    {
        ValueTask sent = _tls!.FlushAsync();
        if (!sent.IsCompleted)
            WaitForRoom();
        await sent.ConfigureAwait(false);
        Volatile.Write(ref _isWaitingForRoom, 0);
    }

    /// <summary>Frees what TLS needs, and leaves the connection as it is. Nobody reads or writes the leg any more.</summary>
    public void LeaveTls() => _tls?.Dispose();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WaitTlsReadableAsync(TlsConnection tls)
    {
        if (tls.HasBuffered)
        {
            await Connection.Loop.NextTurn();
            return;
        }
        ValueTask answers = tls.SendUnaskedAsync();
        if (!answers.IsCompletedSuccessfully)
            _ = SettleAsync(answers); // not awaited: a peer that sends, and reads later, would stop the transfer
        ValueTask readable = Connection.WaitReadableAsync();
        if (_isReceivingStopped)
            Connection.CancelReading(); // the one of StopReceivingTls may have come before the wait
        await readable.ConfigureAwait(false);
    }

    private static async Task SettleAsync(ValueTask answers)
    {
        try
        {
            await answers.ConfigureAwait(false);
        }
        catch (Exception exception) when (IsEnd(exception))
        {
            // Who reads the leg finds that out.
        }
    }

    private static LegReadStatus ReceiveTls(TlsConnection tls, Span<byte> buffer, out int count) => tls.Read(buffer, out count) switch
    {
        TlsReadStatus.Data => LegReadStatus.Data,
        TlsReadStatus.WouldBlock => LegReadStatus.Nothing,
        TlsReadStatus.CloseNotify => LegReadStatus.Closed,
        TlsReadStatus.Truncated => LegReadStatus.Truncated,
        _ => LegReadStatus.Failed,
    };

    private async ValueTask<bool> TryEndTlsAsync(TlsConnection tls, bool isWhole)
    {
        if (_hasEnded)
            return true;
        _hasEnded = true;
        ValueTask<bool> ended = tls.EndSendAsync(isWhole);
        if (!ended.IsCompleted)
            WaitForRoom();
        bool isTold = await ended.ConfigureAwait(false);
        Volatile.Write(ref _isWaitingForRoom, 0);
        return isTold;
    }

    private void StopReceivingTls()
    {
        _isReceivingStopped = true;
        Connection.CancelReading();
    }

    private void StopSendingTls()
    {
        _isSendingStopped = true;
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _isWaitingForRoom) != 0)
            Connection.TryShutdown(SocketShutdown.Send);
    }

    /// <summary>Either this sees that sending is stopped, or <see cref="StopSendingTls"/> sees that somebody waits.</summary>
    private void WaitForRoom()
    {
        Interlocked.Exchange(ref _isWaitingForRoom, 1);
        // A stream that is left in the middle of a record cannot be ended in order any more; but its reader has not read for so long that there is no room.
        if (_isSendingStopped)
            Connection.TryShutdown(SocketShutdown.Send);
    }
}
