using Ferry.Transport;

namespace Ferry.Relay;

/// <summary>Carries one transfer between its two legs, which it owns, and ends both. Has no clock: who looks for a stall compares the counts, and cuts.</summary>
/// <remarks>
/// <para>Both directions are carried. An end of stream on one leg is passed on as such, and the other direction goes on. The transfer is over when the sender's stream is.</para>
/// <para>A reset is passed on as a reset, whichever leg it comes from, so that half a file never looks like a whole one. So is the end of a TLS leg that no close_notify announced,
/// as well as the receiver's kind of leg can say it: by FIN without close_notify in TLS, by RST without.</para>
/// <code>
///                 a plain leg                                a leg in TLS
///
///   the sender's  FIN, all before it handed on               close_notify, all before it handed on
///
///   1. stop the other direction: its pump ends; from here on nobody else touches the sockets
///                 shutdown(receiver, RECEIVE)                cancel the wait for the receiver, whose end 4 has still to wait for
///                 shutdown(sender, SEND)                     only where the pump waits for room there: FIN before 3 would look cut off
///
///   2. end the receiver
///                 shutdown(SEND), FIN behind the last byte   close_notify, then shutdown(SEND); may wait for room, and be cut
///
///   3. end the sender
///                 (done in 1)                                close_notify, then shutdown(SEND); waits for nothing
///
///   4. close both; the receiver with care: close() with bytes unread makes the kernel send RST and drop what it has not sent yet
///                 read what is there, then close             hand it to LingeringLegs, as tickets and a close_notify may still come
/// </code>
/// <para>1 comes before 2 because a reset of a plain sender may have been told to the other direction's write; a read then shows a plain end (see <see cref="DataLeg.IsGone"/>).
/// Only that pump knows, so it is asked before the receiver is told that it has everything.</para>
/// <para>After 4 the kernel goes on delivering, however slowly the receiver reads; nobody waits for its FIN, as a client may want the 226 before it closes its own end.
/// One race is left on plain legs, and no one can close it without that wait: bytes that the receiver sends <i>after</i> 4, against the direction of the file, are answered with RST
/// (RFC 1122, 4.2.2.13). No FTP peer sends any.</para>
/// </remarks>
internal sealed class DataRelay
{
    /// <summary>More than a receive buffer holds (net.ipv4.tcp_rmem): a leg that still has bytes after it is being flooded.</summary>
    private const int MostDiscarded = 16 << 20;

    private const int NotEnded = -1;

    private readonly DataLeg _client;
    private readonly DataLeg _upstream;
    private readonly TransferDirection _direction;
    private readonly LingeringLegs? _lingering;
    private readonly bool _allowsTruncation;
    private readonly IRelay _relay;
    private readonly RelayFlow _toClient;
    private readonly RelayFlow _toUpstream;
    private DataLeg? _lingers;
    private int _end = NotEnded;
    private int _firstClosed = NotEnded;
    private int _truncated = NotEnded;

    /// <param name="client">The client's leg.</param>
    /// <param name="upstream">The server's leg.</param>
    /// <param name="direction">Which of them sends the file.</param>
    /// <param name="lingering">Where legs in TLS are closed; may be null where both are plain.</param>
    /// <param name="allowsTruncation">Whether a TLS stream may end without close_notify.</param>
    /// <param name="relay">How bytes are carried; null: the best for these legs.</param>
    public DataRelay(
        DataLeg client, DataLeg upstream, TransferDirection direction, LingeringLegs? lingering = null, bool allowsTruncation = false, IRelay? relay = null)
    {
        bool isTls = client.IsTls || upstream.IsTls;
        if (isTls)
            ArgumentNullException.ThrowIfNull(lingering);
        _client = client;
        _upstream = upstream;
        _direction = direction;
        _lingering = lingering;
        _allowsTruncation = allowsTruncation;
        _relay = relay ?? (OperatingSystem.IsLinux() && !isTls ? SpliceRelay.Shared : StreamRelay.Shared);
        _toClient = new RelayFlow(upstream, client);
        _toUpstream = new RelayFlow(client, upstream);
    }

    /// <summary>What the client's leg has taken so far.</summary>
    public long BytesToClient => _toClient.Bytes;

    /// <summary>What the server's leg has taken so far.</summary>
    public long BytesToUpstream => _toUpstream.Bytes;

    /// <summary>Runs the transfer, once. Both legs are closed when it ends, or linger.</summary>
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
                TryEnd((RelayEnd)(_truncated == NotEnded ? _firstClosed : _truncated));
                break;
        }
        var result = new RelayResult((RelayEnd)Volatile.Read(ref _end), BytesToClient, BytesToUpstream);
        if (!result.IsComplete && result.End is not (RelayEnd.ClientTruncated or RelayEnd.UpstreamTruncated))
        {
            // Whoever aborted may not be that far yet, and a close that comes before its reset would look like an end in order.
            _client.Reset();
            _upstream.Reset();
        }
        Close(_client);
        Close(_upstream);
        return result;
    }

    /// <summary>Ends the transfer now, as an abort: both peers get RST. Any thread, any time, more than once; without effect when it has ended.</summary>
    public void Cut() => Abort(RelayEnd.Cut);

    /// <summary>A transfer whose sender is known. <paramref name="file"/> carries the file, <paramref name="back"/> what the receiver says to it (nothing, as a rule).</summary>
    private async Task RunAsync(RelayFlow file, RelayFlow back)
    {
        Task backEnded = RunBackAsync(back);
        FlowEnd end = await CopyAsync(file).ConfigureAwait(false);
        if (end == FlowEnd.Truncated && _allowsTruncation)
            end = FlowEnd.Closed;
        if (end is FlowEnd.Closed or FlowEnd.Truncated)
            back.Stop();
        else
            Abort(end == FlowEnd.ReadFailed ? ReadFailed(file) : WriteFailed(file));
        await backEnded.ConfigureAwait(false);

        if (HasEnded || !await TryEndReceiverAsync(file, end).ConfigureAwait(false))
            return;
        // Does not wait, as its sending is stopped. Where it fails the sender is gone, and has done its part.
        if (file.From.IsTls)
            await file.From.TryEndAsync(isWhole: true).ConfigureAwait(false);
    }

    /// <summary>Gives the receiver the end of what was sent to it.</summary>
    /// <returns>Whether that was done, and the transfer has ended with it.</returns>
    private async ValueTask<bool> TryEndReceiverAsync(RelayFlow file, FlowEnd end)
    {
        DataLeg receiver = file.To;
        bool isWhole = end == FlowEnd.Closed;
        if (receiver.IsTls)
        {
            // Ends the transfer after, not before: a cut must be able to end this wait. One that comes just behind it
            // may be told of a file that the receiver has whole; the other way round cannot be.
            bool isTold = await receiver.TryEndAsync(isWhole).ConfigureAwait(false);
            if (!TryEnd(!isWhole ? Truncated(file) : isTold ? Closed(file) : WriteFailed(file)) || !isTold)
                return false;
            _lingers = receiver;
            return true;
        }
        if (!TryEnd(isWhole ? Closed(file) : Truncated(file)))
            return false;
        if (!isWhole)
        {
            receiver.Reset();
            return true;
        }
        // Completes on the spot, as nothing waits for room on a plain leg.
        if (await receiver.TryEndAsync(isWhole).ConfigureAwait(false))
        {
            int limit = MostDiscarded;
            receiver.DiscardReceived(ref limit);
            return true;
        }
        Volatile.Write(ref _end, (int)WriteFailed(file));
        return false;
    }

    private async Task RunBackAsync(RelayFlow back)
    {
        switch (await CopyAsync(back).ConfigureAwait(false))
        {
            case FlowEnd.Closed or FlowEnd.Truncated when back.From.IsGone():
            case FlowEnd.ReadFailed:
                // Gone before it was given the end of the file: a reset, of which the write of the other direction may have been told first.
                Abort(ReadFailed(back));
                break;
            case FlowEnd.Closed when HasEnded:
                break; // our own abort of its leg woke the pump; a FIN now would reach the sender before its RST
            case FlowEnd.Closed:
                // Where this fails the sender's leg is gone, and the pump that reads it finds out how.
                await back.To.TryEndAsync(isWhole: true).ConfigureAwait(false);
                break;
            case FlowEnd.Truncated:
                Abort(Truncated(back)); // OpenSSL writes nothing more to a peer whose stream was cut off
                break;
            case FlowEnd.WriteFailed:
                Abort(WriteFailed(back));
                break;
        }
    }

    /// <summary>One direction of a transfer whose sender is not known: each end is passed on at once.</summary>
    private async Task RunEitherAsync(RelayFlow flow)
    {
        FlowEnd end = await CopyAsync(flow).ConfigureAwait(false);
        // A close_notify is an end, whatever becomes of the connection after it.
        bool isProven = end == FlowEnd.Closed && flow.From.IsTls;
        if (end == FlowEnd.Truncated && _allowsTruncation)
            end = FlowEnd.Closed;
        switch (end)
        {
            case FlowEnd.Closed or FlowEnd.Truncated when HasEnded:
                break; // as in RunBackAsync
            case FlowEnd.Closed or FlowEnd.Truncated when !isProven && Volatile.Read(ref _firstClosed) == NotEnded && flow.From.IsGone():
            case FlowEnd.ReadFailed:
                Abort(ReadFailed(flow));
                break;
            case FlowEnd.Truncated when !flow.To.IsTls:
                Abort(Truncated(flow));
                break;
            case FlowEnd.Truncated:
                Interlocked.CompareExchange(ref _truncated, (int)Truncated(flow), NotEnded);
                await PassEndAsync(flow, isWhole: false).ConfigureAwait(false);
                break;
            case FlowEnd.Closed:
                await PassEndAsync(flow, isWhole: true).ConfigureAwait(false);
                break;
            default:
                AbortEither(flow);
                break;
        }
    }

    private async ValueTask PassEndAsync(RelayFlow flow, bool isWhole)
    {
        bool isLast = Interlocked.CompareExchange(ref _firstClosed, (int)Closed(flow), NotEnded) != NotEnded;
        bool isTold = await flow.To.TryEndAsync(isWhole).ConfigureAwait(false);
        // A peer whose TLS stream has ended, and which had nothing to get, may be gone: its kernel has answered our session tickets with RST.
        if (!isTold && !(isLast && flow.To.IsTls && flow.Bytes == 0))
            AbortEither(flow);
    }

    /// <summary>After a failure to write; which may come of a stream that was cut off, as TLS then ends both ways.</summary>
    private void AbortEither(RelayFlow flow)
    {
        int truncated = Volatile.Read(ref _truncated);
        Abort(truncated == NotEnded ? WriteFailed(flow) : (RelayEnd)truncated);
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

    private RelayEnd Truncated(RelayFlow flow) => flow == _toClient ? RelayEnd.UpstreamTruncated : RelayEnd.ClientTruncated;

    private bool HasEnded => Volatile.Read(ref _end) != NotEnded;

    private bool TryEnd(RelayEnd end) => Interlocked.CompareExchange(ref _end, (int)end, NotEnded) == NotEnded;

    private void Abort(RelayEnd end)
    {
        if (!TryEnd(end))
            return;
        _client.Reset();
        _upstream.Reset();
    }

    private void Close(DataLeg leg)
    {
        if (leg == _lingers)
            _lingering!.Take(leg);
        else
            leg.Dispose();
    }
}
