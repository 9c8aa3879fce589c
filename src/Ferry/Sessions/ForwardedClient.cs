using System.Net;
using Ferry.Transport;

namespace Ferry.Sessions;

/// <summary>A client whose connection began with a PROXY header, and what is made of that.</summary>
/// <param name="Peer">Who has connected to us.</param>
/// <param name="Header">What it says.</param>
/// <param name="IsTrusted">The peer is one that <c>set_real_ip_from</c> names.</param>
internal sealed record ForwardedClient(IPEndPoint Peer, ProxyHeader Header, bool IsTrusted)
{
    /// <summary>The client: the one that a trusted peer names, else the peer itself.</summary>
    public IPEndPoint Client => IsTrusted && Header.Source is { } source ? source : Peer;

    /// <summary>What the client has connected to, by a trusted peer's word; null where there is none.</summary>
    public IPEndPoint? Dialled => IsTrusted ? Header.Destination : null;

    /// <summary>The balancer that the client came through; null where the peer is the client.</summary>
    public IPAddress? Relay => IsTrusted && Header.Source is not null ? Peer.Address : null;
}
