using System.Net;

namespace Ferry.Transport;

/// <summary>Addresses as people write them.</summary>
internal static class EndPoints
{
    /// <summary>The address, an IPv4-mapped one (RFC 4291 §2.5.5.2) as IPv4: it is the same host.</summary>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    /// <summary>The end point with its address as <see cref="Plain(IPAddress)"/> gives it.</summary>
    public static IPEndPoint Plain(IPEndPoint endPoint) =>
        endPoint.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(endPoint.Address.MapToIPv4(), endPoint.Port) : endPoint;
}
