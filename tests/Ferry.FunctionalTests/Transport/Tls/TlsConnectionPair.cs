using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport.Tls;
using TlsWire = Ferry.Transport.Tls.TlsWire;

namespace Ferry.FunctionalTests.Transport.Tls;

/// <summary>Two TLS connections that are each other's peer, over TCP on the loopback.</summary>
internal sealed partial class TlsConnectionPair : IDisposable
{
    public const int SSL_KEY_UPDATE_REQUESTED = 1;

    private TlsConnectionPair(TlsConnection client, Socket clientSocket, TlsConnection server, Socket serverSocket)
    {
        Client = client;
        ClientSocket = clientSocket;
        Server = server;
        ServerSocket = serverSocket;
    }

    public TlsConnection Client { get; }

    public Socket ClientSocket { get; }

    public TlsConnection Server { get; }

    public Socket ServerSocket { get; }

    /// <summary>Two ends of a TCP connection that do not block.</summary>
    public static (Socket Client, Socket Server) Connect()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.Connect(listener.LocalEndPoint!);
        var server = listener.Accept();
        server.NoDelay = true;
        client.Blocking = server.Blocking = false;
        return (client, server);
    }

    /// <summary>Two ends before their handshake.</summary>
    public static TlsConnectionPair Create(TlsContext client, TlsContext server, bool isData = false, TlsSession? resume = null, TlsOrigin? origin = null, int tickets = 1)
    {
        var (c, s) = Connect();
        return new TlsConnectionPair(
            TlsConnection.Connect(client, c.AsConnection(), isData, TlsPeerName.Any, resume), c,
            origin is null ? TlsConnection.AcceptControl(server, s.AsConnection()) : TlsConnection.AcceptData(origin, s.AsConnection(), tickets), s);
    }

    /// <summary>Two ends behind their handshake.</summary>
    public static async Task<TlsConnectionPair> ShakenAsync(
        TlsContext client, TlsContext server, bool isData = false, TlsSession? resume = null, TlsOrigin? origin = null, int tickets = 1)
    {
        var pair = Create(client, server, isData, resume, origin, tickets);
        await pair.ShakeHandsAsync();
        return pair;
    }

    public async Task ShakeHandsAsync()
    {
        var shaken = await Wait.For(Task.WhenAll(Client.HandshakeAsync().AsTask(), Server.HandshakeAsync().AsTask()), "the handshake");
        Assert.True(shaken[0] && shaken[1], $"client: {Client.Failure}; server: {Server.Failure}");
    }

    /// <summary>Has the client read what the server has sent behind its handshake: its tickets, and nothing else.</summary>
    public async Task TakeTicketsAsync()
    {
        Assert.Equal(3, await SendAsync(Server, "end"u8.ToArray()));
        Assert.Equal("end", await ReadTextAsync(Client, ClientSocket, 3));
    }

    public static async Task<int> SendAsync(TlsConnection connection, byte[] bytes)
    {
        await Wait.For(connection.SendAsync(bytes).AsTask(), $"{bytes.Length} bytes to be sent");
        return bytes.Length;
    }

    /// <summary>So many bytes, or fewer where the stream ends before.</summary>
    public static async Task<byte[]> ReadAsync(TlsConnection connection, Socket socket, int count)
    {
        var bytes = new byte[count];
        var done = 0;
        while (done < count)
        {
            var (status, read) = await NextAsync(connection, socket, bytes.AsMemory(done));
            if (status != TlsReadStatus.Data)
                break;
            done += read;
        }
        return bytes[..done];
    }

    public static async Task<string> ReadTextAsync(TlsConnection connection, Socket socket, int count) =>
        Encoding.Latin1.GetString(await ReadAsync(connection, socket, count));

    /// <summary>Everything up to the end, and the end.</summary>
    public static async Task<(byte[] Bytes, TlsReadStatus End)> ReadToEndAsync(TlsConnection connection, Socket socket)
    {
        using var all = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var (status, count) = await NextAsync(connection, socket, buffer);
            if (status != TlsReadStatus.Data)
                return (all.ToArray(), status);
            all.Write(buffer, 0, count);
        }
    }

    /// <summary>What comes next, waited for.</summary>
    public static async Task<(TlsReadStatus Status, int Count)> NextAsync(TlsConnection connection, Socket socket, Memory<byte> buffer)
    {
        try
        {
            while (true)
            {
                if (!connection.HasBuffered)
                    await Wait.For(socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None).AsTask(), "the peer to send");
                var status = connection.Read(buffer.Span, out var count);
                await Wait.For(connection.SendUnaskedAsync().AsTask(), "answers to be sent");
                if (status != TlsReadStatus.WouldBlock)
                    return (status, count);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return (TlsReadStatus.Failed, 0);
        }
    }

    /// <summary>The wire below a connection.</summary>
    public static unsafe TlsWire Wire(TlsConnection connection) => *Ssl(connection).Wire;

    /// <summary>Has a connection send KeyUpdates (RFC 8446 §4.6.3) with its next bytes, which ask for one in return.</summary>
    public static async Task SendKeyUpdatesAsync(TlsConnection connection, int count) => Assert.True(await TrySendKeyUpdatesAsync(connection, count), "OpenSSL would not change its keys.");

    /// <summary>The same, for who does not know whether the connection is still good for it.</summary>
    public static async Task<bool> TrySendKeyUpdatesAsync(TlsConnection connection, int count)
    {
        for (var i = 0; i < count; i++)
        {
            if (!AddKeyUpdate(Ssl(connection).DangerousGetHandle()))
                return false;
        }
        await connection.SendUnaskedAsync();
        return true;
    }

    /// <summary>Has a connection do what Ferry's never do.</summary>
    public static void AllowRenegotiation(TlsConnection connection) => _ = SSL_clear_options(Ssl(connection).DangerousGetHandle(), OpenSsl.SSL_OP_NO_RENEGOTIATION);

    /// <summary>Has a connection ask for another handshake (RFC 5246 §7.4.1.1).</summary>
    public static void AskForRenegotiation(TlsConnection connection)
    {
        var ssl = Ssl(connection).DangerousGetHandle();
        Assert.Equal(1, SSL_renegotiate(ssl));
        _ = OpenSsl.SSL_do_handshake(ssl);
        OpenSsl.ERR_clear_error();
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_ssl")]
    public static extern ref SafeSslHandle Ssl(TlsConnection connection);

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
        ClientSocket.DisposeWithConnection();
        ServerSocket.DisposeWithConnection();
    }

    private static bool AddKeyUpdate(nint ssl)
    {
        var isAdded = SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) == 1 && OpenSsl.SSL_do_handshake(ssl) == 1;
        OpenSsl.ERR_clear_error();
        return isAdded;
    }

    [LibraryImport(OpenSsl.Ssl)]
    private static partial int SSL_key_update(nint ssl, int type);

    [LibraryImport(OpenSsl.Ssl)]
    private static partial ulong SSL_clear_options(nint ssl, ulong options);

    [LibraryImport(OpenSsl.Ssl)]
    private static partial int SSL_renegotiate(nint ssl);
}
