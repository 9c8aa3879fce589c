namespace Ferry.Relay;

/// <summary>A way to carry bytes from one leg to the other; all that the two relays differ in.</summary>
internal interface IRelay
{
    /// <summary>Carries one direction until it ends. Passes on neither the end nor a reset, and closes nothing.</summary>
    ValueTask<FlowEnd> CopyAsync(RelayFlow flow);
}
