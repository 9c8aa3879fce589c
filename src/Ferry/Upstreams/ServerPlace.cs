using System.Net;
using Ferry.Config;

namespace Ferry.Upstreams;

/// <summary>One address of one <c>server</c> line.</summary>
/// <param name="Config">The line.</param>
/// <param name="EndPoint">The address and the line's port.</param>
/// <param name="IsResolved">The line has a name, and the address came from it.</param>
internal readonly record struct ServerPlace(UpstreamServerConfig Config, IPEndPoint EndPoint, bool IsResolved)
{
    /// <summary>For people: as in the configuration, with the address behind it where that came from a name.</summary>
    public string Name => IsResolved ? $"{KetamaRing.TextOf(Config)} ({EndPoint})" : EndPoint.ToString();
}
