namespace Ferry.Transport;

// Ports of transfers that the server has refused. Their clients may have connected, and sent a ClientHello, without our having seen either: the connection
// stands in the kernel's queue when the refusal comes. Closed there it would be reset, and curl takes that for a failure of the command before.
internal sealed partial class LingeringLegs
{
    /// <summary>A connection that was there before the refusal is accepted long before; clients do not connect behind one.</summary>
    private static readonly TimeSpan LongestRefused = TimeSpan.FromSeconds(1);

    private readonly LinkedList<Refused> _refused = [];

    /// <summary>Owns the port of a refused transfer from here on: the client's connection is left to it to close, be it accepted already or not.</summary>
    public void TakeRefused(DataLease lease)
    {
        LinkedListNode<Refused>? node = null;
        if (!lease.IsConnected)
        {
            lock (_gate)
            {
                if (!_isClosed && _refused.Count < most)
                    node = _refused.AddLast(new Refused(lease, time.GetTimestamp()));
            }
        }
        _ = AwaitClientAsync(lease, node);
    }

    private async Task AwaitClientAsync(DataLease lease, LinkedListNode<Refused>? node)
    {
        if (node is null && !lease.IsConnected)
        {
            lease.Dispose();
            return;
        }
        if (await lease.Connected.ConfigureAwait(false) && lease.Take() is { } connection)
            Take(new DataLeg(connection));
        lease.Dispose();
        if (node is null)
            return;
        lock (_gate)
            _refused.Remove(node);
    }

    private void CloseRefused(Func<Refused, bool> due)
    {
        List<DataLease> leases = [];
        lock (_gate)
        {
            for (var node = _refused.First; node is not null && due(node.Value); node = node.Next)
                leases.Add(node.Value.Lease);
        }
        leases.ForEach(static lease => lease.DisposeIfWaiting());
    }

    private sealed record Refused(DataLease Lease, long Since);
}
