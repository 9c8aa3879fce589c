using Ferry.Transport;

namespace Ferry.Sessions;

/// <summary>An end that connects to a port of ours: a client in passive mode, a server in active mode.</summary>
internal sealed class LentPort(DataLease lease) : IDataEnd
{
    public DataLease Lease { get; } = lease;

    public async Task<Connection?> ConnectAsync() => await Lease.Connected.ConfigureAwait(false) ? Lease.Take() : null;

    public void Cancel() => Lease.DisposeIfWaiting();

    public void Reset()
    {
        Lease.Take()?.Abort();
        Lease.Dispose();
    }

    public void Dispose() => Lease.Dispose();
}
