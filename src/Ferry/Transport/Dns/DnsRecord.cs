using System.Net;

namespace Ferry.Transport.Dns;

/// <summary>What is asked for, by its number (RFC 1035 §3.2.2, RFC 3596, RFC 2782).</summary>
internal enum DnsType : ushort
{
    A = 1,
    Cname = 5,
    Aaaa = 28,
    Srv = 33,
}

/// <summary>How a name server says that it went (RFC 1035 §4.1.1).</summary>
internal enum DnsCode
{
    NoError = 0,
    FormatError = 1,
    ServerFailure = 2,
    NameError = 3,
    NotImplemented = 4,
    Refused = 5,
}

/// <summary>One record of an answer.</summary>
/// <param name="Owner">Whose it is, in lower case.</param>
/// <param name="Type">Its type, which says what else is set.</param>
/// <param name="Lifetime">How long it may be used.</param>
internal sealed record DnsRecord(string Owner, DnsType Type, TimeSpan Lifetime)
{
    /// <summary>Of A and AAAA.</summary>
    public IPAddress? Address { get; init; }

    /// <summary>Of CNAME and SRV: the name that it leads to, in lower case; the root is empty.</summary>
    public string Target { get; init; } = "";

    /// <summary>Of SRV: the lowest is tried first.</summary>
    public int Priority { get; init; }

    /// <summary>Of SRV: the share among those of one priority.</summary>
    public int Weight { get; init; }

    /// <summary>Of SRV.</summary>
    public int Port { get; init; }
}

/// <summary>An answer to a question.</summary>
/// <param name="Code">How it went.</param>
/// <param name="IsTruncated">It did not fit, and is to be asked for by TCP; it then has no records.</param>
/// <param name="Records">The records of the answer section.</param>
internal sealed record DnsReply(DnsCode Code, bool IsTruncated, IReadOnlyList<DnsRecord> Records);
