namespace Ferry.Upstreams;

/// <summary>
/// What later sets of a group say of a server, for those who walk over an older one. The servers of successive sets that stand for the same
/// address share one; those of another generation have their own. Written under the group's lock.
/// </summary>
internal sealed class ServerStanding
{
    /// <summary>It is no longer in the group, or it gets no new sessions there.</summary>
    public bool IsWithdrawn;
}
