using Ferry.Protocol;
using Ferry.Relay;
using Ferry.Transport;
using Ferry.Transport.Tls;

namespace Ferry.Sessions;

// The handshakes of a transfer. They come after the server's 1xx: before it the server would not answer (vsftpd), and with a 4xx none comes at all.
internal sealed partial class Transfer
{
    private TransferOutcome? _refusal;
    private TransferOutcome? _unfinished;

    /// <summary>What the client's data connection agreed on; null in clear.</summary>
    public TlsInfo? ClientTls { get; private set; }

    /// <summary>What the server's data connection agreed on; null in clear.</summary>
    public TlsInfo? UpstreamTls { get; private set; }

    /// <summary>Why TLS failed; null where it did not.</summary>
    public string? TlsFailure { get; private set; }

    /// <summary>Which of the handshakes was in the way; known before either connection is closed over it.</summary>
    public TransferOutcome? Refusal
    {
        get
        {
            lock (_sync)
                return _refusal;
        }
    }

    /// <summary>A TLS stream ended without close_notify, and was taken for cut off.</summary>
    public bool IsTruncated => RelayEnd is not null && (RelayEnd == RelayEnds.Tag(Relay.RelayEnd.ClientTruncated) || RelayEnd == RelayEnds.Tag(Relay.RelayEnd.UpstreamTruncated));

    /// <summary>Shakes hands on the legs that are to be TLS, on both at once.</summary>
    /// <returns>Null, or what came of it.</returns>
    private async Task<TransferOutcome?> SecureAsync(TransferTls tls, DataLeg client, DataLeg upstream)
    {
        TlsConnection? toClient = null, toUpstream = null;
        if (tls.Client is { } origin)
            client.Secure(toClient = TlsConnection.AcceptData(origin, client.Connection, tickets: tls.SendsTickets && _use is DataUse.Download or DataUse.Listing ? 1 : 0));
        if (tls.Upstream is { } context)
            upstream.Secure(toUpstream = TlsConnection.Connect(context, upstream.Connection, isData: true, tls.UpstreamName, tls.Resume));
        var upstreamDone = toUpstream is null ? Task.FromResult(true) : toUpstream.HandshakeAsync().AsTask();
        var clientIsDone = toClient is null || await toClient.HandshakeAsync().ConfigureAwait(false);
        if (toClient is not null)
        {
            tls.Handshake(true, clientIsDone ? toClient.Info : null);
            if (!clientIsDone)
                Refuse(TransferOutcome.ClientTlsFailed, toClient.Failure);
            else if (tls.Refusal(toClient.Info!) is { } why)
                Refuse(TransferOutcome.ClientTlsFailed, why);
            else if (tls.ReuseRequired && !toClient.Resumes(tls.Client!))
                Refuse(TransferOutcome.ReuseMissing, "it did not resume the session of its control connection");
            ClientTls = toClient.Info;
            if (Refusal is not null)
                upstream.Reset(); // who has not begun to send cannot be cut off
            lock (_sync)
                _unfinished = TransferOutcome.UpstreamTlsFailed;
        }
        var upstreamIsDone = await upstreamDone.ConfigureAwait(false);
        if (toUpstream is not null)
        {
            tls.Handshake(false, upstreamIsDone ? toUpstream.Info : null);
            if (!upstreamIsDone)
                Refuse(TransferOutcome.UpstreamTlsFailed, toUpstream.Failure);
            UpstreamTls = toUpstream.Info;
        }
        return Refusal;
    }

    /// <summary>The time for handshakes is over, and one of them is not.</summary>
    private TransferOutcome? RefuseUnfinished()
    {
        TransferOutcome? unfinished;
        lock (_sync)
            unfinished = _relay is null ? _unfinished : null;
        if (unfinished is { } outcome)
            Refuse(outcome, "it was not agreed on in time");
        return unfinished;
    }

    private void Refuse(TransferOutcome outcome, string? why)
    {
        lock (_sync)
        {
            if (_refusal is not null || _cut is not null)
                return;
            _refusal = outcome;
            TlsFailure = why ?? "";
        }
    }
}
