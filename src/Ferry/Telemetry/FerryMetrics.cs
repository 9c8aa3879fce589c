using System.Diagnostics.Metrics;

namespace Ferry.Telemetry;

/// <summary>What one proxy counts. Levels are read when somebody asks for them, so a listener that comes late sees the truth; the rest costs a check while nobody listens.</summary>
internal sealed class FerryMetrics : IDisposable
{
    public const string MeterName = "Ferry";

    // From a refused login to a connection kept for a day.
    private static readonly InstrumentAdvice<double> SessionTimes = new() { HistogramBucketBoundaries = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400] };

    // From a listing on the same network to a disk image over a slow line.
    private static readonly InstrumentAdvice<double> TransferTimes = new() { HistogramBucketBoundaries = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200] };

    // From a greeting on the same network to the longest time that anybody waits for one.
    private static readonly InstrumentAdvice<double> CheckTimes = new() { HistogramBucketBoundaries = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60] };

    private readonly Meter _meter;
    private readonly Counter<long> _sessions;
    private readonly Histogram<double> _sessionTime;
    private readonly Counter<long> _transfers;
    private readonly Counter<long> _transferBytes;
    private readonly Histogram<double> _transferTime;
    private readonly Counter<long> _portsExhausted;
    private readonly Counter<long> _connectFailures;
    private readonly Counter<long> _rejected;
    private readonly Counter<long> _activeRefused;
    private readonly Counter<long> _handshakes;
    private readonly Counter<long> _truncations;
    private readonly Counter<long> _checks;
    private readonly Counter<long> _healthChanges;
    private readonly Histogram<double> _checkTime;
    private readonly Counter<long> _lookups;
    private readonly Histogram<double> _lookupTime;
    private long _activeSessions;
    private long _activeTransfers;
    private long _usedPorts;

    public FerryMetrics()
    {
        _meter = new Meter(MeterName, typeof(FerryMetrics).Assembly.GetName().Version?.ToString(3));
        _meter.CreateObservableUpDownCounter("ferry.sessions", () => ActiveSessions, "{session}", "Sessions at this moment.");
        _sessions = _meter.CreateCounter<long>("ferry.sessions.total", "{session}", "Sessions that have ended, by end_reason.");
        _sessionTime = _meter.CreateHistogram("ferry.session.duration", "s", "How long sessions lasted.", advice: SessionTimes);
        _meter.CreateObservableUpDownCounter("ferry.transfers", () => ActiveTransfers, "{transfer}", "Transfers at this moment.");
        _transfers = _meter.CreateCounter<long>("ferry.transfers.total", "{transfer}", "Transfers that have ended, by direction and outcome.");
        _transferBytes = _meter.CreateCounter<long>("ferry.transfer.bytes", "By", "Bytes of files and listings, by direction.");
        _transferTime = _meter.CreateHistogram("ferry.transfer.duration", "s", "How long transfers lasted, by direction.", advice: TransferTimes);
        _meter.CreateObservableUpDownCounter("ferry.ports.used", () => UsedPorts, "{lease}", "Leases of data ports at this moment.");
        _portsExhausted = _meter.CreateCounter<long>("ferry.ports.exhausted", "{request}", "Requests for a data port when none was free.");
        _connectFailures = _meter.CreateCounter<long>("ferry.upstream.connect.failures", "{attempt}", "Connections to upstream servers that failed, by server.");
        _rejected = _meter.CreateCounter<long>("ferry.rejected", "{connection}", "Clients that were turned away, by reason.");
        _activeRefused = _meter.CreateCounter<long>("ferry.active.refused", "{request}", "PORT and EPRT commands that name an address or a port that the client may not name.");
        _handshakes = _meter.CreateCounter<long>("ferry.tls.handshakes", "{handshake}", "TLS handshakes, by side, channel and result.");
        _checks = _meter.CreateCounter<long>("ferry.health.checks", "{check}", "Health checks of upstream servers, by server and result.");
        _healthChanges = _meter.CreateCounter<long>("ferry.health.changes", "{change}", "Upstream servers that came up or went down by their health checks, by server and state.");
        _checkTime = _meter.CreateHistogram("ferry.health.check.duration", "s", "How long health checks took, by server.", advice: CheckTimes);
        _lookups = _meter.CreateCounter<long>("ferry.route.lookups", "{lookup}", "Questions where a user belongs (ftp_route), by source and result.");
        _lookupTime = _meter.CreateHistogram("ferry.route.duration", "s", "How long the service of ftp_route took to answer.", advice: CheckTimes);
        _truncations = _meter.CreateCounter<long>("ferry.tls.truncations", "{connection}", "TLS data connections that ended without saying so, by side.");
    }

    public long ActiveSessions => Interlocked.Read(ref _activeSessions);

    public long ActiveTransfers => Interlocked.Read(ref _activeTransfers);

    public long UsedPorts => Interlocked.Read(ref _usedPorts);

    /// <summary>Whether an instrument's meter is this proxy's; all proxies of a process have meters of one name.</summary>
    public bool Owns(Meter meter) => ReferenceEquals(meter, _meter);

    public void SessionStarted() => Interlocked.Increment(ref _activeSessions);

    public void SessionEnded(string endReason, TimeSpan duration)
    {
        Interlocked.Decrement(ref _activeSessions);
        if (_sessions.Enabled)
            _sessions.Add(1, new KeyValuePair<string, object?>("end_reason", endReason));
        if (_sessionTime.Enabled)
            _sessionTime.Record(duration.TotalSeconds);
    }

    /// <summary>A client was turned away before it had a session.</summary>
    public void ClientRejected(string reason)
    {
        if (_rejected.Enabled)
            _rejected.Add(1, new KeyValuePair<string, object?>("reason", reason));
    }

    public void TransferStarted() => Interlocked.Increment(ref _activeTransfers);

    public void TransferEnded(TransferDirection direction, string outcome, TimeSpan duration, long bytes)
    {
        Interlocked.Decrement(ref _activeTransfers);
        var tag = new KeyValuePair<string, object?>("direction", TransferRecord.Word(direction));
        if (_transfers.Enabled)
            _transfers.Add(1, tag, new KeyValuePair<string, object?>("outcome", outcome));
        if (_transferBytes.Enabled)
            _transferBytes.Add(bytes, tag);
        if (_transferTime.Enabled)
            _transferTime.Record(duration.TotalSeconds, tag);
    }

    public void PortLeased() => Interlocked.Increment(ref _usedPorts);

    public void PortReturned() => Interlocked.Decrement(ref _usedPorts);

    public void PortsExhausted() => _portsExhausted.Add(1);

    public void ActivePeerRefused() => _activeRefused.Add(1);

    /// <param name="server">The server as the configuration names it.</param>
    public void UpstreamConnectFailed(string server)
    {
        if (_connectFailures.Enabled)
            _connectFailures.Add(1, new KeyValuePair<string, object?>("server", server));
    }

    /// <summary>A handshake is over.</summary>
    /// <param name="client">With a client; else with a server.</param>
    /// <param name="data">On a data connection; else on a control channel.</param>
    /// <param name="result">full, resumed or failed.</param>
    public void TlsHandshake(bool client, bool data, string result)
    {
        if (_handshakes.Enabled)
            _handshakes.Add(1, Side(client), new KeyValuePair<string, object?>("channel", data ? "data" : "control"), new KeyValuePair<string, object?>("result", result));
    }

    /// <summary>A connection in TLS ended without a close_notify.</summary>
    /// <param name="client">The client's; else the server's.</param>
    public void TlsTruncated(bool client)
    {
        if (_truncations.Enabled)
            _truncations.Add(1, Side(client));
    }

    /// <summary>A health check has ended.</summary>
    /// <param name="server">The server as the configuration names it.</param>
    /// <param name="passed">Nothing was wrong with it.</param>
    /// <param name="duration">How long the check took.</param>
    public void HealthChecked(string server, bool passed, TimeSpan duration)
    {
        var tag = new KeyValuePair<string, object?>("server", server);
        if (_checks.Enabled)
            _checks.Add(1, tag, new KeyValuePair<string, object?>("result", passed ? "passed" : "failed"));
        if (_checkTime.Enabled)
            _checkTime.Record(duration.TotalSeconds, tag);
    }

    /// <summary>Health checks have taken a server out, or brought it back.</summary>
    public void HealthChanged(string server, bool isUp)
    {
        if (_healthChanges.Enabled)
            _healthChanges.Add(1, new KeyValuePair<string, object?>("server", server), new KeyValuePair<string, object?>("state", isUp ? "up" : "down"));
    }

    /// <summary>A session has asked where its user belongs.</summary>
    /// <param name="source">service, shared, cache or stale.</param>
    /// <param name="result">found, unknown, refused or failed.</param>
    /// <param name="duration">How long the service took; null where it was not asked, or has not answered.</param>
    public void RouteLookedUp(string source, string result, TimeSpan? duration = null)
    {
        if (_lookups.Enabled)
            _lookups.Add(1, new KeyValuePair<string, object?>("source", source), new KeyValuePair<string, object?>("result", result));
        if (duration is { } took && _lookupTime.Enabled)
            _lookupTime.Record(took.TotalSeconds);
    }

    private static KeyValuePair<string, object?> Side(bool client) => new("side", client ? "client" : "upstream");

    public void Dispose() => _meter.Dispose();
}
