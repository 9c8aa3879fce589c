using System.Net;
using System.Net.Sockets;

namespace Ferry.Transport;

/// <summary>One leg of a transfer: the client's data connection or the server's. Owns its socket.</summary>
internal sealed class DataLeg : IDisposable
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

    /// <summary>Ends when the leg has bytes, its end or an error to read; reads nothing (the result is 0) and holds no buffer.</summary>
    public ValueTask<int> WaitReadableAsync() => Socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None);

    /// <summary>Reads what is there; 0 is the end of the peer's stream.</summary>
    public ValueTask<int> ReceiveAsync(Memory<byte> buffer) => Socket.ReceiveAsync(buffer, SocketFlags.None);

    /// <summary>Sends all of <paramref name="bytes"/>.</summary>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
            bytes = bytes[await Socket.SendAsync(bytes, SocketFlags.None).ConfigureAwait(false)..];
    }

    /// <summary>Ends our direction in order (FIN) once everything sent before has gone out.</summary>
    public void ShutdownSend() => Socket.Shutdown(SocketShutdown.Send);

    /// <summary>As <see cref="ShutdownSend"/>; false when the connection is gone and the FIN will not be sent.</summary>
    public bool TryShutdownSend() => TryShutdown(SocketShutdown.Send);

    /// <summary>Ends the reading of the leg: a <see cref="WaitReadableAsync"/> in flight returns, without an exception. What the kernel has is still there to read.</summary>
    public void StopReceiving() => TryShutdown(SocketShutdown.Receive);

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

    /// <summary>Throws away what the peer has sent and nobody will read, at most <paramref name="limit"/> bytes; waits for nothing.</summary>
    public void DiscardReceived(int limit)
    {
        Span<byte> buffer = stackalloc byte[8192];
        try
        {
            while (limit > 0)
            {
                int count = Socket.Receive(buffer, SocketFlags.None, out SocketError error);
                if (count <= 0 || error != SocketError.Success)
                    return;
                limit -= count;
            }
        }
        catch (ObjectDisposedException)
        {
            // Closed already: nothing is there.
        }
    }

    /// <summary>Closes the leg as an abort: the peer gets RST and cannot take what it has for a whole file. Ends any call in flight.</summary>
    public void Reset() => Socket.Abort();

    public void Dispose() => Socket.Dispose();

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
