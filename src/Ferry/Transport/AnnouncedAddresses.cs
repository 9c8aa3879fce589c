using System.Collections.Immutable;
using System.Net;

namespace Ferry.Transport;

/// <summary>Which address clients are told for passive data connections.</summary>
/// <param name="byNetwork">Addresses for clients of some networks; the first that matches decides. A null address is the one that the client has connected to.</param>
/// <param name="otherwise">The address for all others.</param>
internal sealed class AnnouncedAddresses(ImmutableArray<(IPNetwork Clients, IPAddress? Address)> byNetwork, IPAddress? otherwise)
{
    /// <summary>The address for a client.</summary>
    /// <param name="client">Where its control connection comes from.</param>
    /// <param name="local">The address that it has connected to.</param>
    public IPAddress For(IPAddress client, IPAddress local)
    {
        foreach (var (clients, address) in byNetwork)
        {
            if (clients.Contains(client))
                return address ?? local;
        }
        return otherwise ?? local;
    }
}
