using System.Net;

namespace Ferry.Upstreams;

/// <summary>What a server is called over reloads, whatever its place among the others.</summary>
/// <param name="Host">The host as configured.</param>
/// <param name="EndPoint">The address that it stands for.</param>
internal readonly record struct ServerName(string Host, IPEndPoint EndPoint);
