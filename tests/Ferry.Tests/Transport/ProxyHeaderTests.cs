using System.Buffers;
using System.Buffers.Binary;
using System.Linq;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Ferry.Config;
using Ferry.Transport;
using Ferry.Transport.Tls;

namespace Ferry.Tests.Transport;

/// <summary>What the first bytes of a connection say of whose it is, by HAProxy's proxy-protocol.txt.</summary>
public sealed class ProxyHeaderTests
{
    private const string Four = "PROXY TCP4 192.0.2.1 198.51.100.2 40000 21\r\n";
    private const string Six = "PROXY TCP6 2001:db8::1 2001:db8::2 40000 21\r\n";
    private const string Signature = "\r\n\r\n\0\r\nQUIT\n";

    private static readonly TlsInfo Tls = new("TLSv1.3", "TLS_AES_128_GCM_SHA256", false, "ftp.example.com", "CN=anna", 0, null);

    /// <summary>Headers of each kind, with what they say.</summary>
    public static TheoryData<byte[], string?, string?> Whole => new()
    {
        { Bytes(Four), "192.0.2.1:40000", "198.51.100.2:21" },
        { Bytes(Six), "[2001:db8::1]:40000", "[2001:db8::2]:21" },
        { Bytes("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe FFFF:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535" },
        { Bytes("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:c633:6402 1 2\r\n"), "192.0.2.1:1", "198.51.100.2:2" },
        { Bytes("PROXY TCP4 255.255.255.255 1.0.0.10 0 65535\r\n"), "255.255.255.255:0", "1.0.0.10:65535" },
        { Bytes("PROXY UNKNOWN\r\n"), null, null },
        { Bytes("PROXY UNKNOWN ffff:f... \0 whatever\r\n"), null, null },
        { Bytes("PROXY UNKNOWN " + new string('x', 107 - 16) + "\r\n"), null, null },
        { Bytes("PROXY TCP4 0.0.0.0 198.51.100.2 1 2\r\n"), null, null },
        { Bytes("PROXY TCP6 :: 2001:db8::2 1 2\r\n"), null, null },
        { Bytes("PROXY TCP4 192.0.2.1 0.0.0.0 1 2\r\n"), "192.0.2.1:1", null },
        { Binary(0x21, 0x11, "C0000201C63364029C400015"), "192.0.2.1:40000", "198.51.100.2:21" },
        { Binary(0x21, 0x11, "C0000201C63364029C400015" + "050002" + "6131" + "EE0000"), "192.0.2.1:40000", "198.51.100.2:21" },
        { Binary(0x21, 0x21, "20010DB800000000000000000000000120010DB80000000000000000000000029C400015"), "[2001:db8::1]:40000", "[2001:db8::2]:21" },
        { Binary(0x21, 0x21, "00000000000000000000FFFFC000020100000000000000000000FFFFC63364029C400015"), "192.0.2.1:40000", "198.51.100.2:21" },
        { Summed(Binary(0x21, 0x11, "C0000201C63364029C400015" + "050001" + "61" + "030004" + "00000000" + "040002" + "0000")), "192.0.2.1:40000", "198.51.100.2:21" },
        { Binary(0x20, 0x00, ""), null, null },
        { Binary(0x20, 0x11, "C0000201"), null, null }, // what it says of addresses is to be ignored
        { Binary(0x21, 0x00, "00112233"), null, null },
        { Binary(0x21, 0x31, new string('0', 432)), null, null },
        { Binary(0x21, 0x12, "C0000201C63364029C400015"), null, null },
        { Binary(0x21, 0x11, "000000000000000000000000"), null, null },
        { Binary(0x21, 0x11, "C0000201C63364029C400015" + "04" + "0FE1" + new string('0', 2 * (4096 - 16 - 12 - 3))), "192.0.2.1:40000", "198.51.100.2:21" },
    };

    public static TheoryData<string> Broken =>
    [
        "USER anna\r\n", "proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n", "PROXY\r\n", "PROXY \r\n", "PROXYTCP4 192.0.2.1 192.0.2.2 1 2\r\n", "\x16\x03\x01\x02\0\x01\0", "GET / HTTP/1.0\r\n\r\n",
        "PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n", "PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
        "PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n", "PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n", "PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n", "PROXY TCP4 192.0.2.1. 192.0.2.2 1 2\r\n", "PROXY TCP4 192.0.2.1.1 192.0.2.2 1 2\r\n",
        "PROXY TCP4 0xC0.0.2.1 192.0.2.2 1 2\r\n", "PROXY TCP4 192..2.1 192.0.2.2 1 2\r\n", "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rx\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\r\n",
        "PROXY TCP4 192.0.2.1\t192.0.2.2 1 2\r\n", "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n", "PROXY TCP6 2001:db8::1::2 2001:db8::2 1 2\r\n", "PROXY TCP6 [2001:db8::1] 2001:db8::2 1 2\r\n", "PROXY TCP6 fe80::1%3 fe80::2 1 2\r\n",
        "PROXY TCP6 12345::1 2001:db8::2 1 2\r\n", "PROXY UNKNOWNX\r\n", "PROXY unknown\r\n", "PROXY UNKNOWN " + new string('x', 107 - 15) + "\r\n", "PROXY UNKNOWN " + new string('x', 200),
        Signature[..11] + "x", Signature + "\x11", Signature + "\x22", Signature + "\x31", Signature + "\x21\x41", Signature + "\x21\x13", Signature + "\x21\x11\x00\x0B", Signature + "\x21\x21\x00\x23", Signature + "\x21\x31\x00\xD7",
        Signature + "\x21\x11\x0F\xF1", Signature + "\x20\x00\xFF\xFF",
        Signature + "\x21\x11\x00\x0D" + new string('\x01', 13), // half a TLV
        Signature + "\x21\x11\x00\x0F" + new string('\x01', 12) + "\x05\x00\x01",
        Signature + "\x21\x11\x00\x12" + new string('\x01', 12) + "\x03\x00\x03\x00\x00\x00",
        Signature + "\x21\x11\x00\x13" + new string('\x01', 12) + "\x03\x00\x04\x00\x00\x00\x00",
    ];

    [Theory]
    [MemberData(nameof(Whole))]
    public void A_header_is_read_at_every_cut_and_to_its_last_byte(byte[] bytes, string? source, string? destination)
    {
        for (var i = 0; i < bytes.Length; i++)
            Assert.Equal(OperationStatus.NeedMoreData, ProxyHeader.TryRead(bytes.AsSpan(0, i), out _, out _));
        foreach (var behind in (string[])["", "\r\n", "USER anna\r\n", "\x16\x03\x01", Four])
        {
            Assert.Equal(OperationStatus.Done, ProxyHeader.TryRead([.. bytes, .. Bytes(behind)], out var header, out var length));
            Assert.Equal(bytes.Length, length);
            Assert.Equal((source, destination), (header.Source?.ToString(), header.Destination?.ToString()));
        }
    }

    [Theory]
    [MemberData(nameof(Broken))]
    public void What_is_no_header_is_refused_at_the_latest_when_it_has_come(string text)
    {
        var bytes = Bytes(text);
        Assert.Equal(OperationStatus.InvalidData, ProxyHeader.TryRead(bytes, out var header, out var length));
        Assert.Equal((null, 0), (header.Source, length));
        // Once refused, no byte behind it makes it good.
        var refusedAt = Enumerable.Range(0, bytes.Length + 1).First(i => ProxyHeader.TryRead(bytes.AsSpan(0, i), out _, out _) == OperationStatus.InvalidData);
        for (var i = refusedAt; i <= bytes.Length; i++)
            Assert.Equal(OperationStatus.InvalidData, ProxyHeader.TryRead(bytes.AsSpan(0, i), out _, out _));
    }

    [Theory]
    [InlineData(Four)]
    [InlineData(Six)]
    [InlineData("PROXY UNKNOWN\r\n")]
    public void A_line_with_any_byte_changed_is_what_the_grammar_says(string text)
    {
        var bytes = Bytes(text);
        for (var i = 0; i < bytes.Length; i++)
        {
            for (var value = 0; value < 256; value++)
            {
                var mutant = (byte[])bytes.Clone();
                mutant[i] = (byte)value;
                var status = ProxyHeader.TryRead(mutant, out var header, out var length);
                var (isGood, source) = ByTheGrammar(Encoding.Latin1.GetString(mutant));
                Assert.Equal(isGood, status == OperationStatus.Done);
                Assert.Equal(source, header.Source);
                Assert.InRange(length, 0, mutant.Length);
            }
        }
    }

    [Fact]
    public void A_checksum_finds_any_value_changed()
    {
        var bytes = Summed(Binary(0x21, 0x11, "C0000201C63364029C400015" + "050002" + "6131" + "030004" + "00000000"));
        // The addresses, the session's name, the checksum itself. Types and lengths of fields may hide the checksum.
        foreach (var i in (int[])[.. Enumerable.Range(16, 12), 31, 32, .. Enumerable.Range(36, 4)])
        {
            for (var change = 1; change < 256; change++)
            {
                var mutant = (byte[])bytes.Clone();
                mutant[i] ^= (byte)change;
                Assert.Equal(OperationStatus.InvalidData, ProxyHeader.TryRead(mutant, out var header, out _));
                Assert.Null(header.Source);
            }
        }
    }

    [Fact]
    public void Random_bytes_behind_either_beginning_do_no_harm()
    {
        var random = new Random(20261122);
        var bytes = new byte[300];
        for (var round = 0; round < 20_000; round++)
        {
            random.NextBytes(bytes);
            var begin = Bytes(round % 2 == 0 ? "PROXY TCP4 " : Signature + "\x21" + (char)(0x11 * random.Next(1, 3)) + "\0" + (char)random.Next(12, 255));
            begin.CopyTo(bytes, 0);
            var status = ProxyHeader.TryRead(bytes.AsSpan(0, random.Next(bytes.Length)), out var header, out var length);
            Assert.InRange(length, 0, bytes.Length);
            Assert.Equal(status == OperationStatus.Done, length > 0);
            if (status != OperationStatus.Done)
                Assert.Null(header.Source);
        }
    }

    [Theory]
    [InlineData("192.0.2.1:40000", "198.51.100.2:21")]
    [InlineData("[2001:db8::1]:65535", "[2001:db8::2]:990")]
    [InlineData("[::ffff:192.0.2.1]:40000", "[::ffff:198.51.100.2]:21")]
    public void Our_own_headers_are_read_as_they_were_meant(string client, string listener)
    {
        var told = new ProxiedClient(IPEndPoint.Parse(client), IPEndPoint.Parse(listener), "a1", Tls);
        foreach (var version in (ProxyProtocolVersion[])[ProxyProtocolVersion.V1, ProxyProtocolVersion.V2])
        {
            var bytes = ProxyProtocol.Header(version, told).Span;
            Assert.Equal(OperationStatus.Done, ProxyHeader.TryRead(bytes, out var header, out var length));
            Assert.Equal(bytes.Length, length);
            Assert.Equal(new ProxyHeader(EndPoints.Plain(told.Client), EndPoints.Plain(told.Listener)), header);

            Assert.Equal(OperationStatus.Done, ProxyHeader.TryRead(ProxyProtocol.Header(version, null).Span, out header, out _));
            Assert.Null(header.Source);
        }
    }

    [Theory]
    [InlineData("USER anna\r\nPASS secret\r\n", "USER")]
    [InlineData("PASS secret", "PASS")]
    [InlineData("averyveryverylongwordindeed", "averyveryverylon")]
    [InlineData("PROXY TCP4 192.0.2.1 x\r\nPASS secret", "PROXY TCP4 192.0.2.1 x")]
    [InlineData(Signature + "\x21\x41\x00\x0C" + "secret", Signature + "\x21\x41\x00\x0C")]
    public void No_more_of_other_bytes_is_shown_than_their_first_word(string text, string shown)
    {
        var bytes = Bytes(text);
        Assert.Equal(shown, Encoding.Latin1.GetString(bytes.AsSpan(0, ProxyHeader.Showable(bytes))));
    }

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    private static byte[] Binary(byte command, byte family, string rest)
    {
        var behind = Convert.FromHexString(rest);
        var length = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)behind.Length);
        return [.. Bytes(Signature), command, family, .. length, .. behind];
    }

    /// <summary>With its checksum, which is the only field of zeros with four bytes.</summary>
    private static byte[] Summed(byte[] header)
    {
        var place = header.AsSpan().IndexOf((ReadOnlySpan<byte>)[0x03, 0, 4, 0, 0, 0, 0]) + 3;
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(place), Castagnoli(header));
        return header;
    }

    // RFC 3720 appendix B.4, bit by bit.
    private static uint Castagnoli(byte[] bytes)
    {
        var crc = uint.MaxValue;
        foreach (var one in bytes)
        {
            crc ^= one;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ 0x82F63B78;
        }
        return ~crc;
    }

    private static (bool IsGood, IPEndPoint? Source) ByTheGrammar(string line)
    {
        const string Port = "(0|[1-9][0-9]{0,4})";
        var end = line.IndexOf("\r\n", StringComparison.Ordinal);
        if (end < 0 || line.AsSpan(0, end).IndexOfAny('\r', '\n') >= 0)
            return (false, null);
        line = line[..end];
        if (Regex.IsMatch(line, "^PROXY UNKNOWN( |$)", RegexOptions.Singleline))
            return (true, null);
        var four = Regex.Match(line, $@"^PROXY TCP4 ([0-9.]+) ([0-9.]+) {Port} {Port}\z");
        var six = Regex.Match(line, $@"^PROXY TCP6 ([0-9a-fA-F:.]*:[0-9a-fA-F:.]*) ([0-9a-fA-F:.]*:[0-9a-fA-F:.]*) {Port} {Port}\z");
        var match = four.Success ? four : six;
        if (!match.Success || !(IsAddress(match.Groups[1].Value) && IsAddress(match.Groups[2].Value)) || match.Groups.Values.Skip(3).Any(g => int.Parse(g.ValueSpan) > 65535))
            return (false, null);
        return (true, new IPEndPoint(IPAddress.Parse(match.Groups[1].Value), int.Parse(match.Groups[3].ValueSpan)));

        bool IsAddress(string text) => IPAddress.TryParse(text, out var address) && (six.Success || address.ToString() == text);
    }
}
