using Ferry.Transport;

namespace Ferry.Relay;

/// <summary>Carries one transfer between its two legs, which it owns, and ends both. Has no clock: who looks for a stall compares the counts, and cuts.</summary>
/// <remarks>
/// <para>Both directions are carried. An end of stream (FIN) on one leg is passed on as such, and the other direction goes on. The transfer is over when the sender's stream is.</para>
/// <para>A reset is passed on as a reset, whichever leg it comes from, so that half a file never looks like a whole one.</para>
/// <code>
///   the sender's FIN, all before it handed on
///     1. stop the other direction        its pump ends; from here on nobody else touches the sockets
///     2. shutdown(receiver, SEND)        FIN behind the last byte
///     3. read what the receiver sent     close() with unread bytes makes the kernel send RST and drop what it has not sent yet
///     4. close both
/// </code>
/// <para>1 comes before 2 because a reset of the sender's leg may have been told to the other direction's write; a read then shows a plain end (see <see cref="DataLeg.IsGone"/>).
/// Only that pump knows, so it is asked before the receiver is told that it has everything.</para>
/// <para>After 4 the kernel goes on delivering, however slowly the receiver reads; nobody waits for its FIN, as a client may want the 226 before it closes its own end.
/// One race is left, and no one can close it without that wait: bytes that the receiver sends <i>after</i> 4, against the direction of the file, are answered with RST (RFC 1122, 4.2.2.13).
/// No FTP peer sends any.</para>
/// </remarks>
internal sealed class DataRelay
{
    /// <summary>More than a receive buffer holds (net.ipv4.tcp_rmem): a leg that still has bytes after it is being flooded.</summary>
    private const int MostDiscarded = 16 << 20;

    private const int NotEnded = -1;

    private readonly DataLeg _client;
    private readonly DataLeg _upstream;
    private readonly TransferDirection _direction;
    private readonly IRelay _relay;
    private readonly RelayFlow _toClient;
    private readonly RelayFlow _toUpstream;
    private int _end = NotEnded;
    private int _firstClosed = NotEnded;

    public DataRelay(DataLeg client, DataLeg upstream, TransferDirection direction)
        : this(client, upstream, direction, OperatingSystem.IsLinux() ? SpliceRelay.Shared : StreamRelay.Shared)
    {
    }

    public DataRelay(DataLeg client, DataLeg upstream, TransferDirection direction, IRelay relay)
    {
        _client = client;
        _upstream = upstream;
        _direction = direction;
        _relay = relay;
        _toClient = new RelayFlow(upstream, client);
        _toUpstream = new RelayFlow(client, upstream);
    }

    /// <summary>What the client's leg has taken so far.</summary>
    public long BytesToClient => _toClient.Bytes;

    /// <summary>What the server's leg has taken so far.</summary>
    public long BytesToUpstream => _toUpstream.Bytes;

    /// <summary>Runs the transfer, once. Both legs are closed when it ends.</summary>
    public async Task<RelayResult> RunAsync()
    {
        switch (_direction)
        {
            case TransferDirection.Download:
                await RunAsync(_toClient, _toUpstream).ConfigureAwait(false);
                break;
            case TransferDirection.Upload:
                await RunAsync(_toUpstream, _toClient).ConfigureAwait(false);
                break;
            default:
                await Task.WhenAll(RunEitherAsync(_toClient), RunEitherAsync(_toUpstream)).ConfigureAwait(false);
                TryEnd((RelayEnd)_firstClosed);
                break;
        }
        var result = new RelayResult((RelayEnd)Volatile.Read(ref _end), BytesToClient, BytesToUpstream);
        if (result.IsComplete)
        {
            _client.Dispose();
            _upstream.Dispose();
        }
        else
        {
            // Whoever aborted may not be that far yet, and a close that comes before its reset would look like an end in order.
            _client.Reset();
            _upstream.Reset();
        }
        return result;
    }

    /// <summary>Ends the transfer now, as an abort: both peers get RST. Any thread, any time, more than once; without effect when it has ended.</summary>
    public void Cut() => Abort(RelayEnd.Cut);

    /// <summary>A transfer whose sender is known. <paramref name="file"/> carries the file, <paramref name="back"/> what the receiver says to it (nothing, as a rule).</summary>
    private async Task RunAsync(RelayFlow file, RelayFlow back)
    {
        Task backEnded = RunBackAsync(back);
        FlowEnd end = await CopyAsync(file).ConfigureAwait(false);
        if (end == FlowEnd.Closed)
            back.Stop();
        else
            Abort(end == FlowEnd.ReadFailed ? ReadFailed(file) : WriteFailed(file));
        await backEnded.ConfigureAwait(false);

        if (!TryEnd(Closed(file)))
            return;
        if (file.To.TryShutdownSend())
            file.To.DiscardReceived(MostDiscarded);
        else
            Volatile.Write(ref _end, (int)WriteFailed(file));
    }

    private async Task RunBackAsync(RelayFlow back)
    {
        switch (await CopyAsync(back).ConfigureAwait(false))
        {
            case FlowEnd.Closed when back.From.IsGone():
            case FlowEnd.ReadFailed:
                // Gone before it was given the end of the file: a reset, of which the write of the other direction may have been told first.
                Abort(ReadFailed(back));
                break;
            case FlowEnd.Closed when HasEnded:
                break; // our own abort of its leg woke the pump; a FIN now would reach the sender before its RST
            case FlowEnd.Closed:
                // Where this fails the sender's leg is gone, and the pump that reads it finds out how.
                back.To.TryShutdownSend();
                break;
            case FlowEnd.WriteFailed:
                Abort(WriteFailed(back));
                break;
        }
    }

    /// <summary>One direction of a transfer whose sender is not known: each end is passed on at once.</summary>
    private async Task RunEitherAsync(RelayFlow flow)
    {
        switch (await CopyAsync(flow).ConfigureAwait(false))
        {
            case FlowEnd.Closed when HasEnded:
                break; // as in RunBackAsync
            case FlowEnd.Closed when Volatile.Read(ref _firstClosed) == NotEnded && flow.From.IsGone():
            case FlowEnd.ReadFailed:
                Abort(ReadFailed(flow));
                break;
            case FlowEnd.Closed:
                Interlocked.CompareExchange(ref _firstClosed, (int)Closed(flow), NotEnded);
                if (!flow.To.TryShutdownSend())
                    Abort(WriteFailed(flow));
                break;
            default:
                Abort(WriteFailed(flow));
                break;
        }
    }

    /// <summary>A pump that throws what no peer can cause ends the other one, too.</summary>
    private async Task<FlowEnd> CopyAsync(RelayFlow flow)
    {
        try
        {
            return await _relay.CopyAsync(flow).ConfigureAwait(false);
        }
        catch
        {
            Abort(RelayEnd.Cut);
            throw;
        }
    }

    private RelayEnd Closed(RelayFlow flow) => flow == _toClient ? RelayEnd.UpstreamClosed : RelayEnd.ClientClosed;

    private RelayEnd ReadFailed(RelayFlow flow) => flow == _toClient ? RelayEnd.UpstreamReadFailed : RelayEnd.ClientReadFailed;

    private RelayEnd WriteFailed(RelayFlow flow) => flow == _toClient ? RelayEnd.ClientWriteFailed : RelayEnd.UpstreamWriteFailed;

    private bool HasEnded => Volatile.Read(ref _end) != NotEnded;

    private bool TryEnd(RelayEnd end) => Interlocked.CompareExchange(ref _end, (int)end, NotEnded) == NotEnded;

    private void Abort(RelayEnd end)
    {
        if (!TryEnd(end))
            return;
        _client.Reset();
        _upstream.Reset();
    }
}
