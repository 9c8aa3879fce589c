using System.Net;
using Ferry.Config;

namespace Ferry.Tests.Config;

public sealed class ConfigValueTests
{
    [Theory]
    [InlineData("30", 30_000)]
    [InlineData("30s", 30_000)]
    [InlineData("500ms", 500)]
    [InlineData("1m", 60_000)]
    [InlineData("1h30m", 5_400_000)]
    [InlineData("1h 30m", 5_400_000)]
    [InlineData("1h   30m", 5_400_000)]
    [InlineData("1d", 86_400_000)]
    [InlineData("2w", 1_209_600_000)]
    [InlineData("1M", 2_592_000_000)]
    [InlineData("1y", 31_536_000_000)]
    [InlineData("1m1s1ms", 61_001)]
    [InlineData("1m30", 90_000)]
    [InlineData("0", 0)]
    public void Times_have_the_units_of_nginx(string text, long milliseconds)
    {
        Assert.True(ConfigValue.TryTime(text, out var time));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), time);
    }

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("-1s")]
    [InlineData("1.5s")]
    [InlineData("1s1m")]
    [InlineData("1s1s")]
    [InlineData("30 1s")]
    [InlineData("1S")]
    [InlineData("1s ")]
    [InlineData("101y")]
    [InlineData("99999999999999999999")]
    public void What_is_no_time_is_refused(string text) => Assert.False(ConfigValue.TryTime(text, out _));

    [Theory]
    [InlineData("8192", 8192)]
    [InlineData("8k", 8192)]
    [InlineData("10M", 10 << 20)]
    [InlineData("1g", 1 << 30)]
    public void Sizes_have_k_m_and_g_in_either_case(string text, long size)
    {
        Assert.True(ConfigValue.TrySize(text, out var read));
        Assert.Equal(size, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("k")]
    [InlineData("-1k")]
    [InlineData("1kb")]
    [InlineData("1t")]
    [InlineData("9223372036854775807k")]
    public void What_is_no_size_is_refused(string text) => Assert.False(ConfigValue.TrySize(text, out _));

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("[2001:db8::1]", "2001:db8::1")]
    [InlineData("2001:db8::1", "2001:db8::1")]
    public void Addresses_are_whole(string text, string address)
    {
        Assert.True(ConfigValue.TryAddress(text, out var read));
        Assert.Equal(IPAddress.Parse(address), read);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("127.1")]
    [InlineData("0x7f.0.0.1")]
    [InlineData("256.0.0.1")]
    [InlineData("[192.0.2.1]")]
    [InlineData("fe80::1%eth0")]
    [InlineData("localhost")]
    [InlineData("[]")]
    public void What_the_platform_would_guess_to_be_an_address_is_refused(string text) => Assert.False(ConfigValue.TryAddress(text, out _));

    [Theory]
    [InlineData("10.0.0.0/8", "10.0.0.0/8", false)]
    [InlineData("10.1.2.3/8", "10.0.0.0/8", true)]
    [InlineData("192.0.2.1", "192.0.2.1/32", false)]
    [InlineData("2001:db8::1/33", "2001:db8::/33", true)]
    [InlineData("0.0.0.0/0", "0.0.0.0/0", false)]
    public void Networks_lose_their_low_bits(string text, string network, bool hadLowBits)
    {
        Assert.True(ConfigValue.TryNetwork(text, out var read, out var low));
        Assert.Equal((IPNetwork.Parse(network), hadLowBits), (read, low));
    }

    [Theory]
    [InlineData("ftp.example.com", "ftp.example.com", null)]
    [InlineData("ftp.example.com:21", "ftp.example.com", "21")]
    [InlineData("[::1]", "[::1]", null)]
    [InlineData("[::1]:21", "[::1]", "21")]
    public void A_host_and_its_port_are_told_apart(string text, string host, string? port)
    {
        ConfigValue.SplitHostPort(text, out var readHost, out var readPort);
        Assert.Equal((host, port), (readHost, readPort));
    }

    [Theory]
    [InlineData("ftp_1.example", true)]
    [InlineData("10.0.0", false)]
    [InlineData("a..b", false)]
    [InlineData("-a", false)]
    [InlineData("a b", false)]
    [InlineData("", false)]
    public void Names_of_hosts_are_checked(string text, bool isName) => Assert.Equal(isName, ConfigValue.IsHostName(text));

    [Theory]
    [InlineData("lisen", "listen")]
    [InlineData("proxy_timout", "proxy_timeout")]
    [InlineData("Listen", "listen")]
    [InlineData("lsiten", "listen")]
    [InlineData("location", null)]
    [InlineData("x", null)]
    public void The_word_that_was_meant_is_near(string word, string? meant) =>
        Assert.Equal(meant, Spelling.Closest(word, ["pid", "listen", "proxy_timeout", "proxy_bind", "allow"]));

    [Theory]
    [InlineData("a.conf", "*.conf", true)]
    [InlineData(".a.conf", "*.conf", false)]
    [InlineData(".a.conf", ".*.conf", true)]
    [InlineData("a1.conf", "a?.conf", true)]
    [InlineData("a1.conf", "a[0-9].conf", true)]
    [InlineData("ab.conf", "a[!0-9].conf", true)]
    [InlineData("a1.conf", "a[!0-9].conf", false)]
    [InlineData("a].conf", "a[]].conf", true)]
    [InlineData("a[.conf", "a[.conf", true)]
    [InlineData("aXbXc", "a*b*c", true)]
    [InlineData("aXbX", "a*b*c", false)]
    [InlineData("", "*", true)]
    public void Patterns_match_as_in_a_shell(string name, string pattern, bool matches) => Assert.Equal(matches, FileGlob.IsMatch(name, pattern));
}
