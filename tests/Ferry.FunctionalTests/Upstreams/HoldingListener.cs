using System.Net;
using System.Net.Sockets;

namespace Ferry.FunctionalTests.Upstreams;

/// <summary>A server that sends one byte, its number, to whoever connects, and keeps the connection until the other side ends it.</summary>
internal sealed class HoldingListener : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly SemaphoreSlim _ended;
    private readonly Task _serving;
    private volatile bool _isClosed;

    /// <param name="number">The byte.</param>
    /// <param name="ended">Released whenever the other side has ended a connection.</param>
    public HoldingListener(int number, SemaphoreSlim ended)
    {
        _ended = ended;
        _listener.Start(512);
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _serving = ServeAsync((byte)number);
    }

    public int Port { get; }

    public async ValueTask DisposeAsync()
    {
        _isClosed = true;
        _listener.Dispose();
        await _serving;
    }

    private async Task ServeAsync(byte number)
    {
        List<Task> held = [];
        while (true)
        {
            try
            {
                held.Add(HoldAsync(await _listener.AcceptSocketAsync(), number));
            }
            catch (Exception e) when (_isClosed && e is SocketException or ObjectDisposedException)
            {
                await Task.WhenAll(held);
                return;
            }
        }
    }

    private async Task HoldAsync(Socket socket, byte number)
    {
        using (socket)
        {
            try
            {
                await socket.SendAsync(new[] { number });
                await socket.ReceiveAsync(new byte[1]);
            }
            catch (SocketException)
            {
                // NGINX may end it by a reset.
            }
        }
        _ended.Release();
    }
}
