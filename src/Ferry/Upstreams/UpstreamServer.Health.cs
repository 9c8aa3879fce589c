using System.Globalization;
using Ferry.Config;
using Microsoft.Extensions.Logging;

namespace Ferry.Upstreams;

// What checks say of the server. It is kept apart from what sessions find: neither makes good what the other has found.
internal sealed partial class UpstreamServer
{
    /// <summary>So early is warned of a certificate that expires.</summary>
    private const int WarnedDays = 30;

    private readonly HealthCheckConfig? _check;

    /// <summary>What checks say of it; null where it is not checked.</summary>
    public HealthStatus? Health
    {
        get
        {
            lock (_gate)
                return _check is null ? null : _tally.Health.Status;
        }
    }

    /// <summary>Why the last check failed; null where it passed, or there was none.</summary>
    public string? HealthFailure => _check is null ? null : Volatile.Read(ref _tally.Health.LastFailure);

    private bool IsHealthy => _check is null || _tally.Health.Status switch
    {
        HealthStatus.Up => true,
        HealthStatus.Down => false,
        _ => !_check.Mandatory,
    };

    /// <summary>Takes the server's turn to be checked, which <see cref="EndCheck"/> gives back.</summary>
    /// <param name="now">A time stamp of the group's clock; up to half a second early is not early.</param>
    public bool TryBeginCheck(long now)
    {
        lock (_gate)
        {
            if (Config.Down || IsInMaintenance || _tally.Health.IsBeingChecked || now + _time.TimestampFrequency / 2 < _tally.Health.DueAt)
                return false;
            return _tally.Health.IsBeingChecked = true;
        }
    }

    /// <summary>A check is over.</summary>
    /// <param name="result">What it has found.</param>
    /// <param name="dueAt">Time stamp of the moment from which the next may begin.</param>
    /// <returns>Whether the server has come up or gone down over it; null where neither.</returns>
    public bool? EndCheck(HealthProbeResult result, long dueAt)
    {
        bool? change;
        bool isNews;
        TimeSpan? absence = null;
        lock (_gate)
        {
            var health = _tally.Health;
            health.IsBeingChecked = false;
            health.DueAt = dueAt;
            if (result.IsVoid || _check is null)
                return null;
            isNews = health.LastFailure != result.Failure;
            health.LastFailure = result.Failure;
            change = Judge(health, result.Failure is null, _check);
            if (change == true && health.Status == HealthStatus.Down)
            {
                absence = _time.GetElapsedTime(health.ChangedAt);
                BeginSlowStart();
            }
            if (change is { } isUp)
            {
                health.Status = isUp ? HealthStatus.Up : HealthStatus.Down;
                health.ChangedAt = _time.GetTimestamp();
                _changes.Standing++;
            }
        }
        if (change is not null)
            _line.Advance();
        if (change == true)
            Log.Up(_logger, _group, Name, absence is { } away ? $"; it was down for {away.TotalSeconds.ToString("0", CultureInfo.InvariantCulture)} s" : "");
        else if (change == false)
            Log.Down(_logger, _group, Name, result.Failure!);
        else if (result.Failure is not null)
            SayFailed(result.Failure, isNews);
        if (result.CertificateExpires is { } expires)
            WarnOfExpiry(expires);
        return change;
    }

    /// <summary>A server may stay down for weeks: what has been said already is not said with every check.</summary>
    private void SayFailed(string failure, bool isNews)
    {
        if (isNews)
            Log.CheckFailed(_logger, _group, Name, failure);
        else
            Log.CheckFailedAgain(_logger, _group, Name, failure);
    }

    private static bool? Judge(ServerHealth health, bool passed, HealthCheckConfig check)
    {
        if (passed ? health.Status == HealthStatus.Up : health.Status == HealthStatus.Down)
        {
            health.Contrary = 0;
            return null;
        }
        // The first check that passes is enough for a server of which nothing bad is known.
        var needed = !passed ? check.Fall : health.Status == HealthStatus.Unknown ? 1 : check.Rise;
        if (++health.Contrary < needed)
            return null;
        health.Contrary = 0;
        return passed;
    }

    private void WarnOfExpiry(DateTimeOffset expires)
    {
        var now = _time.GetUtcNow();
        if (expires > now.AddDays(WarnedDays))
            return;
        var warning = (DateOnly.FromDateTime(now.UtcDateTime), expires);
        lock (_gate)
        {
            if (_tally.Health.Warned == warning)
                return;
            _tally.Health.Warned = warning;
        }
        var date = expires.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture);
        if (expires <= now)
            Log.CertificateExpired(_logger, _group, Name, date);
        else
            Log.CertificateExpires(_logger, _group, Name, date, (int)(expires - now).TotalDays);
    }

    private static partial class Log
    {
        [LoggerMessage(341, LogLevel.Warning, "upstream \"{Upstream}\": server {Server} is down by its checks and gets no new sessions: {Reason}")]
        public static partial void Down(ILogger logger, string upstream, string server, string reason);

        [LoggerMessage(342, LogLevel.Information, "upstream \"{Upstream}\": server {Server} is up by its checks{Absence}")]
        public static partial void Up(ILogger logger, string upstream, string server, string absence);

        [LoggerMessage(343, LogLevel.Information, "upstream \"{Upstream}\": a check of server {Server} has failed: {Reason}")]
        public static partial void CheckFailed(ILogger logger, string upstream, string server, string reason);

        [LoggerMessage(347, LogLevel.Debug, "upstream \"{Upstream}\": a check of server {Server} has failed again: {Reason}")]
        public static partial void CheckFailedAgain(ILogger logger, string upstream, string server, string reason);

        [LoggerMessage(344, LogLevel.Warning, "upstream \"{Upstream}\": the certificate of server {Server} expires on {Date}, in {Days} day(s)")]
        public static partial void CertificateExpires(ILogger logger, string upstream, string server, string date, int days);

        [LoggerMessage(345, LogLevel.Warning, "upstream \"{Upstream}\": the certificate of server {Server} expired on {Date}")]
        public static partial void CertificateExpired(ILogger logger, string upstream, string server, string date);
    }
}
