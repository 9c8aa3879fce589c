namespace Ferry.Sessions;

/// <summary>How a question to a service went.</summary>
/// <param name="Answer">The answer; null where there is none.</param>
/// <param name="Failure">Why there is none.</param>
/// <param name="Lifetime">How long the answer may be used at most, where the service says so.</param>
internal readonly record struct RouteReply(RouteAnswer? Answer, string? Failure, TimeSpan? Lifetime = null)
{
    /// <summary>The lifetime of an answer that is not to be remembered, not even for when the service fails.</summary>
    public static readonly TimeSpan NotKept = Timeout.InfiniteTimeSpan;
}
