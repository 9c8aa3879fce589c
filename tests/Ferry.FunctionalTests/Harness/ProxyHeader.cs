using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ferry.FunctionalTests.Harness;

/// <summary>The header of the PROXY protocol that a connection began with. Not a byte behind it has been read.</summary>
internal sealed record ProxyHeader(byte[] Bytes)
{
    /// <summary>A header of version 1, or of one for a check.</summary>
    public string Text => Encoding.Latin1.GetString(Bytes);

    /// <summary>The addresses of one of version 2 over IPv4.</summary>
    public (IPEndPoint Source, IPEndPoint Destination) Addresses
    {
        get
        {
            Assert.Equal("2111", Convert.ToHexString(Bytes, 12, 2));
            return (At(16, 24), At(20, 26));

            IPEndPoint At(int address, int port) =>
                new(new IPAddress(Bytes.AsSpan(address, 4)), BinaryPrimitives.ReadUInt16BigEndian(Bytes.AsSpan(port)));
        }
    }

    /// <summary>The fields behind the addresses of one of version 2 over IPv4, and those within what it says of TLS.</summary>
    public Dictionary<int, string> Fields
    {
        get
        {
            var fields = new Dictionary<int, string>();
            Read(Bytes.AsSpan(28), fields);
            if (fields.TryGetValue(0x20, out var tls))
                Read(Encoding.Latin1.GetBytes(tls).AsSpan(5), fields);
            return fields;
        }
    }

    /// <summary>Reads one; fails where the connection begins with something else.</summary>
    public static async Task<ProxyHeader> ReadAsync(Socket socket)
    {
        var bytes = new byte[1024];
        var length = 0;
        await ReadToAsync(1);
        if (bytes[0] == 'P')
        {
            while (bytes[length - 1] != '\n')
                await ReadToAsync(length + 1);
            Assert.StartsWith("PROXY ", Encoding.Latin1.GetString(bytes, 0, length), StringComparison.Ordinal);
        }
        else
        {
            await ReadToAsync(16);
            Assert.Equal("\r\n\r\n\0\r\nQUIT\n", Encoding.Latin1.GetString(bytes, 0, 12));
            await ReadToAsync(16 + BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(14)));
        }
        return new ProxyHeader(bytes[..length]);

        async Task ReadToAsync(int until)
        {
            while (length < until)
            {
                var received = await Wait.For(socket.ReceiveAsync(bytes.AsMemory(length, until - length), SocketFlags.None).AsTask(), "a PROXY header");
                Assert.True(received > 0, "The connection ended within its PROXY header.");
                length += received;
            }
        }
    }

    private static void Read(ReadOnlySpan<byte> bytes, Dictionary<int, string> fields)
    {
        while (!bytes.IsEmpty)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]);
            fields.Add(bytes[0], Encoding.Latin1.GetString(bytes.Slice(3, length)));
            bytes = bytes[(3 + length)..];
        }
    }
}
