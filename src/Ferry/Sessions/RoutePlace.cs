using Ferry.Config;
using Ferry.Transport.Tls;
using Ferry.Upstreams;

namespace Ferry.Sessions;

/// <summary>One of the places that a route leads to.</summary>
/// <param name="Group">Its servers.</param>
/// <param name="PeerName">Who they should be.</param>
internal sealed record RoutePlace(UpstreamGroup Group, TlsPeerName PeerName)
{
    /// <summary>Who servers should be.</summary>
    /// <param name="config">The server block.</param>
    /// <param name="name">The host of the place, or its name.</param>
    public static TlsPeerName PeerNameOf(ServerConfig config, string name)
    {
        var tls = config.UpstreamTls;
        name = tls.Name ?? name;
        return new TlsPeerName(tls.Verify ? name : null, tls.SendServerName ? name : null);
    }
}
