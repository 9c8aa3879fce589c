namespace Ferry.Upstreams;

/// <summary>What a server of an upstream is there for at this moment.</summary>
public enum UpstreamServerState
{
    /// <summary>It gets its share of new sessions, or would, were it not full or a backup.</summary>
    Up,

    /// <summary>It is back from an absence, and its share of new sessions still grows (<c>slow_start</c>).</summary>
    SlowStart,

    /// <summary>It has failed, and gets no new sessions until its time is over.</summary>
    Unavailable,

    /// <summary>It gets no new sessions, and those that run go on (<c>drain</c>, or the same word of its agent). With no session it is empty.</summary>
    Draining,

    /// <summary>It is not used (<c>down</c>, or <c>maint</c> by its agent).</summary>
    Down,
}
