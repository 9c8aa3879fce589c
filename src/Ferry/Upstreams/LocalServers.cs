namespace Ferry.Upstreams;

/// <summary>The servers of one destination, the newest first.</summary>
/// <param name="Names">At least one.</param>
internal sealed record LocalServers(List<ServerName> Names)
{
    /// <summary>Time stamp of the last change.</summary>
    public long ChangedAt { get; set; }
}
