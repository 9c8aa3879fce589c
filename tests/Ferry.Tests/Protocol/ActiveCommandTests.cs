using System.Buffers.Binary;
using System.Linq;
using System.Net;
using System.Text;
using Ferry.Protocol;
using FsCheck.Fluent;
using static FsCheck.Check;

namespace Ferry.Tests.Protocol;

public sealed class ActiveCommandTests
{
    [Theory]
    [InlineData("10,0,0,9,4,1", 0x0A000009, 1025)]
    [InlineData("10, 0, 0, 9, 4, 1", 0x0A000009, 1025)]
    [InlineData("010,000,000,009,004,001", 0x0A000009, 1025)]
    [InlineData("255,255,255,255,255,255", 0xFFFFFFFF, 65535)]
    [InlineData("0,0,0,0,0,1", 0u, 1)]
    public void The_six_numbers_of_a_PORT_are_read(string argument, uint address, int port)
    {
        Assert.True(HostPort.TryParseArgument(Encoding.ASCII.GetBytes(argument), out var seenAddress, out var seenPort));
        Assert.Equal((address, port), (seenAddress, seenPort));
    }

    [Theory]
    [InlineData("")]
    [InlineData("10,0,0,9,4")]
    [InlineData("10,0,0,9,4,1,")]
    [InlineData("10,0,0,9,4,1 x")]
    [InlineData("x10,0,0,9,4,1")]
    [InlineData("(10,0,0,9,4,1)")]
    [InlineData("10,0,0,9,0,0")]
    [InlineData("10,0,0,9,4,256")]
    [InlineData("10,0,0,256,4,1")]
    [InlineData("10,0,0,-9,4,1")]
    [InlineData("10,0,0,9,4,0001")]
    [InlineData("4294967306,0,0,9,4,1")]
    public void More_than_six_numbers_or_less_are_no_PORT(string argument)
    {
        Assert.False(HostPort.TryParseArgument(Encoding.ASCII.GetBytes(argument), out var address, out var port));
        Assert.Equal((0u, 0), (address, port));
    }

    [Theory]
    [InlineData("|1|132.235.1.2|6275|", "132.235.1.2", 6275)]
    [InlineData("|2|1080::8:800:200C:417A|5282|", "1080::8:800:200c:417a", 5282)]
    [InlineData("!1!132.235.1.2!6275!", "132.235.1.2", 6275)]
    [InlineData("a1a132.235.1.2a6275a", "132.235.1.2", 6275)]
    [InlineData("~02~::1~00001~", "::1", 1)]
    [InlineData("|1|132.235.001.002|65535|", "132.235.1.2", 65535)]
    [InlineData("|2|::ffff:132.235.1.2|6275|", "132.235.1.2", 6275)]
    [InlineData("|2|::FFFF:84EB:0102|6275|", "132.235.1.2", 6275)]
    [InlineData("|2|ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255|1|", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1)]
    public void An_EPRT_is_read_behind_any_delimiter(string argument, string address, int port)
    {
        Assert.True(ExtendedEndPoint.TryParseArgument(Encoding.ASCII.GetBytes(argument), out var named));
        Assert.True(named.TryGetAddress(out var seen));
        Assert.Equal((IPAddress.Parse(address), port), (seen, named.Port));
    }

    [Theory]
    [InlineData("")]
    [InlineData("|")]
    [InlineData("||||")]
    [InlineData("|1|10.0.0.9|")]
    [InlineData("|1|10.0.0.9|1025")]
    [InlineData("|1|10.0.0.9|1025||")]
    [InlineData("|1|10.0.0.9|1025|x")]
    [InlineData("|1|10.0.0.9|1025!")]
    [InlineData("||10.0.0.9|1025|")]
    [InlineData("|1|10.0.0.9||")]
    [InlineData("|1|10.0.0.9|0|")]
    [InlineData("|1|10.0.0.9|65536|")]
    [InlineData("|1|10.0.0.9|-1|")]
    [InlineData("|1|10.0.0.9|1025 |")]
    [InlineData("|1|10.0.0.9|000001025|")]
    [InlineData("|x|10.0.0.9|1025|")]
    [InlineData("|1000|10.0.0.9|1025|")]
    [InlineData("1110.0.0.9110251")]
    [InlineData(" 1 10.0.0.9 1025 ")]
    public void What_has_not_three_fields_is_no_EPRT(string argument)
    {
        Assert.False(ExtendedEndPoint.TryParseArgument(Encoding.ASCII.GetBytes(argument), out _));
    }

    [Theory]
    [InlineData("|1||1025|")]
    [InlineData("|1|10.0.9|1025|")]
    [InlineData("|1|10.0.0.9.|1025|")]
    [InlineData("|1|10.0.0.256|1025|")]
    [InlineData("|1|10.0.0.0x9|1025|")]
    [InlineData("|1|10.0.0.0009|1025|")]
    [InlineData("|1| 10.0.0.9|1025|")]
    [InlineData("|1|167772169|1025|")]
    [InlineData("|1|::1|1025|")]
    [InlineData("|1|localhost|1025|")]
    [InlineData("|2||1025|")]
    [InlineData("|2|10.0.0.9|1025|")]
    [InlineData("|2|fe80::1%3|1025|")]
    [InlineData("|2|fe80::1%eth0|1025|")]
    [InlineData("|2|[::1]|1025|")]
    [InlineData("|2|[::1]:21|1025|")]
    [InlineData("|2|::1/64|1025|")]
    [InlineData("|2|:::1|1025|")]
    [InlineData("|2|1:2:3:4:5:6:7:8:9|1025|")]
    [InlineData("|2|0000:0000:0000:0000:0000:0000:0000:0000:0000:0001|1025|")]
    [InlineData("|3|10.0.0.9|1025|")]
    [InlineData("|0|10.0.0.9|1025|")]
    public void An_address_that_is_none_of_its_protocols_is_refused(string argument)
    {
        Assert.True(ExtendedEndPoint.TryParseArgument(Encoding.ASCII.GetBytes(argument), out var named));
        Assert.False(named.TryGetAddress(out var address));
        Assert.Equal(IPAddress.None, address);
    }

    [Fact]
    public void A_PORT_of_ours_is_read_back() => QuickThrowOnFailure(Prop.ForAll<uint, ushort>((host, port) =>
    {
        if (port == 0)
            return true;
        var address = new IPAddress(BitConverter.GetBytes(host));
        var line = CommandWriter.Port(new IPEndPoint(address, port)).AsSpan().TrimEnd("\r\n"u8);
        var isRead = HostPort.TryParseArgument(FtpCommand.Parse(line).Argument, out var seen, out var seenPort);
        return isRead && seenPort == port && seen == BinaryPrimitives.ReverseEndianness(host);
    }));

    [Fact]
    public void An_EPRT_of_ours_is_read_back_without_its_scope() => QuickThrowOnFailure(Prop.ForAll<ulong, ulong, ushort>((high, low, port) =>
    {
        if (port == 0)
            return true;
        byte[] bytes = [.. BitConverter.GetBytes(high), .. BitConverter.GetBytes(low)];
        foreach (var address in new[] { new IPAddress(bytes, 7), new IPAddress(bytes[..4]) })
        {
            var line = CommandWriter.ExtendedPort(new IPEndPoint(address, port)).AsSpan().TrimEnd("\r\n"u8);
            var isRead = ExtendedEndPoint.TryParseArgument(FtpCommand.Parse(line).Argument, out var named) && named.TryGetAddress(out var seen)
                && named.Port == port && seen.GetAddressBytes().SequenceEqual(address.GetAddressBytes());
            if (!isRead && !address.IsIPv4MappedToIPv6)
                return false;
        }
        return true;
    }));

    [Fact]
    public void No_bytes_at_all_make_a_parser_throw_or_find_a_port_out_of_range() => QuickThrowOnFailure(Prop.ForAll<byte[]>(noise =>
    {
        // Bytes that come near to an end point, and the noise itself.
        byte[] near = [.. "|2|"u8, .. noise.Select(static b => "0123456789abcdef::::....,,,,||||"u8[b % 32])];
        foreach (var argument in new[] { noise, near })
        {
            if (HostPort.TryParseArgument(argument, out _, out var port) && port is < 1 or > 65535)
                return false;
            if (ExtendedEndPoint.TryParseArgument(argument, out var named) && (named.Port is < 1 or > 65535 || (named.TryGetAddress(out var address) && address.ToString().Contains('%', StringComparison.Ordinal))))
                return false;
        }
        return true;
    }));
}
