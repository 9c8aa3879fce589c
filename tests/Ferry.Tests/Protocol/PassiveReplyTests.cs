using System.Buffers.Binary;
using System.Globalization;
using System.Linq;
using System.Net;
using System.Text;
using Ferry.Protocol;
using FsCheck.Fluent;
using static FsCheck.Check;

namespace Ferry.Tests.Protocol;

public sealed class PassiveReplyTests
{
    [Theory]
    [InlineData("Entering Passive Mode (192,168,40,91,39,16).", 0xC0A8285B, 10000)]
    [InlineData("192,168,40,91,39,16", 0xC0A8285B, 10000)]
    [InlineData("=0,0,0,0,0,1", 0u, 1)]
    [InlineData("255,255,255,255,255,255", 0xFFFFFFFF, 65535)]
    [InlineData("version 2,1: (010,000,000,001,004,001)", 0x0A000001, 1025)]
    [InlineData("(10, 0, 0, 1, 4, 1)", 0x0A000001, 1025)]
    [InlineData("300,10,0,0,1,4,1", 0x0A000001, 1025)]
    [InlineData("(10,0,0,1,4,1", 0x0A000001, 1025)]
    public void The_numbers_of_a_227_are_found_wherever_they_stand(string text, uint address, int port)
    {
        Assert.True(HostPort.TryParse(Encoding.ASCII.GetBytes(text), out var seenAddress, out var seenPort));
        Assert.Equal((address, port), (seenAddress, seenPort));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Entering Passive Mode")]
    [InlineData("10,0,0,1,4")]
    [InlineData("10,0,0,1,4,")]
    [InlineData("10,0,0,1,4,256")]
    [InlineData("256,0,0,1,4,1")]
    [InlineData("10,0,0,1,4,1000")]
    [InlineData("10,0,0,1,0,0")]
    [InlineData("10.0.0.1,4,1")]
    [InlineData("10,0,0,-1,4,1")]
    [InlineData("10,,0,0,1,4")]
    [InlineData("4294967306,0,0,1,4,1")]
    [InlineData("10 ,0,0,1,4,1")]
    public void Anything_else_is_no_port(string text)
    {
        Assert.False(HostPort.TryParse(Encoding.ASCII.GetBytes(text), out var address, out var port));
        Assert.Equal((0u, 0), (address, port));
    }

    [Theory]
    [InlineData("Entering Extended Passive Mode (|||6446|)", 6446)]
    [InlineData("|||1|", 1)]
    [InlineData("(!!!65535!)", 65535)]
    [InlineData("ok... (|||00021|)", 21)]
    [InlineData("!!!! |||5|", 5)]
    public void The_port_of_a_229_is_found_behind_any_delimiter(string text, int port)
    {
        Assert.True(ExtendedEndPoint.TryParse(Encoding.ASCII.GetBytes(text), out var seen));
        Assert.Equal(port, seen);
    }

    [Theory]
    [InlineData("")]
    [InlineData("|||")]
    [InlineData("|||5")]
    [InlineData("|||5!")]
    [InlineData("||||")]
    [InlineData("|||0|")]
    [InlineData("|||65536|")]
    [InlineData("|||99999999999999999999|")]
    [InlineData("|||-5|")]
    [InlineData("(|1|10.0.0.1|6446|)")]
    [InlineData("|!|5|")]
    [InlineData("1111111")]
    [InlineData("   5 ")]
    public void Anything_else_is_no_extended_port(string text)
    {
        Assert.False(ExtendedEndPoint.TryParse(Encoding.ASCII.GetBytes(text), out var port));
        Assert.Equal(0, port);
    }

    [Fact]
    public void A_227_of_ours_is_read_back() => QuickThrowOnFailure(Prop.ForAll<uint, ushort>((address, port) =>
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, address);
        var reply = ReplyLine.Parse(ReplyWriter.Passive(new IPAddress(bytes), port).AsSpan().TrimEnd("\r\n"u8));
        var parsed = HostPort.TryParse(reply.Text, out var seenAddress, out var seenPort);
        return reply.Code == 227 && !reply.Continues && parsed == (port != 0) && (!parsed || (seenAddress == address && seenPort == port));
    }));

    [Fact]
    public void A_229_of_ours_is_read_back() => QuickThrowOnFailure(Prop.ForAll<ushort>(port =>
    {
        var reply = ReplyLine.Parse(ReplyWriter.ExtendedPassive(port).AsSpan().TrimEnd("\r\n"u8));
        var parsed = ExtendedEndPoint.TryParse(reply.Text, out var seen);
        return reply.Code == 229 && parsed == (port != 0) && seen == port;
    }));

    [Fact]
    public void Numbers_are_found_in_any_text_around_them() => QuickThrowOnFailure(Prop.ForAll<byte[], byte[], ushort>((before, after, port) =>
    {
        // Digits and commas of the text could make numbers of their own.
        byte[] Tame(byte[] text) => [.. text.Select(b => b is (>= (byte)'0' and <= (byte)'9') or (byte)',' or (byte)'|' ? (byte)'x' : b)];
        var numbers = string.Create(CultureInfo.InvariantCulture, $"10,0,0,1,{port >> 8},{port & 255}");
        byte[] text = [.. Tame(before), .. Encoding.ASCII.GetBytes(numbers), .. Tame(after)];
        return port == 0 || (HostPort.TryParse(text, out var address, out var seen) && address == 0x0A000001 && seen == port);
    }));

    [Fact]
    public void No_bytes_at_all_make_a_parser_throw_or_find_a_port_out_of_range() => QuickThrowOnFailure(Prop.ForAll<byte[]>(noise =>
    {
        // Bytes that come near to a port, and the noise itself.
        var near = noise.Select(b => "0123456789,,,,||||"u8[b % 18]).ToArray();
        foreach (var text in new[] { noise, near })
        {
            if (HostPort.TryParse(text, out _, out var port) && port is < 1 or > 65535)
                return false;
            if (ExtendedEndPoint.TryParse(text, out port) && port is < 1 or > 65535)
                return false;
        }
        return true;
    }));
}
