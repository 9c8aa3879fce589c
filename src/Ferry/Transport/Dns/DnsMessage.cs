using System.Buffers.Binary;
using System.Net;

namespace Ferry.Transport.Dns;

/// <summary>
/// Questions and answers (RFC 1035 §4.1). Of an answer only the first section is read: what a server adds unasked is not believed.
/// <code>
///    0    2      4         6         8         10        12
///   | id | flags | questions | answers | authority | more | question ... | answer ... |
///   flags: QR . opcode(4) . AA . TC . RD . RA . Z(3) . code(4)
///   question: name | type | class         answer: name | type | class | lifetime(4) | length | data
/// </code>
/// </summary>
internal static class DnsMessage
{
    /// <summary>A message over UDP without extensions has no more (RFC 1035 §4.2.1); one over TCP has what two bytes of length can say.</summary>
    public const int MaxQuestion = HeaderBytes + DnsName.MaxBytes + 4;

    /// <summary>More than any name needs; an answer with more is not believed.</summary>
    public const int MaxRecords = 512;

    private const int HeaderBytes = 12;
    private const ushort ClassInternet = 1;
    private const int Response = 0x8000;
    private const int Opcode = 0x7800;
    private const int Truncated = 0x0200;
    private const ushort RecursionDesired = 0x0100;

    /// <summary>The longest time that a name is believed without asking again, whatever it says.</summary>
    private static readonly TimeSpan LongestLifetime = TimeSpan.FromDays(1);

    /// <summary>Writes a question.</summary>
    /// <returns>How many bytes it took; 0 where the name is none that can be asked for.</returns>
    public static int WriteQuestion(Span<byte> to, ushort id, string name, DnsType type)
    {
        to[..HeaderBytes].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(to, id);
        BinaryPrimitives.WriteUInt16BigEndian(to[2..], RecursionDesired);
        BinaryPrimitives.WriteUInt16BigEndian(to[4..], 1);
        var length = DnsName.Write(name, to[HeaderBytes..]);
        if (length == 0)
            return 0;
        var end = HeaderBytes + length;
        BinaryPrimitives.WriteUInt16BigEndian(to[end..], (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(to[(end + 2)..], ClassInternet);
        return end + 4;
    }

    /// <summary>Reads an answer.</summary>
    /// <param name="message">The message.</param>
    /// <param name="id">The number of the question.</param>
    /// <param name="name">The name that was asked for.</param>
    /// <param name="type">What was asked for.</param>
    /// <returns>Null where it is no answer to this question, or is malformed in any part of it.</returns>
    public static DnsReply? Read(ReadOnlySpan<byte> message, ushort id, string name, DnsType type)
    {
        if (message.Length < HeaderBytes || U16(message, 0) != id)
            return null;
        var flags = U16(message, 2);
        if ((flags & Response) == 0 || (flags & Opcode) != 0 || U16(message, 4) != 1)
            return null;
        var at = HeaderBytes;
        var asked = DnsName.Read(message, ref at);
        if (asked is null || at + 4 > message.Length || !asked.Equals(name.TrimEnd('.'), StringComparison.OrdinalIgnoreCase)
            || U16(message, at) != (ushort)type || U16(message, at + 2) != ClassInternet)
            return null;
        at += 4;
        var code = (DnsCode)(flags & 0xF);
        if ((flags & Truncated) != 0)
            return new DnsReply(code, true, []);
        int count = U16(message, 6);
        if (count > MaxRecords)
            return null;
        var records = new List<DnsRecord>(Math.Min(count, 16));
        for (var i = 0; i < count; i++)
        {
            if (!TryReadRecord(message, ref at, records))
                return null;
        }
        return new DnsReply(code, false, records);
    }

    private static bool TryReadRecord(ReadOnlySpan<byte> message, ref int at, List<DnsRecord> into)
    {
        var owner = DnsName.Read(message, ref at);
        if (owner is null || at + 10 > message.Length)
            return false;
        var (type, @class) = ((DnsType)U16(message, at), U16(message, at + 2));
        var seconds = BinaryPrimitives.ReadUInt32BigEndian(message[(at + 4)..]);
        int length = U16(message, at + 8);
        var data = at + 10;
        at = data + length;
        if (at > message.Length)
            return false;
        if (@class != ClassInternet)
            return true;
        // The highest bit means nothing, and so 0 (RFC 2181 §8).
        var lifetime = seconds > int.MaxValue ? TimeSpan.Zero : TimeSpan.FromSeconds(seconds);
        var record = new DnsRecord(owner, type, lifetime < LongestLifetime ? lifetime : LongestLifetime);
        switch (type)
        {
            case DnsType.A when length == 4:
            case DnsType.Aaaa when length == 16:
                into.Add(record with { Address = new IPAddress(message.Slice(data, length)) });
                return true;
            case DnsType.A or DnsType.Aaaa:
                return false;
            case DnsType.Cname:
                return TryAdd(message, data, at, record, into);
            case DnsType.Srv:
                return length > 6 && TryAdd(message, data + 6, at, record with { Priority = U16(message, data), Weight = U16(message, data + 2), Port = U16(message, data + 4) }, into);
            default:
                return true;
        }
    }

    private static bool TryAdd(ReadOnlySpan<byte> message, int at, int end, DnsRecord record, List<DnsRecord> into)
    {
        // The name ends where the data ends, and nowhere else.
        if (DnsName.Read(message[..end], ref at) is not { } target || at != end)
            return false;
        into.Add(record with { Target = target });
        return true;
    }

    private static ushort U16(ReadOnlySpan<byte> message, int at) => BinaryPrimitives.ReadUInt16BigEndian(message[at..]);
}
