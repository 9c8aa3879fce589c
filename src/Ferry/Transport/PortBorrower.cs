using System.Net;

namespace Ferry.Transport;

/// <summary>Whom a passive port is lent to.</summary>
/// <param name="Address">The client's address.</param>
/// <param name="Relay">The balancer that the client's control connection came through, whose connections are taken as well; null: none.</param>
/// <param name="IsAnybody">Connections are taken from wherever they come.</param>
internal readonly record struct PortBorrower(IPAddress Address, IPAddress? Relay, bool IsAnybody)
{
    /// <summary>Connections from here are taken; the unspecified address where any are. They come to the family that the control connection came by.</summary>
    public IPAddress Client => IsAnybody ? PortPool.Anybody(Relay ?? Address) : Address;

    /// <summary>And those from here; null: from nowhere else.</summary>
    public IPAddress? OtherClient => IsAnybody || Address.Equals(Relay) ? null : Relay;

    /// <summary>Whose turn through the range the port comes from: all clients behind one balancer look the same to a port.</summary>
    public IPAddress Holder => OtherClient ?? Client;

    /// <summary>Whom the rules of access are asked about: what comes through the balancer is the client's.</summary>
    public IPAddress Subject(IPAddress peer) => peer.Equals(Relay) ? Address : peer;
}
