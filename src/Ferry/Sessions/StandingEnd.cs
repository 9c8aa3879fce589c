using Ferry.Transport;

namespace Ferry.Sessions;

/// <summary>A server's passive port that we have connected to before the transfer command went out.</summary>
internal sealed class StandingEnd(Connection connection) : IDataEnd
{
    private Connection? _connection = connection;

    public Task<Connection?> ConnectAsync() => Task.FromResult(Interlocked.Exchange(ref _connection, null));

    public void Cancel()
    {
    }

    public void Reset() => Interlocked.Exchange(ref _connection, null)?.Abort();

    public void Dispose() => Interlocked.Exchange(ref _connection, null)?.Dispose();
}
