using System.Net;
using System.Net.Sockets;
using Ferry.Transport;

namespace Ferry.Sessions;

/// <summary>A client in active mode: we connect to it once the server lets data flow (RFC 959 §3.2), so a command that the server refuses costs no connection.</summary>
/// <param name="client">What its PORT or EPRT named.</param>
/// <param name="locals">The address that it logged on to, which is the one that it expects data from; and those to come from where that one is not ours.</param>
/// <param name="sourcePort">The port that it expects data from; 0: any.</param>
/// <param name="time">Times the retries.</param>
/// <param name="failed">Told why no connection came about.</param>
internal sealed class DialledClient(IPEndPoint client, IPAddress[] locals, int sourcePort, TimeProvider time, Action<IPEndPoint, SocketError> failed) : IDataEnd
{
    // It has no timer and no handle, so cancelling it is all there is to do, and may be done at any time.
    private readonly CancellationTokenSource _source = new();

    public async Task<Connection?> ConnectAsync()
    {
        if (_source.IsCancellationRequested)
            return null;
        var result = default(ConnectResult);
        foreach (var local in locals)
        {
            result = await ActiveConnector.ConnectAsync(client, local, sourcePort, time, _source.Token).ConfigureAwait(false);
            if (result.Error is not (SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported))
                break;
        }
        if (result.Connection is null)
            failed(client, result.Error);
        return result.Connection;
    }

    public void Cancel() => _source.Cancel();

    public void Reset() => _source.Cancel();

    public void Dispose() => _source.Cancel();
}
