namespace Ferry.Upstreams;

/// <summary>A way to choose the next server of a group. Called under the group's lock, so a pick must be short and must not wait.</summary>
internal interface IBalancer
{
    /// <summary>The next server that <paramref name="choice"/> may try, or null when none is left. The choice itself marks and counts it.</summary>
    UpstreamServer? Pick(UpstreamChoice choice);
}
