using Ferry.Protocol;
using Ferry.Relay;
using Ferry.Transport;

namespace Ferry.Sessions;

// From the server's 1xx to the end of both connections.
internal sealed partial class Transfer
{
    private async Task RunAsync()
    {
        var outcome = TransferOutcome.NoClient;
        var closed = false;
        try
        {
            // Both at once: a server may connect before its 1xx, or not before somebody has taken its data's place.
            var upstreamStands = StandAsync(_upstreamEnd, isClient: false);
            var clientStands = StandAsync(_clientEnd, isClient: true);
            if (await clientStands.ConfigureAwait(false) & await upstreamStands.ConfigureAwait(false))
            {
                _matched(this);
                outcome = await RelayAsync(_client!, _upstream!).ConfigureAwait(false);
                closed = true;
            }
            else
            {
                outcome = _cut ?? _missing ?? TransferOutcome.NoClient;
            }
        }
        catch (ObjectDisposedException)
        {
            outcome = _cut ?? TransferOutcome.SessionEnded;
        }
        catch (Exception e)
        {
            Failure = e; // nobody awaits this task, so who records the transfer tells it
            outcome = _cut ?? TransferOutcome.SessionEnded;
        }
        finally
        {
            if (!closed)
            {
                _client?.Reset();
                _upstream?.Reset();
                _client?.LeaveTls();
                _upstream?.LeaveTls();
            }
            _tls?.Resume?.Dispose();
            _upstreamEnd.Reset();
            _clientEnd.Dispose();
            _completion.TrySetResult(outcome);
        }
    }

    /// <summary>Waits for one side's connection. Where it does not come about, the other is not waited for.</summary>
    private async Task<bool> StandAsync(IDataEnd end, bool isClient)
    {
        if (await end.ConnectAsync().ConfigureAwait(false) is not { } connection)
        {
            lock (_sync)
                _missing ??= isClient ? TransferOutcome.NoClient : TransferOutcome.NoUpstream;
            (isClient ? _upstreamEnd : _clientEnd).Cancel();
            return false;
        }
        connection.Loop = _loop;
        var leg = new DataLeg(connection);
        bool isCut;
        lock (_sync)
        {
            if (isClient)
            {
                _client = leg;
                ClientEndPoint = leg.RemoteEndPoint;
            }
            else
            {
                _upstream = leg;
                UpstreamEndPoint = leg.RemoteEndPoint;
            }
            isCut = _cut is not null;
        }
        if (isCut)
            leg.Reset();
        return !isCut;
    }

    private async Task<TransferOutcome> RelayAsync(DataLeg client, DataLeg upstream)
    {
        if (_tls is not null && await SecureAsync(_tls, client, upstream).ConfigureAwait(false) is { } failure)
        {
            upstream.Reset();
            upstream.LeaveTls();
            // A client whose handshake is done and that is turned away all the same reads the reply only if its data connection ends in order.
            if (failure == TransferOutcome.ReuseMissing && _cut is null && await client.TryEndAsync(isWhole: true).ConfigureAwait(false))
            {
                _tls.Lingering.Take(client);
                return failure;
            }
            client.Reset();
            client.LeaveTls();
            return _cut ?? failure;
        }
        var direction = _use switch
        {
            DataUse.Upload => TransferDirection.Upload,
            DataUse.None => TransferDirection.Either,
            _ => TransferDirection.Download,
        };
        var relay = new DataRelay(client, upstream, direction, _tls?.Lingering, _tls?.AllowTruncation ?? false);
        lock (_sync)
            _relay = relay;
        if (_cut is not null)
            relay.Cut();
        var result = await relay.RunAsync().ConfigureAwait(false);
        RelayEnd = RelayEnds.Tag(result.End);
        return result.End == Relay.RelayEnd.Cut ? _cut ?? TransferOutcome.SessionEnded : TransferOutcomes.Of(result);
    }
}
