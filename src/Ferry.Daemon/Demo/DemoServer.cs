using System.Net;
using System.Net.Sockets;

namespace Ferry.Daemon.Demo;

/// <summary>A small FTP server on the loopback address: what stands behind Ferry in the demo.</summary>
internal sealed class DemoServer : IAsyncDisposable
{
    private const int MaxSessions = 64;

    private readonly DemoFolder _folder;
    private readonly TimeProvider _time;
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _sessions = [];
    private readonly Task _accepting;

    public DemoServer(DemoFolder folder, TimeProvider time)
    {
        _folder = folder;
        _time = time;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(MaxSessions);
        EndPoint = (IPEndPoint)_listener.LocalEndPoint!;
        _accepting = AcceptAsync();
    }

    public IPEndPoint EndPoint { get; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _accepting.ConfigureAwait(false);
        _listener.Dispose();
        await Task.WhenAll(_sessions).ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                // Clients beyond the limit wait in the kernel's queue.
                _sessions.RemoveAll(session => session.IsCompleted);
                if (_sessions.Count >= MaxSessions)
                    await Task.WhenAny(_sessions).WaitAsync(_stop.Token).ConfigureAwait(false);
                else
                    _sessions.Add(ServeAsync(await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false)));
            }
            catch (SocketException)
            {
                // Out of files, most likely: the next one is not accepted any sooner by asking at once.
                await Task.Delay(TimeSpan.FromMilliseconds(100), _time).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var owned = client;
        try
        {
            await using var session = new DemoSession(client, _folder, _time);
            await session.RunAsync(_stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // The client has gone, or the demo ends.
        }
    }
}
