using System.Net;
using System.Net.Sockets;
using System.Text;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>One end of a control connection whose TLS is OpenSSL's own, so that a test can resume, and see what was resumed.</summary>
internal sealed class NativeWire : IDisposable
{
    private readonly byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;

    public NativeWire(Socket socket)
    {
        socket.NoDelay = true;
        socket.Blocking = false;
        Socket = socket;
    }

    public Socket Socket { get; }

    /// <summary>TLS while it is spoken.</summary>
    public TlsConnection? Tls { get; private set; }

    /// <summary>How TLS has ended; null while it has not.</summary>
    public TlsReadStatus? End { get; private set; }

    public static async Task<NativeWire> ConnectAsync(IPEndPoint to)
    {
        var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await Wait.For(socket.ConnectAsync(to), $"a connection to {to}");
        return new NativeWire(socket);
    }

    /// <summary>The next line without its end; null at the end of the connection, or of TLS.</summary>
    public async Task<string?> ReadLineAsync()
    {
        var line = new StringBuilder();
        while (true)
        {
            while (_start < _end)
            {
                var next = (char)_buffer[_start++];
                if (next == '\n')
                    return line.ToString().TrimEnd('\r');
                line.Append(next);
            }
            _start = 0;
            _end = await ReceiveAsync();
            if (_end == 0)
                return line.Length > 0 ? line.ToString() : null;
        }
    }

    /// <summary>Sends the lines, each with its CRLF, in one segment.</summary>
    public async Task SendAsync(params string[] lines)
    {
        var bytes = Encoding.Latin1.GetBytes(string.Join("\r\n", lines) + "\r\n");
        if (Tls is { } tls)
            await TlsConnectionPair.SendAsync(tls, bytes);
        else
            await Wait.For(Socket.SendAsync(bytes, SocketFlags.None), "a line to go out");
    }

    /// <summary>Shakes hands; false where that failed.</summary>
    public async Task<bool> StartTlsAsync(TlsConnection tls)
    {
        Assert.True(_start == _end, "Clear text came where TLS was to begin.");
        Tls = tls;
        return await Wait.For(tls.HandshakeAsync().AsTask(), "a TLS handshake");
    }

    /// <summary>Goes on in clear: close_notify out where it is wanted, and the other end's in.</summary>
    public async Task StopTlsAsync(bool notify = true)
    {
        if (notify)
            await Wait.For(Tls!.SendCloseNotifyAsync().AsTask(), "close_notify to go out");
        var (status, _) = await TlsConnectionPair.NextAsync(Tls!, Socket, new byte[1]);
        Assert.Equal(TlsReadStatus.CloseNotify, status);
        Tls!.Dispose();
        Tls = null;
    }

    public void Dispose()
    {
        Tls?.Dispose();
        Socket.DisposeWithConnection();
    }

    private async Task<int> ReceiveAsync()
    {
        if (Tls is not { } tls)
            return await Wait.For(Socket.ReceiveAsync(_buffer, SocketFlags.None), "a line on a control connection");
        var (status, count) = await TlsConnectionPair.NextAsync(tls, Socket, _buffer);
        if (status == TlsReadStatus.Data)
            return count;
        End = status;
        return status == TlsReadStatus.Failed ? throw new SocketException((int)SocketError.ConnectionReset) : 0;
    }
}
