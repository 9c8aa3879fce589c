using System.IO;
using System.Net;
using System.Net.Sockets;
using Ferry.Transport.Linux;

namespace Ferry.FunctionalTests.Harness;

/// <summary>How the other end of a data connection ended it.</summary>
internal enum DataEnding
{
    /// <summary>Everything has come: FIN, or in TLS close_notify.</summary>
    Closed,

    /// <summary>In TLS, FIN without close_notify: what has come may not be the whole.</summary>
    Truncated,

    /// <summary>RST: what has come is not the whole.</summary>
    Reset,
}

/// <summary>What came over a data connection, and how it ended.</summary>
internal sealed record DataReceived(byte[] Bytes, DataEnding Ending);

/// <summary>One end of a data connection in the hand of a test.</summary>
internal sealed class DataEnd : IDisposable
{
    public DataEnd(Socket socket)
    {
        socket.NoDelay = true;
        Socket = socket;
        RemoteEndPoint = (IPEndPoint)socket.RemoteEndPoint!;
    }

    public Socket Socket { get; }

    /// <summary>TLS, once it has been started.</summary>
    public TestTls? Tls { get; private set; }

    public IPEndPoint RemoteEndPoint { get; }

    /// <summary>Connects, from a certain local address where one is given.</summary>
    /// <exception cref="SocketException">The connection was refused or reset.</exception>
    public static async Task<DataEnd> ConnectAsync(IPEndPoint to, IPAddress? from = null)
    {
        var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // One that does not read takes little, whatever the machine lets buffers grow to (net.ipv4.tcp_rmem).
            socket.ReceiveBufferSize = 1 << 20;
            if (from is not null)
                socket.Bind(new IPEndPoint(from, 0));
            await Wait.For(socket.ConnectAsync(to), $"a data connection to {to}");
            return new DataEnd(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Connects to a port that resets this connection, as one from a wrong address or a second one to a port. Whether connect already meets the reset is chance.</summary>
    public static async Task AssertResetAsync(IPEndPoint to, IPAddress? from = null)
    {
        try
        {
            using var data = await ConnectAsync(to, from);
            Assert.Equal(DataEnding.Reset, (await data.ReceiveToEndAsync()).Ending);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.NotConnected)
        {
            // The reset was there before connect had returned.
        }
    }

    /// <summary>Speaks TLS from here on, as its client.</summary>
    public async Task StartTlsAsync(TlsEnd end) => Tls = await TestTls.ConnectAsync(Socket, end);

    /// <summary>Speaks TLS from here on, as its server.</summary>
    public async Task AcceptTlsAsync(TlsEnd end) => Tls = await TestTls.AcceptAsync(Socket, end);

    /// <exception cref="SocketException">The other end reset the connection.</exception>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        if (Tls is not null)
        {
            await Wait.For(Tls.WriteAsync(bytes), "a data connection to take bytes");
            return;
        }
        while (bytes.Length > 0)
            bytes = bytes[await Wait.For(Socket.SendAsync(bytes, SocketFlags.None).AsTask(), "a data connection to take bytes")..];
    }

    /// <summary>Receives exactly so many bytes; fewer only where the other end closed.</summary>
    public async Task<byte[]> ReceiveAsync(int count)
    {
        var bytes = new byte[count];
        var have = 0;
        while (have < count)
        {
            var got = await Wait.For(ReadAsync(bytes.AsMemory(have)), "bytes on a data connection");
            if (got == 0)
                return bytes[..have];
            have += got;
        }
        return bytes;
    }

    /// <summary>Receives until the other end closes or resets.</summary>
    public async Task<DataReceived> ReceiveToEndAsync()
    {
        using var all = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (true)
        {
            int got;
            try
            {
                got = await Wait.For(ReadAsync(buffer), "bytes or the end on a data connection");
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
            {
                return new DataReceived(all.ToArray(), DataEnding.Reset);
            }
            if (got == 0)
                return new DataReceived(all.ToArray(), Tls is { Truncated: true } ? DataEnding.Truncated : DataEnding.Closed);
            all.Write(buffer, 0, got);
        }
    }

    /// <summary>Ends our direction in order: close_notify where TLS is spoken, then FIN.</summary>
    public async Task EndSendAsync()
    {
        if (Tls is not null)
            await Wait.For(Tls.CloseNotifyAsync(), "close_notify to go out");
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

    /// <summary>Closes, in TLS without close_notify; with RST if anything has come that was not read.</summary>
    public void Dispose()
    {
        Socket.DisposeWithConnection();
        Tls?.Dispose();
    }

    private Task<int> ReadAsync(Memory<byte> buffer) => Tls is null ? Socket.ReceiveAsync(buffer, SocketFlags.None).AsTask() : Tls.ReadAsync(buffer);
}

/// <summary>A data port that is open.</summary>
internal sealed class DataPort : IDisposable
{
    private readonly Socket _holder; // never listens
    private readonly Socket _listener;

    public DataPort(IPAddress address)
    {
        _holder = Bind(new IPEndPoint(address, 0));
        EndPoint = (IPEndPoint)_holder.LocalEndPoint!;
        _listener = Bind(EndPoint);
        _listener.Listen(16);
    }

    public IPEndPoint EndPoint { get; }

    /// <summary>The numbers of a 227: <c>h1,h2,h3,h4,p1,p2</c>.</summary>
    public string HostPort => HostPortOf(EndPoint);

    /// <summary>A usual 227 for the port.</summary>
    public string PasvReply => $"227 Entering Passive Mode ({HostPort}).";

    /// <summary>A usual 229 for the port.</summary>
    public string EpsvReply => $"229 Entering Extended Passive Mode (|||{EndPoint.Port}|)";

    public static string HostPortOf(IPEndPoint endPoint) =>
        $"{endPoint.Address.ToString().Replace('.', ',')},{endPoint.Port >> 8},{endPoint.Port & 255}";

    public async Task<DataEnd> AcceptAsync() => new(await Wait.For(_listener.AcceptAsync(), $"a data connection on {EndPoint}"));

    /// <summary>Whether a connection waits to be accepted.</summary>
    public bool HasVisitor => _listener.Poll(0, SelectMode.SelectRead);

    /// <summary>From now on whoever comes is refused. Disposed, the port could be the next one that some other test is given.</summary>
    public void Refuse() => _listener.Dispose();

    public void Dispose()
    {
        _listener.Dispose();
        _holder.Dispose();
    }

    /// <summary>A socket with an address that another one may have had, or has and does not listen on.</summary>
    public static Socket Bind(IPEndPoint endPoint)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.SetRawSocketOption(Libc.SOL_SOCKET, Libc.SO_REUSEADDR, BitConverter.GetBytes(1)); // .NET's option sets SO_REUSEPORT, too
        socket.Bind(endPoint);
        return socket;
    }
}
