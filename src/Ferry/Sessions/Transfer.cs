using System.Net;
using System.Net.Sockets;
using Ferry.Protocol;
using Ferry.Relay;
using Ferry.Transport;

namespace Ferry.Sessions;

/// <summary>
/// One use of a data channel: the lent port, the connection to the server, and the relay between them.
/// <code>
///   opened ──1xx──> waiting for the client ──> relaying ──> ended
///      └────4xx/5xx────────────────────────────────────────^
/// </code>
/// </summary>
internal sealed partial class Transfer
{
    // How long a transfer that the server has already ended may move nothing before it is cut.
    private static readonly TimeSpan WindDownLimit = TimeSpan.FromSeconds(2);

    private readonly Lock _sync = new();
    // Continued on the spot: whoever completes it holds no lock.
    private readonly TaskCompletionSource<TransferOutcome> _completion = new();
    private readonly DataLease _lease;
    private readonly DataUse _use;
    private readonly Action<Transfer> _matched;
    private readonly TransferTls? _tls;
    private readonly DataLeg _upstream;
    private DataLeg? _client;
    private DataRelay? _relay;
    private TransferOutcome? _cut;
    private bool _started;
    private bool _windingDown;
    private long _seenBytes;
    private long _seenAt;

    /// <param name="lease">The client's port; owned from here on.</param>
    /// <param name="upstream">The connection to the server; owned from here on.</param>
    /// <param name="verb">The transfer command.</param>
    /// <param name="use">Which way its data goes; None where that is not known.</param>
    /// <param name="path">The command's argument, for the log.</param>
    /// <param name="tls">How the connections are protected; null: not at all.</param>
    /// <param name="matched">Told when the client's connection has come.</param>
    public Transfer(DataLease lease, DataLeg upstream, FtpVerb verb, DataUse use, byte[] path, TransferTls? tls, Action<Transfer> matched)
    {
        _tls = tls;
        _lease = lease;
        _upstream = upstream;
        _use = use;
        _matched = matched;
        Verb = verb;
        Path = path;
        UpstreamEndPoint = upstream.RemoteEndPoint;
    }

    /// <summary>The engine's number of it, by which replies name it.</summary>
    public int Number { get; set; }

    public FtpVerb Verb { get; }

    /// <summary>The command's name as clients write it.</summary>
    public string VerbName => Verb == FtpVerb.Other ? "OTHER" : Verb.ToString().ToUpperInvariant();

    public DataUse Use => _use;

    public byte[] Path { get; }

    public IPEndPoint UpstreamEndPoint { get; }

    /// <summary>The client's data connection; null before it came.</summary>
    public IPEndPoint? ClientEndPoint { get; private set; }

    public int Port => _lease.Port;

    /// <summary>When data began to flow; 0 before.</summary>
    public long StartedAt { get; private set; }

    /// <summary>The client has asked for an abort while this was the transfer under way.</summary>
    public bool AbortRequested { get; set; }

    /// <summary>The server's last word on it has been read, or the session is over.</summary>
    public bool IsConcluded { get; set; }

    /// <summary>The telling of its end, where that had to wait for its data connections.</summary>
    public Task Recording { get; set; } = Task.CompletedTask;

    /// <summary>The relay's end, as logs name it; null where it never ran.</summary>
    public string? RelayEnd { get; private set; }

    /// <summary>A fault of Ferry's that ended it; null as a rule.</summary>
    public Exception? Failure { get; private set; }

    public long BytesToClient => _relay?.BytesToClient ?? 0;

    public long BytesToUpstream => _relay?.BytesToUpstream ?? 0;

    /// <summary>Ends when the data connections are closed and the port has been given back.</summary>
    public Task<TransferOutcome> Completion => _completion.Task;

    public bool IsStarted => _started;

    /// <summary>The server has let data flow, and its end has not come; every wait within is bounded.</summary>
    public bool IsFlowing => _started && !_completion.Task.IsCompleted;

    /// <summary>Lets data flow as soon as the client has connected. Once.</summary>
    public void Start(long now)
    {
        lock (_sync)
        {
            _started = true;
            _seenAt = StartedAt = now;
        }
        _ = RunAsync();
    }

    /// <summary>The server has refused the command: both connections are closed in order, nothing having flowed.</summary>
    public void Discard()
    {
        _upstream.Dispose();
        // A client that has sent its ClientHello at once (curl) must not meet a reset before it has read the refusal: it closes by itself then.
        if (_tls is { Client: not null })
            _tls.Lingering.TakeRefused(_lease);
        else
            _lease.Dispose();
        _tls?.Resume?.Dispose();
        _completion.TrySetResult(TransferOutcome.Refused);
    }

    /// <summary>Ends the transfer as an abort. The first reason wins; without effect when it has ended.</summary>
    public void Cut(TransferOutcome reason)
    {
        DataRelay? relay;
        DataLeg? client;
        bool started;
        lock (_sync)
        {
            _cut ??= reason;
            relay = _relay;
            client = _client;
            started = _started;
        }
        if (relay is not null)
        {
            relay.Cut();
        }
        else if (client is not null)
        {
            // They are shaking hands.
            client.Reset();
            _upstream.Reset();
        }
        _lease.DisposeIfWaiting();
        if (started)
            return;
        _upstream.Reset();
        _lease.Dispose();
        _tls?.Resume?.Dispose();
        _completion.TrySetResult(reason);
    }

    /// <summary>The server has said its last word: what still flows is delivered, what stands still is cut.</summary>
    public void WindDown()
    {
        lock (_sync)
            _windingDown = true;
    }

    /// <summary>Looks for a client that does not come and for a stall; called about once a second.</summary>
    /// <returns>True if bytes have moved since the last look.</returns>
    public bool Sweep(long now, TimeProvider time, TimeSpan connectLimit, TimeSpan stallLimit)
    {
        TimeSpan still;
        bool waiting, hasClient;
        lock (_sync)
        {
            if (!_started || _completion.Task.IsCompleted)
                return false;
            var bytes = BytesToClient + BytesToUpstream;
            if (bytes != _seenBytes)
            {
                _seenBytes = bytes;
                _seenAt = now;
                return true;
            }
            still = time.GetElapsedTime(_seenAt, now);
            waiting = _relay is null;
            hasClient = _client is not null;
            if (still < (_windingDown ? WindDownLimit : waiting ? connectLimit : stallLimit))
                return false;
        }
        Cut(waiting && !hasClient ? TransferOutcome.NoClient
            : _windingDown ? AbortRequested ? TransferOutcome.Aborted : TransferOutcome.Stalled
            : RefuseUnfinished() ?? TransferOutcome.Stalled);
        return false;
    }

    private async Task RunAsync()
    {
        var outcome = TransferOutcome.NoClient;
        Socket? socket = null;
        var closed = false;
        try
        {
            if (await _lease.Connected.ConfigureAwait(false) && (socket = _lease.Take()) is not null)
            {
                outcome = await RelayAsync(socket).ConfigureAwait(false);
                closed = true;
            }
            else
            {
                outcome = _cut ?? TransferOutcome.NoClient;
            }
        }
        catch (SocketException)
        {
            outcome = _cut ?? TransferOutcome.ClientAborted; // gone between its accept and the first look at it
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
                socket?.Abort();
                _upstream.Reset();
                _client?.LeaveTls();
                _upstream.LeaveTls();
            }
            _tls?.Resume?.Dispose();
            _lease.Dispose();
            _completion.TrySetResult(outcome);
        }
    }

    private async Task<TransferOutcome> RelayAsync(Socket socket)
    {
        var client = new DataLeg(socket);
        ClientEndPoint = client.RemoteEndPoint;
        lock (_sync)
            _client = client;
        _matched(this);
        if (_tls is not null && await SecureAsync(_tls, client).ConfigureAwait(false) is { } failure)
        {
            _upstream.Reset();
            _upstream.LeaveTls();
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
        var relay = new DataRelay(client, _upstream, direction, _tls?.Lingering, _tls?.AllowTruncation ?? false);
        lock (_sync)
            _relay = relay;
        if (_cut is not null)
            relay.Cut();
        var result = await relay.RunAsync().ConfigureAwait(false);
        RelayEnd = RelayEnds.Tag(result.End);
        return result.End == Relay.RelayEnd.Cut ? _cut ?? TransferOutcome.SessionEnded : TransferOutcomes.Of(result);
    }
}
