using System.Buffers;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ferry.FunctionalTests.Harness;

/// <summary>
/// One end of a control connection in the hand of a test. A line is kept byte for byte as Latin-1 text (0xFF is U+00FF), so
/// Telnet bytes can be written down and compared. TCP_NODELAY is on: every send is a segment.
/// </summary>
internal sealed class LineWire : IDisposable
{
    private const int MaxLine = 1 << 20;

    private readonly List<string> _lines = [];
    private readonly byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;
    private TestTls? _tls;

    public LineWire(Socket socket)
    {
        socket.NoDelay = true;
        // Urgent bytes stay where they were sent, which is how a test sees them.
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.OutOfBandInline, true);
        Socket = socket;
    }

    public Socket Socket { get; }

    /// <summary>TLS, once it has been started and until it has been ended.</summary>
    public TestTls? Tls => _tls;

    public IPEndPoint LocalEndPoint => (IPEndPoint)Socket.LocalEndPoint!;

    public IPEndPoint RemoteEndPoint => (IPEndPoint)Socket.RemoteEndPoint!;

    /// <summary>Every line that came, without its CRLF.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
                return _lines.ToArray();
        }
    }

    /// <summary>The next line without its CRLF; null when the other end has closed in order. What came before the end without a CRLF is a line too.</summary>
    public async Task<string?> ReadLineAsync()
    {
        var line = new ArrayBufferWriter<byte>();
        while (true)
        {
            var feed = Array.IndexOf(_buffer, (byte)'\n', _start, _end - _start);
            var until = feed < 0 ? _end : feed + 1;
            line.Write(_buffer.AsSpan(_start, until - _start));
            _start = until;
            if (feed >= 0)
                return Keep(line.WrittenSpan);
            if (line.WrittenCount > MaxLine)
                throw new InvalidOperationException("The other end sent a line without end.");
            _start = 0;
            _end = await Wait.For(ReceiveAsync(), "a line on a control connection");
            if (_end == 0)
                return line.WrittenCount > 0 ? Keep(line.WrittenSpan) : null;
        }
    }

    /// <summary>Sends the lines, each with its CRLF, in one segment.</summary>
    public Task SendAsync(params string[] lines) => SendRawAsync(string.Concat(lines.Select(l => l + "\r\n")));

    /// <summary>Sends the text as it is, in one segment.</summary>
    public Task SendRawAsync(string text) => SendRawAsync(Encoding.Latin1.GetBytes(text));

    public async Task SendRawAsync(ReadOnlyMemory<byte> bytes)
    {
        if (_tls is not null)
        {
            await Wait.For(_tls.WriteAsync(bytes), "a control connection to take bytes");
            return;
        }
        while (bytes.Length > 0)
            bytes = bytes[await Wait.For(Socket.SendAsync(bytes, SocketFlags.None).AsTask(), "a control connection to take bytes")..];
    }

    /// <summary>Sends the text cut before the byte <paramref name="at"/>; the second part only when the first has been read.</summary>
    public async Task SendSplitAsync(string text, int at)
    {
        await SendRawAsync(text[..at]);
        await ReadByPeerAsync();
        await SendRawAsync(text[at..]);
    }

    /// <summary>Sends a byte a segment, each only when the one before has been read.</summary>
    public async Task SendBytewiseAsync(string text)
    {
        foreach (var letter in text)
        {
            await SendRawAsync(letter.ToString());
            await ReadByPeerAsync();
        }
    }

    /// <summary>Sends the text with its last byte as TCP urgent data, as <c>ABOR</c>'s IAC IP IAC DM is sent (RFC 854).</summary>
    public async Task SendUrgentAsync(string text) =>
        await Wait.For(Socket.SendAsync(Encoding.Latin1.GetBytes(text), SocketFlags.OutOfBand), "urgent data to go out");

    /// <summary>Ends when the other end has taken everything that was sent out of the kernel.</summary>
    public Task ReadByPeerAsync() => Wait.Until(() => KernelSockets.PeerHasReadAll(Socket), "the peer to read what was sent");

    /// <summary>Goes on in TLS. Clear text that came before, and was not read, fails the test.</summary>
    public async Task StartTlsAsync(Func<Socket, Task<TestTls>> handshake)
    {
        Assert.True(_start == _end, $"Clear text came where TLS was to begin: {Encoding.Latin1.GetString(_buffer, _start, _end - _start)}");
        _tls = await handshake(Socket);
    }

    /// <summary>Ends TLS from both ends and goes on in clear (CCC): close_notify out, then the other end's in.</summary>
    public async Task StopTlsAsync()
    {
        var tls = _tls ?? throw new InvalidOperationException("There is no TLS to end.");
        await Wait.For(tls.CloseNotifyAsync(), "close_notify to go out");
        Assert.True(await Wait.For(ReceiveAsync(), "the other end's close_notify") == 0 && !tls.Truncated, "The other end did not answer with close_notify.");
        tls.Dispose();
        _tls = null;
    }

    /// <summary>Ends our direction in order: close_notify where TLS is spoken, then FIN.</summary>
    public async Task EndSendAsync()
    {
        if (_tls is not null)
            await Wait.For(_tls.CloseNotifyAsync(), "close_notify to go out");
        ShutdownSend();
    }

    /// <summary>Ends our direction with FIN alone, in TLS without close_notify.</summary>
    public void ShutdownSend() => Socket.Shutdown(SocketShutdown.Send);

    /// <summary>Closes with RST.</summary>
    public void Reset()
    {
        Socket.LingerState = new LingerOption(true, 0);
        Dispose();
    }

    /// <summary>Closes, in TLS without close_notify.</summary>
    public void Dispose()
    {
        Socket.DisposeWithConnection();
        _tls?.Dispose();
    }

    private Task<int> ReceiveAsync() => _tls is null ? Socket.ReceiveAsync(_buffer, SocketFlags.None) : _tls.ReadAsync(_buffer);

    private string Keep(ReadOnlySpan<byte> bytes)
    {
        if (bytes.EndsWith("\n"u8))
            bytes = bytes[..^1];
        if (bytes.EndsWith("\r"u8))
            bytes = bytes[..^1];
        var line = Encoding.Latin1.GetString(bytes);
        lock (_lines)
            _lines.Add(line);
        return line;
    }
}
