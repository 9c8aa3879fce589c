using System.Buffers.Binary;
using System.Net.Sockets;

namespace Ferry.FunctionalTests.Harness;

/// <summary>The first message of a TLS client, as a server sees it that knows no more of TLS.</summary>
internal static class ClientHello
{
    /// <summary>Waits for it, leaves it in the socket, and looks whether it has a session of TLS 1.3 to resume.</summary>
    public static async Task<bool> OffersSessionAsync(Socket socket)
    {
        var buffer = new byte[16 * 1024];
        var length = 0;
        var wanted = 5;
        while (length < wanted)
        {
            length = await Wait.For(socket.ReceiveAsync(buffer.AsMemory(0, wanted), SocketFlags.Peek).AsTask(), "a ClientHello");
            if (length == 0)
                return false;
            if (length >= 5)
                wanted = 5 + BinaryPrimitives.ReadUInt16BigEndian(buffer.AsSpan(3));
        }
        return OffersSession(buffer.AsSpan(5, length - 5));
    }

    // RFC 8446 §4.1.2: behind the message's header of 4 bytes come version, random, session id, cipher suites, compression methods, extensions.
    private static bool OffersSession(ReadOnlySpan<byte> hello)
    {
        const int PreSharedKey = 41; // RFC 8446 §4.2
        var rest = hello[(4 + 2 + 32)..];
        rest = rest[(1 + rest[0])..];
        rest = rest[(2 + BinaryPrimitives.ReadUInt16BigEndian(rest))..];
        rest = rest[(1 + rest[0] + 2)..];
        while (!rest.IsEmpty)
        {
            if (BinaryPrimitives.ReadUInt16BigEndian(rest) == PreSharedKey)
                return true;
            rest = rest[(4 + BinaryPrimitives.ReadUInt16BigEndian(rest[2..]))..];
        }
        return false;
    }
}
