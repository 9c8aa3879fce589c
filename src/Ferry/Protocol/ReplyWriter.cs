using System.Net;
using System.Text;

namespace Ferry.Protocol;

/// <summary>The replies that Ferry says itself, each with its CRLF.</summary>
internal static class ReplyWriter
{
    /// <summary>A 227 (RFC 959 §4.1.2) for an IPv4 address.</summary>
    public static byte[] Passive(IPAddress address, int port)
    {
        Span<byte> h = stackalloc byte[4];
        _ = address.TryWriteBytes(h, out _);
        return Encoding.ASCII.GetBytes($"227 Entering Passive Mode ({h[0]},{h[1]},{h[2]},{h[3]},{port >> 8},{port & 255})\r\n");
    }

    /// <summary>A 229 (RFC 2428 §3).</summary>
    public static byte[] ExtendedPassive(int port) => Encoding.ASCII.GetBytes($"229 Entering Extended Passive Mode (|||{port}|)\r\n");

    /// <summary>A reply of one line.</summary>
    /// <param name="code">100-599.</param>
    /// <param name="text">ASCII without line ends.</param>
    public static byte[] Line(int code, string text) => Encoding.ASCII.GetBytes($"{code} {text}\r\n");
}
