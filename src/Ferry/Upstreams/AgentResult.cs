namespace Ferry.Upstreams;

/// <summary>What came of asking an agent.</summary>
/// <param name="Answer">What it said; null where it did not.</param>
/// <param name="Failure">Why it did not.</param>
internal readonly record struct AgentResult(AgentAnswer? Answer, string? Failure)
{
    /// <summary>It was not asked to the end, or this machine had no descriptor for it.</summary>
    public bool IsVoid { get; init; }
}
