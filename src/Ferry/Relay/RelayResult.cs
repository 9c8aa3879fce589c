namespace Ferry.Relay;

/// <summary>How a transfer ended.</summary>
/// <param name="End">Who ended it, and how.</param>
/// <param name="BytesToClient">What the client's leg took.</param>
/// <param name="BytesToUpstream">What the server's leg took.</param>
internal readonly record struct RelayResult(RelayEnd End, long BytesToClient, long BytesToUpstream)
{
    /// <summary>Whether the sender's stream ended in order, and the kernel took all of it and its end for the receiver.</summary>
    public bool IsComplete => End is RelayEnd.UpstreamClosed or RelayEnd.ClientClosed;
}
