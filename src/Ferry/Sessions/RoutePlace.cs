using Ferry.Transport.Tls;
using Ferry.Upstreams;

namespace Ferry.Sessions;

/// <summary>One of the places that a route leads to.</summary>
/// <param name="Group">Its servers.</param>
/// <param name="PeerName">Who they should be.</param>
internal sealed record RoutePlace(UpstreamGroup Group, TlsPeerName PeerName);
