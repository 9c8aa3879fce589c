namespace Ferry.Upstreams;

/// <summary>What is to become of a server of an upstream while Ferry runs. What is null stays as it is.</summary>
public sealed record UpstreamServerChange
{
    /// <summary>Whether it gets new sessions.</summary>
    public UpstreamServerMode? Mode { get; init; }

    /// <summary>Its share of new sessions, 1 to 65535.</summary>
    public int? Weight { get; init; }

    /// <summary>Most sessions at a time; 0 is no limit.</summary>
    public int? MaxConnections { get; init; }
}

/// <summary>Whether a server of an upstream gets new sessions.</summary>
public enum UpstreamServerMode
{
    /// <summary>It gets its share.</summary>
    Up,

    /// <summary>It gets none, and those that run go on to their end.</summary>
    Drain,

    /// <summary>It gets none: as <see cref="Drain"/>, for a server that is out of use.</summary>
    Down,
}

/// <summary>What came of a change.</summary>
public enum UpstreamChangeStatus
{
    /// <summary>It is in force, and kept where the upstream has a state file.</summary>
    Done,

    /// <summary>The proxy has not been started, or stops.</summary>
    NotRunning,

    /// <summary>There is no upstream of this name.</summary>
    UnknownUpstream,

    /// <summary>The upstream has no such server.</summary>
    UnknownServer,

    /// <summary>The upstream has this server already.</summary>
    Duplicate,

    /// <summary>It is the last server of its upstream that is no backup.</summary>
    LastServer,

    /// <summary>What is asked for is not possible, or would be an error in the configuration too.</summary>
    Invalid,

    /// <summary>The state file could not be written.</summary>
    NotSaved,
}

/// <summary>What came of a change; unless it is done, nothing has changed.</summary>
/// <param name="Status">What came of it.</param>
/// <param name="Message">In words: what has changed, or what was wrong.</param>
public readonly record struct UpstreamChangeResult(UpstreamChangeStatus Status, string Message);
