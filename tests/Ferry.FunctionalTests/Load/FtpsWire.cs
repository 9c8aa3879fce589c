using System.Net;
using System.Net.Sockets;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Load;

/// <summary>
/// A connection of the clients and servers under load, in clear until it is secured. Ferry's own TLS, since it is the one at hand that tells
/// every kind of end apart, resumes what it is told to, and costs little enough for hundreds of clients beside the proxy.
/// </summary>
internal sealed class FtpsWire : IDisposable
{
    public FtpsWire(Socket socket)
    {
        Socket = socket;
        socket.NoDelay = true;
        socket.Blocking = false;
    }

    public Socket Socket { get; }

    /// <summary>Null in clear.</summary>
    public TlsConnection? Tls { get; private set; }

    /// <summary>The other end has said that this was all: by close_notify, or in clear by FIN.</summary>
    public bool IsWhole { get; private set; }

    public static async Task<FtpsWire> ConnectAsync(IPAddress from, IPEndPoint to, CancellationToken ct)
    {
        var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(from, 0));
            await socket.ConnectAsync(to, ct);
            return new FtpsWire(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Speaks TLS from here on, if both ends come to it.</summary>
    public async Task<bool> SecureAsync(TlsConnection tls, CancellationToken ct)
    {
        Tls = tls;
        return await tls.HandshakeAsync().AsTask().WaitAsync(ct);
    }

    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        if (Tls is not null)
        {
            await Tls.SendAsync(bytes).AsTask().WaitAsync(ct);
            return;
        }
        while (bytes.Length > 0)
            bytes = bytes[await Socket.SendAsync(bytes, ct)..];
    }

    /// <summary>What comes next; 0 at the end, of which <see cref="IsWhole"/> tells the kind.</summary>
    public async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken ct)
    {
        if (Tls is null)
        {
            var received = await Socket.ReceiveAsync(buffer, ct);
            IsWhole |= received == 0;
            return received;
        }
        while (true)
        {
            if (!Tls.HasBuffered)
                await Socket.ReceiveAsync(Memory<byte>.Empty, ct);
            var status = Tls.Read(buffer.Span, out var count);
            await Tls.SendUnaskedAsync().AsTask().WaitAsync(ct);
            switch (status)
            {
                case TlsReadStatus.Data:
                    return count;
                case TlsReadStatus.CloseNotify:
                    IsWhole = true;
                    return 0;
                case TlsReadStatus.Truncated:
                    return 0;
                case TlsReadStatus.Failed:
                    throw new SocketException((int)SocketError.ConnectionReset);
            }
        }
    }

    /// <summary>Says that this was all: close_notify where TLS is spoken, and FIN.</summary>
    public async ValueTask EndAsync(CancellationToken ct)
    {
        if (Tls is null)
            Socket.Shutdown(SocketShutdown.Send);
        else if (!await Tls.EndSendAsync(notify: true).AsTask().WaitAsync(ct))
            throw new SocketException((int)SocketError.ConnectionReset);
    }

    /// <summary>Ends with FIN, and TLS not at all.</summary>
    public void CutOff() => Socket.Shutdown(SocketShutdown.Send);

    /// <summary>Ends with RST.</summary>
    public void Reset() => Socket.Close(0);

    public void Dispose()
    {
        Tls?.Dispose();
        Socket.DisposeWithConnection();
    }
}
