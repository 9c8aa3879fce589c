using System.Net;
using Ferry.Config;
using Microsoft.Extensions.Logging;

namespace Ferry.Upstreams;

/// <summary>
/// One address that sessions can be sent to. The rules of availability are those of NGINX's stream module (<c>ngx_stream_upstream_round_robin</c>):
/// <c>max_fails</c> failures make the server unavailable for <c>fail_timeout</c>; then one session at a time tries it, and its success clears the failures.
/// </summary>
internal sealed partial class UpstreamServer
{
    private readonly ServerTally _tally;
    private readonly ServerStanding _standing;
    private readonly WaitingLine _line;
    private readonly Lock _gate;
    private readonly ChangeLog _changes;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly string _group;
    private readonly int _maxFails;
    private readonly long _failTicks;

    /// <param name="name">As in the configuration, with the address behind it where that came from a name.</param>
    /// <param name="place">Where it connects to and its line.</param>
    /// <param name="index">Its place in its set.</param>
    /// <param name="isOnly">It has no alternative, so NGINX never gives it up.</param>
    /// <param name="tally">Counts, perhaps of the generation before.</param>
    /// <param name="agent">What its agent has said, perhaps to the generation before.</param>
    /// <param name="standing">What later sets of its group say of it.</param>
    /// <param name="shared">What all servers of the group share.</param>
    public UpstreamServer(string name, ServerPlace place, int index, bool isOnly, ServerTally tally, ServerAgent agent, ServerStanding standing, GroupParts shared)
    {
        Name = name;
        EndPoint = place.EndPoint;
        Config = place.Config;
        Index = index;
        _tally = tally;
        _agent = agent;
        _standing = standing;
        _line = shared.Line;
        _gate = shared.Gate;
        _changes = shared.Changes;
        _time = shared.Time;
        _logger = shared.Logger;
        _group = shared.Name;
        _check = shared.Check;
        _hasAgent = shared.Check?.Agent is not null;
        _maxFails = isOnly ? 0 : Config.MaxFails;
        _failTicks = Ticks(Config.FailTimeout);
        _slowTicks = isOnly ? 0 : Ticks(Config.SlowStart);
    }

    public string Name { get; }

    public IPEndPoint EndPoint { get; }

    public UpstreamServerConfig Config { get; }

    /// <summary>Its share of new sessions.</summary>
    public int Weight => Config.Weight;

    /// <summary>What it is called over reloads.</summary>
    public ServerName Id => new(Config.Host, EndPoint);

    /// <summary>Its place in its <see cref="ServerSet"/>.</summary>
    public int Index { get; }

    /// <summary>Sessions on it now, of all generations.</summary>
    public int Sessions => Volatile.Read(ref _tally.Sessions);

    /// <summary>How often it was chosen.</summary>
    public long TotalSessions => Volatile.Read(ref _tally.TotalSessions);

    public long Failures => Volatile.Read(ref _tally.Failures);

    internal ServerTally Tally => _tally;

    internal ServerStanding Standing => _standing;

    /// <summary>NGINX's <c>current_weight</c>: how much it is this server's turn. Belongs to the round robin, under the group's lock.</summary>
    internal long Turn { get; set; }

    /// <summary>Whether a new session could be given to it.</summary>
    /// <param name="now">A time stamp of the group's clock.</param>
    public bool IsAvailable(long now)
    {
        lock (_gate)
            return IsEligible(now);
    }

    /// <summary>The server failed a session: it could not be connected to, had no greeting, turned its user away, or its data connection did not come about.</summary>
    /// <param name="reason">What counts, for the log.</param>
    /// <param name="isOfData">It takes control connections, and fails those of data.</param>
    public void ReportFailure(string reason, bool isOfData = false)
    {
        long failures;
        bool isNew;
        lock (_gate)
        {
            _tally.Failures++;
            if (_maxFails == 0)
                return;
            _changes.Standing++;
            var wasTried = _tally.FailedAt < _tally.CheckedAt;
            failures = ++_tally.RecentFailures;
            _tally.FailedAt = _tally.CheckedAt = _time.GetTimestamp();
            _tally.LostWeight = Math.Min(Config.Weight, _tally.LostWeight + Config.Weight / _maxFails);
            _tally.FailedOnData |= isOfData;
            isNew = failures >= _maxFails && (!_tally.IsReportedUnavailable || wasTried);
            _tally.IsReportedUnavailable |= isNew;
        }
        Log.Failed(_logger, _group, Name, reason, failures, _maxFails);
        if (isNew)
            Log.Unavailable(_logger, _group, Name, failures, Config.FailTimeout.TotalSeconds);
    }

    /// <summary>The server has answered.</summary>
    /// <param name="isOfData">On a data connection; a greeting does not prove that these work.</param>
    public void ReportSuccess(bool isOfData = false)
    {
        // As a rule there is nothing to make good, and a transfer takes no lock.
        if (isOfData && !Volatile.Read(ref _tally.FailedOnData))
            return;
        lock (_gate)
        {
            // A session that was chosen before the last failure proves nothing about the time after it.
            if (_tally.FailedAt >= _tally.CheckedAt || (_tally.FailedOnData && !isOfData))
                return;
            _tally.RecentFailures = 0;
            _tally.FailedOnData = false;
            if (!_tally.IsReportedUnavailable)
                return;
            _tally.IsReportedUnavailable = false;
            BeginSlowStart();
        }
        Log.Recovered(_logger, _group, Name);
        _line.Advance();
    }

    /// <summary>The session is over, or went to another server. Once for every time it was chosen.</summary>
    public void Release()
    {
        bool isEmpty;
        lock (_gate)
        {
            CountSessions(-1);
            isEmpty = _tally.Sessions == 0 && _tally.IsDraining;
        }
        if (isEmpty)
            SayEmpty();
        _line.Advance();
    }

    /// <summary>As <see cref="IsAvailable"/>, for those who hold the lock.</summary>
    internal bool IsEligible(long now) => IsInUse(now) && (MaxConnections == 0 || _tally.Sessions < MaxConnections);

    /// <summary>Whether a new session could be given to it, were there a place. Under the lock.</summary>
    internal bool IsInUse(long now) =>
        !Config.Down && !Config.Drain && !_standing.IsWithdrawn && IsHealthy && !IsOutByAgent
        && (_maxFails == 0 || _tally.RecentFailures < _maxFails || now - _tally.CheckedAt > _failTicks);

    /// <summary>
    /// The weight that failures and a slow start have left, in parts of <see cref="FullShare"/>; NGINX's <c>effective_weight</c>. What failures
    /// took grows back by one with every look. Under the lock.
    /// </summary>
    internal long TakeEffectiveWeight()
    {
        // A reload may have made the weight smaller than what an older line has lost.
        var weight = Math.Max(0, Config.Weight - _tally.LostWeight);
        if (_tally.LostWeight > 0)
            _tally.LostWeight--;
        return PartOf(weight);
    }

    /// <summary>The weight that <see cref="TakeEffectiveWeight"/> gives again and again; null where it changes from look to look.</summary>
    internal long? SteadyWeight => _tally.LostWeight > 0 || IsRising ? null : PartOf(Config.Weight);

    /// <summary>Counts a session on it. Under the lock.</summary>
    /// <returns>Whether this is the session that tries a server again that was unavailable.</returns>
    internal bool Take(long now)
    {
        CountSessions(1);
        _tally.TotalSessions++;
        if (now - _tally.CheckedAt <= _failTicks)
            return false;
        // From here on the others see it unavailable for another fail_timeout, unless this session succeeds.
        _tally.CheckedAt = now;
        if (_maxFails > 0 && _tally.RecentFailures >= _maxFails)
            _changes.Standing++;
        return _tally.IsReportedUnavailable;
    }

    private void CountSessions(int change)
    {
        _tally.Sessions += change;
        _changes.AddSession(_tally);
        if (change > 0 && MaxConnections > 0 && _tally.Sessions >= MaxConnections)
            _changes.Standing++;
    }

    /// <summary>Outside the lock: whoever writes the log may wait for a disk.</summary>
    internal void SayTriedAgain() => Log.TriedAgain(_logger, _group, Name);

    private static partial class Log
    {
        [LoggerMessage(300, LogLevel.Warning, "upstream \"{Upstream}\": server {Server} is unavailable for {Seconds} s after {Failures} failure(s)")]
        public static partial void Unavailable(ILogger logger, string upstream, string server, long failures, double seconds);

        [LoggerMessage(301, LogLevel.Information, "upstream \"{Upstream}\": server {Server} is tried again")]
        public static partial void TriedAgain(ILogger logger, string upstream, string server);

        [LoggerMessage(340, LogLevel.Information, "upstream \"{Upstream}\": server {Server} has failed a session ({Failures} of {MaxFails}): {Reason}")]
        public static partial void Failed(ILogger logger, string upstream, string server, string reason, long failures, int maxFails);

        [LoggerMessage(302, LogLevel.Information, "upstream \"{Upstream}\": server {Server} is available again")]
        public static partial void Recovered(ILogger logger, string upstream, string server);
    }
}
