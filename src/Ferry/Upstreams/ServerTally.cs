namespace Ferry.Upstreams;

/// <summary>
/// What is known of a server over reloads. The servers of two generations that stand for the same address share one, so that a session
/// of the old generation still counts against <c>max_conns</c> in the new one. Written under the lock that all generations of the group share.
/// </summary>
internal sealed class ServerTally(long now)
{
    public int Sessions;
    public long TotalSessions;

    /// <summary>All failures ever, for people.</summary>
    public long Failures;

    /// <summary>Failures that count towards <c>max_fails</c>; NGINX's <c>fails</c>.</summary>
    public long RecentFailures;

    /// <summary>Time stamp of the last failure; NGINX's <c>accessed</c>.</summary>
    public long FailedAt = now;

    /// <summary>Time stamp of the last failure, or of the pick after it that tries the server again; NGINX's <c>checked</c>.</summary>
    public long CheckedAt = now;

    /// <summary>How far failures have lowered the weight; NGINX's <c>weight - effective_weight</c>.</summary>
    public long LostWeight;

    /// <summary>One of those failures was of a data connection, which only another data connection can make good.</summary>
    public bool FailedOnData;

    /// <summary>What checks have found.</summary>
    public ServerHealth Health { get; } = new(now);

    /// <summary>Time stamp of the moment from which its share grows; null: it has its whole share.</summary>
    public long? RisingSince;

    /// <summary>It is being emptied, so that its last session is worth a word.</summary>
    public bool IsDraining;

    /// <summary>It was said to be unavailable, and not yet that it has recovered.</summary>
    public bool IsReportedUnavailable;
}
