using System.Net;
using System.Text;
using Ferry.Upstreams;

namespace Ferry.Tests.Upstreams;

public sealed class AddressTextTests
{
    [Theory]
    [InlineData("192.168.40.90", "192.168.40.90")]
    [InlineData("::ffff:192.168.40.90", "192.168.40.90")]
    [InlineData("::", "::")]
    [InlineData("::1", "::1")]
    [InlineData("2001:db8::1", "2001:db8::1")]
    [InlineData("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1")]
    [InlineData("2001:0:0:1::1", "2001:0:0:1::1")]
    [InlineData("2001:db8::", "2001:db8::")]
    [InlineData("fe80::5efe:c0a8:285a%3", "fe80::5efe:c0a8:285a")]
    [InlineData("::192.168.40.90", "::192.168.40.90")]
    [InlineData("2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff")]
    public void An_address_is_written_as_nginx_writes_it(string address, string expected)
    {
        Span<byte> text = stackalloc byte[AddressText.MaxText];

        var length = AddressText.WriteText(IPAddress.Parse(address), text);

        Assert.Equal(expected, Encoding.ASCII.GetString(text[..length]));
    }

    [Fact]
    public void The_checksum_is_that_of_ieee_802_3()
    {
        var crc = Crc32.Append(Crc32.Append(Crc32.Start, "1234"u8), "56789"u8);

        Assert.Equal(0xcbf43926, Crc32.End(crc));
    }
}
