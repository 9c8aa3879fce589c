using System.Net;
using Ferry.Protocol;
using Ferry.Relay;
using Ferry.Transport;

namespace Ferry.Sessions;

/// <summary>
/// One use of a data channel: its two ends, and the relay between them.
/// <code>
///   opened ──1xx──> connecting ──> relaying ──> ended
///      └────4xx/5xx────────────────────────────^
/// </code>
/// </summary>
internal sealed partial class Transfer
{
    // How long a transfer that the server has already ended may move nothing before it is cut.
    private static readonly TimeSpan WindDownLimit = TimeSpan.FromSeconds(2);

    private readonly Lock _sync = new();
    // Continued on the spot: whoever completes it holds no lock.
    private readonly TaskCompletionSource<TransferOutcome> _completion = new();
    private readonly IDataEnd _clientEnd;
    private readonly IDataEnd _upstreamEnd;
    private readonly DataUse _use;
    private readonly Action<Transfer> _matched;
    private readonly TransferTls? _tls;
    private readonly EventLoop _loop;
    private DataLeg? _client;
    private DataLeg? _upstream;
    private TransferOutcome? _missing;
    private DataRelay? _relay;
    private TransferOutcome? _cut;
    private bool _started;
    private bool _windingDown;
    private long _seenBytes;
    private long _seenAt;

    /// <param name="client">The client's side; owned from here on.</param>
    /// <param name="upstream">The server's side; owned from here on.</param>
    /// <param name="server">The server's side as it is known before its connection stands.</param>
    /// <param name="verb">The transfer command.</param>
    /// <param name="use">Which way its data goes; None where that is not known.</param>
    /// <param name="path">The command's argument, for the log.</param>
    /// <param name="tls">How the connections are protected; null: not at all.</param>
    /// <param name="loop">Its session's.</param>
    /// <param name="matched">Told when both connections stand.</param>
    public Transfer(IDataEnd client, IDataEnd upstream, IPEndPoint server, FtpVerb verb, DataUse use, byte[] path, TransferTls? tls, EventLoop loop, Action<Transfer> matched)
    {
        _loop = loop;
        _tls = tls;
        _clientEnd = client;
        _upstreamEnd = upstream;
        _use = use;
        _matched = matched;
        Verb = verb;
        Path = path;
        UpstreamEndPoint = server;
    }

    /// <summary>The engine's number of it, by which replies name it.</summary>
    public int Number { get; set; }

    public FtpVerb Verb { get; }

    /// <summary>The command's name as clients write it.</summary>
    public string VerbName => Verb == FtpVerb.Other ? "OTHER" : Verb.ToString().ToUpperInvariant();

    public DataUse Use => _use;

    public byte[] Path { get; }

    /// <summary>The server's data connection; before it stands, what is known of it.</summary>
    public IPEndPoint UpstreamEndPoint { get; private set; }

    /// <summary>The client's data connection; null before it stands.</summary>
    public IPEndPoint? ClientEndPoint { get; private set; }

    /// <summary>The port that was lent to the client; 0 in active mode.</summary>
    public int ClientPort => _clientEnd is LentPort lent ? lent.Lease.Port : 0;

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

    /// <summary>Lets data flow as soon as both connections stand. Once.</summary>
    public void Start(long now)
    {
        lock (_sync)
        {
            _started = true;
            _seenAt = StartedAt = now;
            _unfinished = _tls is null ? null : _tls.Client is null ? TransferOutcome.UpstreamTlsFailed : TransferOutcome.ClientTlsFailed;
        }
        _ = RunAsync();
    }

    /// <summary>The server has refused the command: both connections are closed in order, nothing having flowed.</summary>
    public void Discard()
    {
        _upstreamEnd.Dispose();
        // A client that has sent its ClientHello at once (curl) must not meet a reset before it has read the refusal: it closes by itself then.
        if (_tls is { Client: not null } && _clientEnd is LentPort lent)
            _tls.Lingering.TakeRefused(lent.Lease);
        else
            _clientEnd.Dispose();
        _tls?.Resume?.Dispose();
        _completion.TrySetResult(TransferOutcome.Refused);
    }

    /// <summary>Ends the transfer as an abort. The first reason wins; without effect when it has ended.</summary>
    public void Cut(TransferOutcome reason)
    {
        DataRelay? relay;
        DataLeg? client, upstream;
        bool started;
        lock (_sync)
        {
            _cut ??= reason;
            relay = _relay;
            client = _client;
            upstream = _upstream;
            started = _started;
        }
        if (relay is not null)
        {
            relay.Cut();
        }
        else
        {
            // They are shaking hands, or one waits for the other.
            client?.Reset();
            upstream?.Reset();
        }
        _clientEnd.Cancel();
        _upstreamEnd.Cancel();
        if (started)
            return;
        _upstreamEnd.Reset();
        _clientEnd.Dispose();
        _tls?.Resume?.Dispose();
        _completion.TrySetResult(reason);
    }

    /// <summary>The server has said its last word: what still flows is delivered, what stands still is cut.</summary>
    public void WindDown()
    {
        lock (_sync)
            _windingDown = true;
    }

    /// <summary>Looks for a connection that does not come about and for a stall; called about once a second.</summary>
    /// <returns>True if bytes have moved since the last look.</returns>
    public bool Sweep(long now, TimeProvider time, TimeSpan connectLimit, TimeSpan stallLimit)
    {
        TimeSpan still;
        TransferOutcome? awaited;
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
            var waiting = _relay is null;
            awaited = !waiting ? null : _client is null ? TransferOutcome.NoClient : _upstream is null ? TransferOutcome.NoUpstream : null;
            if (still < (_windingDown ? WindDownLimit : waiting ? connectLimit : stallLimit))
                return false;
        }
        Cut(awaited ?? (_windingDown ? AbortRequested ? TransferOutcome.Aborted : TransferOutcome.Stalled : RefuseUnfinished() ?? TransferOutcome.Stalled));
        return false;
    }
}
