using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Ferry.Transport.Dns;

/// <summary>
/// One question to one name server: by UDP, and by TCP where the answer did not fit. Whoever wants to forge an answer has to guess the number of
/// the question and the port that it came from (RFC 5452); both are new with every question.
/// </summary>
internal static class DnsExchange
{
    /// <summary>Answers without extensions have 512 bytes; some servers send more all the same.</summary>
    private const int UdpBytes = 4096;

    /// <summary>Datagrams that are no answer to the question: late, forged, or broken.</summary>
    private const int MostStrays = 64;

    /// <summary>Asks.</summary>
    /// <param name="server">The name server.</param>
    /// <param name="name">A name that <see cref="DnsName.Write"/> takes.</param>
    /// <param name="type">What is asked for.</param>
    /// <param name="ct">Gives up.</param>
    /// <returns>The answer; null where none came that could be used.</returns>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    public static async Task<DnsReply?> AskAsync(IPEndPoint server, string name, DnsType type, CancellationToken ct)
    {
        var question = new byte[DnsMessage.MaxQuestion];
        var id = (ushort)RandomNumberGenerator.GetInt32(0x10000);
        var length = DnsMessage.WriteQuestion(question, id, name, type);
        if (length == 0)
            return null;
        try
        {
            var reply = await AskByUdpAsync(server, question.AsMemory(0, length), id, name, type, ct).ConfigureAwait(false);
            return reply is { IsTruncated: true }
                ? await AskByTcpAsync(server, question.AsMemory(0, length), id, name, type, ct).ConfigureAwait(false)
                : reply;
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private static async Task<DnsReply?> AskByUdpAsync(IPEndPoint server, ReadOnlyMemory<byte> question, ushort id, string name, DnsType type, CancellationToken ct)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        // Connected, so that the kernel chooses a port by chance and lets in what the server sends only.
        await socket.ConnectAsync(server, ct).ConfigureAwait(false);
        await socket.SendAsync(question, ct).ConfigureAwait(false);
        var answer = new byte[UdpBytes];
        for (var i = 0; i < MostStrays; i++)
        {
            var received = await socket.ReceiveAsync(answer, ct).ConfigureAwait(false);
            if (DnsMessage.Read(answer.AsSpan(0, received), id, name, type) is { } reply)
                return reply;
        }
        return null;
    }

    // RFC 1035 §4.2.2: two bytes of length before each message.
    private static async Task<DnsReply?> AskByTcpAsync(IPEndPoint server, ReadOnlyMemory<byte> question, ushort id, string name, DnsType type, CancellationToken ct)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server, ct).ConfigureAwait(false);
        var framed = new byte[question.Length + 2];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)question.Length);
        question.CopyTo(framed.AsMemory(2));
        for (var sent = 0; sent < framed.Length;)
            sent += await socket.SendAsync(framed.AsMemory(sent), ct).ConfigureAwait(false);
        var head = new byte[2];
        if (!await FillAsync(socket, head, ct).ConfigureAwait(false))
            return null;
        var answer = new byte[BinaryPrimitives.ReadUInt16BigEndian(head)];
        return await FillAsync(socket, answer, ct).ConfigureAwait(false) && DnsMessage.Read(answer, id, name, type) is { IsTruncated: false } reply ? reply : null;
    }

    private static async Task<bool> FillAsync(Socket socket, Memory<byte> into, CancellationToken ct)
    {
        while (!into.IsEmpty)
        {
            var received = await socket.ReceiveAsync(into, ct).ConfigureAwait(false);
            if (received == 0)
                return false;
            into = into[received..];
        }
        return true;
    }
}
