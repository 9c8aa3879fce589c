namespace Ferry.Upstreams;

/// <summary>What checks have found of a server, over reloads. Written under the lock of its group.</summary>
/// <param name="now">When the first check is due.</param>
internal sealed class ServerHealth(long now)
{
    public HealthStatus Status;

    /// <summary>Checks in a row that say the contrary of <see cref="Status"/>.</summary>
    public int Contrary;

    /// <summary>Time stamp of the moment from which the next check may begin.</summary>
    public long DueAt = now;

    /// <summary>A check is under way; there is one at a time, of whichever generation.</summary>
    public bool IsBeingChecked;

    /// <summary>Why the last check failed; null where it passed.</summary>
    public string? LastFailure;

    /// <summary>Time stamp of the last change of <see cref="Status"/>.</summary>
    public long ChangedAt;

    /// <summary>The day, and the end of a certificate, of which was warned last.</summary>
    public (DateOnly Day, DateTimeOffset Expires) Warned;
}

/// <summary>What checks say of a server.</summary>
internal enum HealthStatus
{
    /// <summary>No check has ended yet.</summary>
    Unknown,

    Up,

    Down,
}
