using System.Net;
using System.Net.Sockets;

namespace Ferry.Transport;

/// <summary>One leg of a transfer: the client's data connection or the server's, plain or in TLS. Owns its socket, and its TLS.</summary>
internal sealed partial class DataLeg : IDisposable
{
    private const int IPPROTO_TCP = 6;
    private const int TCP_INFO = 11;
    private const byte TCP_CLOSE = 7;

    public DataLeg(Socket socket)
    {
        // Non-blocking from the start: the relays call the kernel beside .NET's engine, and none of those calls may wait.
        socket.Blocking = false;
        Socket = socket;
        RemoteEndPoint = (IPEndPoint)socket.RemoteEndPoint!;
    }

    public Socket Socket { get; }

    /// <summary>The peer, kept because a closed socket no longer tells.</summary>
    public IPEndPoint RemoteEndPoint { get; }

    /// <summary>Whether <paramref name="exception"/> is what a call on a leg throws when its peer, or we, have ended it.</summary>
    public static bool IsEnd(Exception exception) => exception is SocketException or ObjectDisposedException;

    /// <summary>Ends when a <see cref="Receive"/> may find something; reads nothing (the result is 0) and holds no buffer.</summary>
    public ValueTask<int> WaitReadableAsync() => _tls is null ? Socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None) : WaitTlsReadableAsync(_tls);

    /// <summary>Reads what is there. Never waits.</summary>
    public LegReadStatus Receive(Span<byte> buffer, out int count)
    {
        if (_tls is not null)
            return ReceiveTls(_tls, buffer, out count);
        count = Socket.Receive(buffer, SocketFlags.None, out SocketError error);
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
            return SendPlainAsync(bytes);
        Write(bytes.Span);
        return FlushAsync();
    }

    /// <summary>Ends our direction, once everything sent before has gone out: FIN, in TLS behind a close_notify.</summary>
    /// <param name="isWhole">False in TLS: without close_notify, for a stream that was cut off.</param>
    /// <returns>False when the connection is gone, and the peer will not be told.</returns>
    public ValueTask<bool> TryEndAsync(bool isWhole) => _tls is null ? new(TryShutdown(SocketShutdown.Send)) : TryEndTlsAsync(_tls, isWhole);

    /// <summary>Ends the reading of the leg: a <see cref="WaitReadableAsync"/> in flight returns, without an exception. What the kernel has is still there to read.</summary>
    public void StopReceiving()
    {
        if (_tls is null)
            TryShutdown(SocketShutdown.Receive);
        else
            StopReceivingTls();
    }

    /// <summary>Ends all waiting for room on the leg: a <see cref="SendAsync"/> in flight fails with <see cref="SocketError.Shutdown"/>. Nothing more is sent but an end.</summary>
    public void StopSending()
    {
        if (_tls is null)
            TryShutdown(SocketShutdown.Send);
        else
            StopSendingTls();
    }

    /// <summary>Whether the kernel has given up the connection, which a read after it may show as a plain end of stream.</summary>
    /// <remarks>A reset is told once, to the first call of either direction; every later read returns 0. A connection that the peer ended
    /// in order, and we did not yet, is in CLOSE-WAIT.</remarks>
    public bool IsGone()
    {
        if (!OperatingSystem.IsLinux())
            return false;
        Span<byte> state = stackalloc byte[1];
        try
        {
            Socket.GetRawSocketOption(IPPROTO_TCP, TCP_INFO, state);
            return state[0] == TCP_CLOSE;
        }
        catch (Exception exception) when (IsEnd(exception))
        {
            return true;
        }
    }

    /// <summary>Throws away what the peer has sent and nobody will read, at most <paramref name="limit"/> bytes, and counts them off; waits for nothing.</summary>
    /// <returns>Whether the peer may send more: its end has not come, and the limit is not reached.</returns>
    public bool DiscardReceived(ref int limit)
    {
        Span<byte> buffer = stackalloc byte[8192];
        try
        {
            while (limit > 0)
            {
                int count = Socket.Receive(buffer, SocketFlags.None, out SocketError error);
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
    public void Reset() => Socket.Abort();

    public void Dispose()
    {
        Socket.Dispose();
        LeaveTls();
    }

    private async ValueTask SendPlainAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
            bytes = bytes[await Socket.SendAsync(bytes, SocketFlags.None).ConfigureAwait(false)..];
    }

    private bool TryShutdown(SocketShutdown direction)
    {
        try
        {
            Socket.Shutdown(direction);
            return true;
        }
        catch (Exception exception) when (IsEnd(exception))
        {
            return false;
        }
    }
}
