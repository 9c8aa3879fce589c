namespace Ferry.Upstreams;

/// <summary>What a server is measured by; the smallest measure for its weight is chosen, and among equals the first.</summary>
internal enum ServerLoad
{
    /// <summary>LVS's <c>lc</c>: sessions, whatever the weight.</summary>
    Sessions,

    /// <summary>LVS's <c>wlc</c>: sessions for the weight.</summary>
    WeightedSessions,

    /// <summary>LVS's <c>sed</c>: the same, with the session that is to come.</summary>
    ExpectedDelay,

    /// <summary>LVS's <c>nq</c>: an idle server at once, otherwise as <c>sed</c>.</summary>
    ExpectedDelayUnlessIdle,

    /// <summary>LVS's <c>fo</c>: the heaviest server.</summary>
    Weight,

    /// <summary>LVS's <c>ovf</c>: the heaviest server that does not have more sessions than its weight.</summary>
    WeightUnlessFull,
}
