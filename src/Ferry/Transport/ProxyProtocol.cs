using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ferry.Config;
using Ferry.Transport.Tls;

namespace Ferry.Transport;

/// <summary>Whose connection a server gets.</summary>
/// <param name="Client">The client's address and port.</param>
/// <param name="Listener">What it connected to.</param>
/// <param name="Session">The session's id, ASCII.</param>
/// <param name="Tls">The client's TLS; null where it speaks none, or none yet.</param>
internal sealed record ProxiedClient(IPEndPoint Client, IPEndPoint Listener, string Session, TlsInfo? Tls);

/// <summary>
/// The header by which a server learns whose connection it gets: HAProxy's proxy-protocol.txt, §2.1 and §2.2. Version 2:
/// <code>
///   signature  21 fam  length  source  destination  ports  [02 SNI]  [05 session]  [20 flags verify [21 version] [22 CN]]
/// </code>
/// </summary>
internal static class ProxyProtocol
{
    /// <summary>More than the longest header: 16 bytes, 36 of addresses, and TLVs, each of which is bounded.</summary>
    public const int MaxLength = 1024;

    private const int LongestName = 255; // as in DNS (RFC 6066 §3)
    private const int LongestCommonName = 256; // 64 characters (RFC 5280 appendix A.1) in UTF-8
    private const int LongestSession = 128; // §2.2.5
    private const int LongestVersion = 16;

    private const byte Authority = 0x02;
    private const byte UniqueId = 0x05;
    private const byte Ssl = 0x20;
    private const byte SslVersion = 0x21;
    private const byte SslCommonName = 0x22;

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <summary>Makes a header.</summary>
    /// <param name="version">Which; Off makes none.</param>
    /// <param name="client">Null for a connection of our own, such as a check: the server is told to take it for what it is.</param>
    public static ReadOnlyMemory<byte> Header(ProxyProtocolVersion version, ProxiedClient? client)
    {
        if (version == ProxyProtocolVersion.Off)
            return default;
        Span<byte> buffer = stackalloc byte[MaxLength];
        return buffer[..Write(buffer, version, client)].ToArray();
    }

    /// <summary>Writes a header into a buffer of <see cref="MaxLength"/>.</summary>
    /// <returns>Its length.</returns>
    public static int Write(Span<byte> to, ProxyProtocolVersion version, ProxiedClient? client)
    {
        var source = client is null ? null : EndPoints.Plain(client.Client);
        var destination = client is null ? null : EndPoints.Plain(client.Listener);
        // No header can name addresses of two families.
        var isKnown = source is not null && source.AddressFamily == destination!.AddressFamily;
        return version switch
        {
            ProxyProtocolVersion.Off => 0,
            ProxyProtocolVersion.V1 => isKnown ? WriteLine(to, source!, destination!) : Put(to, 0, "PROXY UNKNOWN\r\n"u8),
            _ => isKnown ? WriteBinary(to, source!, destination!, client!) : WriteLocal(to),
        };
    }

    private static int WriteLine(Span<byte> to, IPEndPoint source, IPEndPoint destination)
    {
        var at = Put(to, 0, source.AddressFamily == AddressFamily.InterNetworkV6 ? "PROXY TCP6 "u8 : "PROXY TCP4 "u8);
        at = PutText(to, at, Unscoped(source.Address), (byte)' ');
        at = PutText(to, at, Unscoped(destination.Address), (byte)' ');
        at = PutText(to, at, source.Port, (byte)' ');
        at = PutText(to, at, destination.Port, (byte)'\r');
        to[at++] = (byte)'\n';
        return at;
    }

    private static int WriteLocal(Span<byte> to)
    {
        var at = Put(to, 0, Signature);
        return Put(to, at, [0x20, 0, 0, 0]); // LOCAL, of no family, and nothing behind
    }

    private static int WriteBinary(Span<byte> to, IPEndPoint source, IPEndPoint destination, ProxiedClient client)
    {
        var at = Put(to, 0, Signature);
        var isSix = source.AddressFamily == AddressFamily.InterNetworkV6;
        at = Put(to, at, [0x21, (byte)(isSix ? 0x21 : 0x11)]); // PROXY; TCP over IPv6 or IPv4
        var length = to[at..];
        at += 2;
        source.Address.TryWriteBytes(to[at..], out var size);
        destination.Address.TryWriteBytes(to[(at + size)..], out _);
        at += 2 * size;
        BinaryPrimitives.WriteUInt16BigEndian(to[at..], (ushort)source.Port);
        BinaryPrimitives.WriteUInt16BigEndian(to[(at + 2)..], (ushort)destination.Port);
        at += 4;
        if (client.Tls?.ServerName is { } name)
            at = PutField(to, at, Authority, name, LongestName);
        at = PutField(to, at, UniqueId, client.Session, LongestSession);
        if (client.Tls is { } tls)
            at = PutTls(to, at, tls);
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)(at - 16));
        return at;
    }

    private static int PutTls(Span<byte> to, int at, TlsInfo tls)
    {
        const byte IsTls = 1, WithCertificate = 2, SessionHasCertificate = 4;
        var begin = at;
        to[at] = Ssl;
        at += 3;
        to[at++] = (byte)(IsTls | (tls.PeerSubject is null ? 0 : SessionHasCertificate | (tls.IsResumed ? 0 : WithCertificate)));
        // Zero only where there was a certificate and it is good.
        BinaryPrimitives.WriteUInt32BigEndian(to[at..], tls.PeerSubject is null ? 1 : (uint)tls.VerifyResult);
        at = PutField(to, at + 4, SslVersion, tls.Protocol, LongestVersion);
        if (tls.PeerSubject is { } subject)
        {
            Span<byte> name = stackalloc byte[LongestCommonName];
            at = PutField(to, at, SslCommonName, name[..CommonName.Read(subject, name)]);
        }
        BinaryPrimitives.WriteUInt16BigEndian(to[(begin + 1)..], (ushort)(at - begin - 3));
        return at;
    }

    /// <summary>Half a name would be another's: what is too long is left out.</summary>
    private static int PutField(Span<byte> to, int at, byte type, string text, int most)
    {
        Span<byte> bytes = stackalloc byte[most];
        return Encoding.UTF8.TryGetBytes(text, bytes, out var written) ? PutField(to, at, type, bytes[..written]) : at;
    }

    private static int PutField(Span<byte> to, int at, byte type, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
            return at;
        to[at] = type;
        BinaryPrimitives.WriteUInt16BigEndian(to[(at + 1)..], (ushort)value.Length);
        return Put(to, at + 3, value);
    }

    private static int Put(Span<byte> to, int at, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(to[at..]);
        return at + bytes.Length;
    }

    private static int PutText<T>(Span<byte> to, int at, T value, byte end)
        where T : IUtf8SpanFormattable
    {
        value.TryFormat(to[at..], out var written, default, null);
        to[at + written] = end;
        return at + written + 1;
    }

    // A zone is this machine's own and has no place in the line.
    private static IPAddress Unscoped(IPAddress address) =>
        address is { AddressFamily: AddressFamily.InterNetworkV6, ScopeId: not 0 } ? new IPAddress(address.GetAddressBytes()) : address;
}
