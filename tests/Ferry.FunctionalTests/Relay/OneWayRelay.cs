using Ferry.Relay;
using Ferry.Transport;

namespace Ferry.FunctionalTests.Relay;

/// <summary>Never reads one of the legs, as if the other one took no more: what its peer sends stays in the kernel.</summary>
internal sealed class OneWayRelay(IRelay inner) : IRelay
{
    public DataLeg? Ignored { get; set; }

    public ValueTask<FlowEnd> CopyAsync(RelayFlow flow) => flow.From == Ignored ? ValueTask.FromResult(FlowEnd.ReceiverClosed) : inner.CopyAsync(flow);
}
