using System.Net;
using System.Text;
using Ferry.Config;
using Ferry.Transport;
using Ferry.Transport.Tls;

namespace Ferry.Tests.Transport;

/// <summary>The bytes of HAProxy's proxy-protocol.txt.</summary>
public sealed class ProxyProtocolTests
{
    private const string Signature = "0D0A0D0A000D0A515549540A";

    private static readonly TlsInfo Tls = new("TLSv1.3", "TLS_AES_128_GCM_SHA256", false, "ftp.example.com", null, 0, null);

    private static ProxiedClient Of(string client, string listener, TlsInfo? tls = null, string session = "a1") =>
        new(IPEndPoint.Parse(client), IPEndPoint.Parse(listener), session, tls);

    private static string Text(ProxyProtocolVersion version, ProxiedClient? client) => Encoding.ASCII.GetString(ProxyProtocol.Header(version, client).Span);

    private static string Hex(ProxiedClient? client) => Convert.ToHexString(ProxyProtocol.Header(ProxyProtocolVersion.V2, client).Span);

    [Theory]
    [InlineData("192.168.0.1:56324", "192.168.0.11:443", "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443")]
    [InlineData("255.255.255.255:65535", "255.255.255.255:65535", "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535")]
    [InlineData("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
        "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535")]
    [InlineData("[2001:db8::1]:1", "[2001:db8::2]:21", "PROXY TCP6 2001:db8::1 2001:db8::2 1 21")]
    [InlineData("[::ffff:192.0.2.1]:40000", "[::ffff:192.0.2.2]:21", "PROXY TCP4 192.0.2.1 192.0.2.2 40000 21")]
    [InlineData("[fe80::1%3]:40000", "[fe80::2%3]:21", "PROXY TCP6 fe80::1 fe80::2 40000 21")]
    [InlineData("192.0.2.1:40000", "[2001:db8::2]:21", "PROXY UNKNOWN")]
    public void Version_1_is_a_line(string client, string listener, string line) =>
        Assert.Equal(line + "\r\n", Text(ProxyProtocolVersion.V1, Of(client, listener, Tls)));

    [Fact]
    public void A_connection_of_our_own_is_called_so()
    {
        Assert.Equal("PROXY UNKNOWN\r\n", Text(ProxyProtocolVersion.V1, null));
        Assert.Equal(Signature + "20000000", Hex(null));
        Assert.Equal(Signature + "20000000", Hex(Of("192.0.2.1:40000", "[2001:db8::2]:21")));
        Assert.True(ProxyProtocol.Header(ProxyProtocolVersion.Off, Of("192.0.2.1:40000", "192.0.2.2:21")).IsEmpty);
    }

    [Fact]
    public void Version_2_names_addresses_ports_and_the_session()
    {
        Assert.Equal($"{Signature}2111" + "0011" + "C0000201" + "C0000202" + "9C40" + "0015" + "05000261" + "31", Hex(Of("192.0.2.1:40000", "192.0.2.2:21")));
        Assert.Equal(Hex(Of("192.0.2.1:40000", "192.0.2.2:21")), Hex(Of("[::ffff:192.0.2.1]:40000", "[::ffff:192.0.2.2]:21")));
        Assert.Equal(
            $"{Signature}2121" + "0029" + "20010DB8000000000000000000000001" + "20010DB8000000000000000000000002" + "9C40" + "0015" + "05000261" + "31",
            Hex(Of("[2001:db8::1]:40000", "[2001:db8::2]:21")));
    }

    [Theory]
    [InlineData(null, 0, false, "01" + "00000001", "")]
    [InlineData("CN=anna,O=Example", 0, false, "07" + "00000000", "220004616E6E61")]
    [InlineData("CN=anna,O=Example", 0, true, "05" + "00000000", "220004616E6E61")]
    [InlineData("CN=anna", 18, false, "07" + "00000012", "220004616E6E61")]
    [InlineData("O=Example", 0, false, "07" + "00000000", "")]
    public void Version_2_tells_of_the_client_s_TLS(string? subject, long verified, bool isResumed, string state, string name)
    {
        var tls = Tls with { PeerSubject = subject, VerifyResult = verified, IsResumed = isResumed };
        var ssl = state + "210007" + Convert.ToHexString("TLSv1.3"u8) + name;

        var header = Hex(Of("192.0.2.1:40000", "192.0.2.2:21", tls));

        var fields = "02000F" + Convert.ToHexString("ftp.example.com"u8) + "0500026131" + $"20{ssl.Length / 2:X4}" + ssl;
        Assert.Equal($"{Signature}2111{12 + fields.Length / 2:X4}C0000201C00002029C400015{fields}", header);
    }

    [Fact]
    public void What_is_too_long_for_its_field_is_left_out()
    {
        var tls = Tls with { ServerName = new string('a', 256), PeerSubject = "CN=" + new string('b', 257), Protocol = new string('c', 17) };

        var header = ProxyProtocol.Header(ProxyProtocolVersion.V2, Of("192.0.2.1:40000", "192.0.2.2:21", tls, new string('d', 129)));

        Assert.Equal(16 + 12 + 3 + 5, header.Length); // of TLS only its flags are left
    }

    [Fact]
    public void The_longest_header_has_room()
    {
        var tls = Tls with { ServerName = new string('a', 255), PeerSubject = "CN=" + new string('b', 256), Protocol = new string('c', 16) };

        var header = ProxyProtocol.Header(ProxyProtocolVersion.V2, Of("[2001:db8::1]:40000", "[2001:db8::2]:21", tls, new string('d', 128)));

        Assert.Equal(16 + 36 + 3 + 255 + 3 + 128 + 3 + 5 + 3 + 16 + 3 + 256, header.Length);
        Assert.True(header.Length <= ProxyProtocol.MaxLength);
    }

    [Theory]
    [InlineData("CN=anna", "anna")]
    [InlineData("O=x,CN=anna", "anna")]
    [InlineData("UID=7+CN=anna,O=x", "anna")]
    [InlineData("CN=anna,CN=users", "anna")]
    [InlineData(@"CN=Example\, Inc\+\""x\""", "Example, Inc+\"x\"")]
    [InlineData(@"O=a\,CN\=eve,CN=anna", "anna")]
    [InlineData(@"O=a\\,CN=anna", "anna")]
    [InlineData(@"CN=\C3\84nne", "Änne")]
    [InlineData("CN=Änne", "Änne")]
    [InlineData(@"CN=\#1", "#1")]
    [InlineData("CN=#0C0161", "")]
    [InlineData(@"CN=anna\00.example.com", "")]
    [InlineData(@"CN=anna\0D\0A", "")]
    [InlineData("SN=anna", "")]
    [InlineData("CN=", "")]
    [InlineData("CN=anna\\", "")]
    [InlineData("", "")]
    public void The_common_name_is_found_in_a_subject(string subject, string name)
    {
        var bytes = new byte[64];

        Assert.Equal(name, Encoding.UTF8.GetString(bytes.AsSpan(0, CommonName.Read(subject, bytes))));
    }

    [Fact]
    public void Half_a_common_name_is_none()
    {
        Assert.Equal(0, CommonName.Read("CN=anna", new byte[3]));
        Assert.Equal(0, CommonName.Read($"O={new string('x', 1016)},CN=an", new byte[64])); // the rest of the subject was cut off
        Assert.Equal(2, CommonName.Read($"O={new string('x', 1010)},CN=an,O=", new byte[64]));
    }
}
