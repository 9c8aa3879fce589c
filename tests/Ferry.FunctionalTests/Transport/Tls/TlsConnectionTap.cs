using System.Net.Sockets;
using System.Runtime.InteropServices;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Transport.Tls;

/// <summary>Two TLS connections with the test between them, which carries every byte itself.</summary>
internal sealed partial class TlsConnectionTap : IDisposable
{
    private readonly byte[] _buffer = new byte[1 << 20];

    public TlsConnectionTap(TlsContext client, TlsContext server, TlsSession? resume = null)
    {
        (ClientSocket, BehindClient) = SocketPair();
        (ServerSocket, BehindServer) = SocketPair();
        Client = TlsConnection.Connect(client, ClientSocket.AsConnection(), isData: false, TlsPeerName.Any, resume);
        Server = TlsConnection.AcceptControl(server, ServerSocket.AsConnection());
    }

    public TlsConnection Client { get; }

    public TlsConnection Server { get; }

    public Socket ClientSocket { get; }

    public Socket ServerSocket { get; }

    /// <summary>Where the client's bytes come out.</summary>
    public Socket BehindClient { get; }

    /// <summary>Where the server's bytes come out.</summary>
    public Socket BehindServer { get; }

    /// <summary>Two connected sockets of the kernel's own, which need no port.</summary>
    public static (Socket One, Socket Other) SocketPair()
    {
        var numbers = new int[2];
        const int AF_UNIX = 1, SOCK_STREAM_CLOEXEC = 1 | 0x80000;
        Assert.Equal(0, socketpair(AF_UNIX, SOCK_STREAM_CLOEXEC, 0, numbers));
        return (Own(numbers[0]), Own(numbers[1]));

        static Socket Own(int number) => new(new SafeSocketHandle(number, ownsHandle: true)) { Blocking = false };
    }

    /// <summary>What comes next in one go; empty at the end.</summary>
    public async Task<byte[]> TakeAsync(Socket from) =>
        _buffer[..await Wait.For(from.ReceiveAsync(_buffer, SocketFlags.None), "bytes on their way")];

    public static async Task GiveAsync(Socket to, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            while (bytes.Length > 0)
                bytes = bytes[await Wait.For(to.SendAsync(bytes, SocketFlags.None).AsTask(), "room on the way")..];
        }
        catch (SocketException)
        {
            // The other end has seen enough.
        }
    }

    /// <summary>Gives the bytes and then an end.</summary>
    public static async Task GiveLastAsync(Socket to, ReadOnlyMemory<byte> bytes)
    {
        await GiveAsync(to, bytes);
        to.Shutdown(SocketShutdown.Send);
    }

    /// <summary>Shakes hands, with nothing in between.</summary>
    public async Task ShakeHandsAsync()
    {
        var shaken = Task.WhenAll(Client.HandshakeAsync().AsTask(), Server.HandshakeAsync().AsTask());
        while (!shaken.IsCompleted)
        {
            await CarryAsync(BehindClient, BehindServer);
            await CarryAsync(BehindServer, BehindClient);
            await Task.Yield();
        }
        Assert.True((await shaken)[0] && shaken.Result[1], $"client: {Client.Failure}; server: {Server.Failure}");
        await CarryAsync(BehindServer, BehindClient); // tickets
    }

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
        ClientSocket.DisposeWithConnection();
        ServerSocket.DisposeWithConnection();
        BehindClient.Dispose();
        BehindServer.Dispose();
    }

    private async Task CarryAsync(Socket from, Socket to)
    {
        var count = from.Receive(_buffer, SocketFlags.None, out _);
        await GiveAsync(to, _buffer.AsMemory(0, count));
    }

    [LibraryImport("libc")]
    private static partial int socketpair(int domain, int type, int protocol, int[] numbers);
}
