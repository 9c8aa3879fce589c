using System.Collections.Immutable;
using Ferry.Config;

namespace Ferry.Upstreams;

/// <summary>What became of an <c>upstream</c> block.</summary>
/// <param name="Group">The group; null when there are errors.</param>
/// <param name="Errors">Why there is none, each with the position of its server.</param>
internal readonly record struct UpstreamGroupResult(UpstreamGroup? Group, ImmutableArray<ConfigDiagnostic> Errors)
{
    /// <summary>What may come right by itself: names that cannot be resolved yet.</summary>
    public ImmutableArray<ConfigDiagnostic> Warnings { get; init; } = [];
}
