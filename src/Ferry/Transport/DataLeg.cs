using System.Net;
using System.Net.Sockets;

namespace Ferry.Transport;

/// <summary>One leg of a transfer: the client's data connection or the server's, plain or in TLS. Owns its connection, and its TLS.</summary>
/// <param name="connection">Owned.</param>
internal sealed partial class DataLeg(Connection connection) : IDisposable
{
    public Connection Connection { get; } = connection;

    public IPEndPoint RemoteEndPoint => Connection.RemoteEndPoint;

    /// <summary>Whether <paramref name="exception"/> is what a call on a leg throws when its peer, or we, have ended it.</summary>
    public static bool IsEnd(Exception exception) => exception is SocketException or ObjectDisposedException;

    /// <summary>Ends when a <see cref="Receive"/> may find something, not before the event loop's next turn; reads nothing and holds no buffer.</summary>
    public ValueTask WaitReadableAsync() => _tls is null ? Connection.WaitReadableAsync() : WaitTlsReadableAsync(_tls);

    /// <summary>Reads what is there. Never waits.</summary>
    public LegReadStatus Receive(Span<byte> buffer, out int count)
    {
        if (_tls is not null)
            return ReceiveTls(_tls, buffer, out count);
        count = Connection.Receive(buffer, out SocketError error);
        return error switch
        {
            SocketError.Success => count > 0 ? LegReadStatus.Data : LegReadStatus.Closed,
            SocketError.WouldBlock => LegReadStatus.Nothing,
            _ => LegReadStatus.Failed,
        };
    }

    /// <summary>Sends all of <paramref name="bytes"/>.</summary>
    /// <exception cref="SocketException">The connection failed.</exception>
    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        if (_tls is null)
            return Connection.SendAsync(bytes);
        Write(bytes.Span);
        return FlushAsync();
    }

    /// <summary>Ends our direction, once everything sent before has gone out: FIN, in TLS behind a close_notify.</summary>
    /// <param name="isWhole">False in TLS: without close_notify, for a stream that was cut off.</param>
    /// <returns>False when the connection is gone, and the peer will not be told.</returns>
    public ValueTask<bool> TryEndAsync(bool isWhole) => _tls is null ? new(Connection.TryShutdown(SocketShutdown.Send)) : TryEndTlsAsync(_tls, isWhole);

    /// <summary>Ends the reading of the leg: a <see cref="WaitReadableAsync"/> in flight returns, without an exception. What the kernel has is still there to read.</summary>
    public void StopReceiving()
    {
        if (_tls is null)
            Connection.TryShutdown(SocketShutdown.Receive);
        else
            StopReceivingTls();
    }

    /// <summary>Ends all waiting for room on the leg: a <see cref="SendAsync"/> in flight fails with <see cref="SocketError.Shutdown"/>. Nothing more is sent but an end.</summary>
    public void StopSending()
    {
        if (_tls is null)
            Connection.TryShutdown(SocketShutdown.Send);
        else
            StopSendingTls();
    }

    /// <summary>Whether the kernel has given up the connection, which a read after it may show as a plain end of stream.</summary>
    /// <remarks>A reset is told once, to the first call of either direction; every later read returns 0. A connection that the peer ended
    /// in order, and we did not yet, is in CLOSE-WAIT.</remarks>
    public bool IsGone() => Connection.IsGone();

    /// <summary>Throws away what the peer has sent and nobody will read, at most <paramref name="limit"/> bytes, and counts them off; waits for nothing.</summary>
    /// <returns>Whether the peer may send more: its end has not come, and the limit is not reached.</returns>
    public bool DiscardReceived(ref int limit)
    {
        Span<byte> buffer = stackalloc byte[8192];
        try
        {
            while (limit > 0)
            {
                int count = Connection.Receive(buffer, out SocketError error);
                if (count <= 0 || error != SocketError.Success)
                    return error == SocketError.WouldBlock;
                limit -= count;
            }
        }
        catch (ObjectDisposedException)
        {
            // Closed already: nothing is there.
        }
        return false;
    }

    /// <summary>Closes the connection as an abort: the peer gets RST and cannot take what it has for a whole file. Ends any call in flight.</summary>
    public void Reset() => Connection.Abort();

    public void Dispose()
    {
        Connection.Dispose();
        LeaveTls();
    }
}
