using System.Net;
using System.Net.Sockets;

namespace Ferry.FunctionalTests.Upstreams;

/// <summary>A server that sends one byte, its number, to whoever connects, and closes.</summary>
internal sealed class NamedListener : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Task _serving;

    public NamedListener(int number)
    {
        _listener.Start(512);
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _serving = ServeAsync((byte)number);
    }

    public int Port { get; }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _serving;
    }

    private async Task ServeAsync(byte number)
    {
        while (true)
        {
            try
            {
                using var socket = await _listener.AcceptSocketAsync();
                await socket.SendAsync(new[] { number });
                socket.Shutdown(SocketShutdown.Send);
            }
            catch (Exception e) when (e is SocketException or InvalidOperationException)
            {
                if (!_listener.Server.IsBound)
                    return;
            }
        }
    }
}
