using System.Net;
using System.Net.Sockets;

namespace Ferry.Transport;

/// <summary>One leg of a transfer: the client's data connection or the server's. Owns its socket.</summary>
internal sealed class DataLeg : IDisposable
{
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

    /// <summary>Ends when the leg has bytes, its end or an error to read; reads nothing and holds no buffer.</summary>
    public async ValueTask WaitReadableAsync() => await Socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None).ConfigureAwait(false);

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

    /// <summary>Closes the leg as an abort: the peer gets RST and cannot take what it has for a whole file. Ends any call in flight.</summary>
    public void Reset()
    {
        try
        {
            Socket.LingerState = new LingerOption(true, 0);
        }
        catch (SocketException)
        {
            // The peer was faster; closing is all that is left.
        }
        catch (ObjectDisposedException)
        {
            return;
        }
        Socket.Dispose();
    }

    public void Dispose() => Socket.Dispose();
}
