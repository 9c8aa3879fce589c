using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Ferry.Tests.Transport.Dns;

/// <summary>Writes answers of name servers, right ones and others, independently of the code under test.</summary>
internal sealed class DnsBytes
{
    private readonly List<byte> _bytes = [];
    private int _answers;

    /// <summary>Begins an answer to a question as it came: header and question.</summary>
    public DnsBytes(ReadOnlySpan<byte> question, int flags = 0x8180, int? id = null)
    {
        _bytes.AddRange(question[..(QuestionEnd(question) + 4)]);
        U16(0, id ?? BinaryPrimitives.ReadUInt16BigEndian(question));
        U16(2, flags);
        U16(6, 0);
        U16(8, 0);
        U16(10, 0);
    }

    public int Length => _bytes.Count;

    public static byte[] Name(string name)
    {
        var bytes = new List<byte>();
        foreach (var label in name.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            bytes.Add((byte)label.Length);
            bytes.AddRange(Encoding.Latin1.GetBytes(label));
        }
        return [.. bytes, 0];
    }

    /// <summary>The name and the type that a question asks for.</summary>
    public static (string Name, int Type) Question(ReadOnlySpan<byte> message)
    {
        var name = new List<string>();
        for (var at = 12; message[at] > 0; at += message[at] + 1)
            name.Add(Encoding.ASCII.GetString(message.Slice(at + 1, message[at])));
        return (string.Join('.', name), BinaryPrimitives.ReadUInt16BigEndian(message[QuestionEnd(message)..]));
    }

    public DnsBytes A(string owner, string address, int ttl = 60) => Record(Name(owner), 1, ttl, IPAddress.Parse(address).GetAddressBytes());

    public DnsBytes Aaaa(string owner, string address, int ttl = 60) => Record(Name(owner), 28, ttl, IPAddress.Parse(address).GetAddressBytes());

    public DnsBytes Cname(string owner, string target, int ttl = 60) => Record(Name(owner), 5, ttl, Name(target));

    public DnsBytes Srv(string owner, int priority, int weight, int port, string target, int ttl = 60) =>
        Record(Name(owner), 33, ttl, [.. Two(priority), .. Two(weight), .. Two(port), .. Name(target)]);

    public DnsBytes Record(byte[] owner, int type, int ttl, byte[] data, int? length = null, int @class = 1)
    {
        _bytes.AddRange(owner);
        _bytes.AddRange([.. Two(type), .. Two(@class), .. Two(ttl >> 16 & 0xffff), .. Two(ttl & 0xffff), .. Two(length ?? data.Length), .. data]);
        U16(6, ++_answers);
        return this;
    }

    /// <summary>Says another number of answers than there are.</summary>
    public DnsBytes Claim(int answers)
    {
        U16(6, answers);
        return this;
    }

    public byte[] ToArray() => [.. _bytes];

    private static int QuestionEnd(ReadOnlySpan<byte> message)
    {
        var at = 12;
        while (message[at] > 0)
            at += message[at] + 1;
        return at + 1;
    }

    private static byte[] Two(int value) => [(byte)(value >> 8), (byte)value];

    private void U16(int at, int value) => (_bytes[at], _bytes[at + 1]) = ((byte)(value >> 8), (byte)value);
}
