using Ferry.Config;
using Microsoft.Extensions.Logging;

namespace Ferry.Upstreams;

/// <summary>What the servers of a group share.</summary>
/// <param name="Name">The group's name, for the log.</param>
/// <param name="Gate">Guards the servers' counts. One for all generations of a group, as they share the counts.</param>
/// <param name="Time">The clock that all time stamps are of.</param>
/// <param name="Line">The sessions that wait for a place. One for all generations too: a place that any session leaves goes to its head.</param>
/// <param name="Logger">Where a server's ups and downs are said.</param>
internal sealed record GroupParts(string Name, Lock Gate, TimeProvider Time, WaitingLine Line, ILogger Logger)
{
    /// <summary>What changes of the servers, of all generations.</summary>
    public required ChangeLog Changes { get; init; }

    /// <summary>How the servers are checked; null: not at all.</summary>
    public HealthCheckConfig? Check { get; init; }
}
