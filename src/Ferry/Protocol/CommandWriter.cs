using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ferry.Protocol;

/// <summary>The commands that ask a server for a data connection, each with its CRLF.</summary>
internal static class CommandWriter
{
    /// <summary>PORT (RFC 959 §4.1.2) for an IPv4 address.</summary>
    public static byte[] Port(IPEndPoint announced)
    {
        Span<byte> h = stackalloc byte[4];
        _ = announced.Address.TryWriteBytes(h, out _);
        return Encoding.ASCII.GetBytes($"PORT {h[0]},{h[1]},{h[2]},{h[3]},{announced.Port >> 8},{announced.Port & 255}\r\n");
    }

    /// <summary>EPRT (RFC 2428 §2). A scope means nothing to another host, so none is written.</summary>
    public static byte[] ExtendedPort(IPEndPoint announced)
    {
        var isIPv6 = announced.AddressFamily == AddressFamily.InterNetworkV6;
        var address = isIPv6 ? new IPAddress(announced.Address.GetAddressBytes()) : announced.Address;
        return Encoding.ASCII.GetBytes($"EPRT |{(isIPv6 ? 2 : 1)}|{address}|{announced.Port}|\r\n");
    }

    /// <summary>PASV or EPSV.</summary>
    public static byte[] Passive(FtpVerb verb) => verb == FtpVerb.Epsv ? "EPSV\r\n"u8.ToArray() : "PASV\r\n"u8.ToArray();
}
