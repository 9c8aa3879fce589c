using System.Net.Sockets;
using Ferry.Transport;

namespace Ferry.Sessions;

/// <summary>A server's passive port that we have connected to before the transfer command went out.</summary>
internal sealed class StandingEnd(Socket socket) : IDataEnd
{
    private Socket? _socket = socket;

    public Task<Socket?> ConnectAsync() => Task.FromResult(Interlocked.Exchange(ref _socket, null));

    public void Cancel()
    {
    }

    public void Reset() => Interlocked.Exchange(ref _socket, null)?.Abort();

    public void Dispose() => Interlocked.Exchange(ref _socket, null)?.Dispose();
}
