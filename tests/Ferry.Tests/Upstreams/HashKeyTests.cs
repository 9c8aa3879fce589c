using System.Linq;
using System.Text;
using Ferry.Config;
using Ferry.Upstreams;
using static Ferry.Tests.Upstreams.GroupBuilder;

namespace Ferry.Tests.Upstreams;

public sealed class HashKeyTests
{
    private static readonly ChoiceFacts Facts = new(Client, Listener)
    {
        ServerName = "ftp.example.com",
        ClientSubject = "CN=Zoë,O=Example",
        User = "anna",
        Host = "files.example.com",
        Variable = name => name == "pool" ? "north" : null,
    };

    [Theory]
    [InlineData("remote_addr", "192.168.40.90")]
    [InlineData("remote_port", "50000")]
    [InlineData("server_addr", "192.168.40.136")]
    [InlineData("server_port", "21")]
    [InlineData("ssl_server_name", "ftp.example.com")]
    [InlineData("ssl_client_s_dn", "CN=Zoë,O=Example")]
    [InlineData("ftp_user", "anna")]
    [InlineData("ftp_host", "files.example.com")]
    [InlineData("pool", "north")]
    [InlineData("unknown", "")]
    public void Variables_are_what_is_known_of_the_session(string variable, string expected) => Assert.Equal(expected, TextOf(Facts, new TextPart(variable, true)));

    [Theory]
    [InlineData("ssl_server_name")]
    [InlineData("ssl_client_s_dn")]
    [InlineData("ftp_user")]
    [InlineData("ftp_host")]
    [InlineData("pool")]
    public void What_is_not_known_is_empty(string variable) => Assert.Equal("<>", TextOf(new ChoiceFacts(Client, Listener), new TextPart("<", false), new TextPart(variable, true), new TextPart(">", false)));

    [Fact]
    public void Every_variable_that_the_configuration_lets_a_key_have_is_known_here()
    {
        foreach (var variable in ConfigVariables.All)
            Assert.Equal(variable.InHash, HashKey.TryCreate(Variable(variable.Name), out _) is not null);
        foreach (var variable in ConfigVariables.All.Where(v => v.InHash))
        {
            // What a PROXY header says is asked of the session.
            var asked = Facts with { Variable = name => name.StartsWith("proxy_protocol_", StringComparison.Ordinal) || name.StartsWith("realip_", StringComparison.Ordinal) ? "told" : null };
            Assert.NotEqual("", TextOf(asked, new TextPart(variable.Name, true)));
        }
    }

    /// <summary>A character may not be torn where the text is taken in pieces.</summary>
    [Theory]
    [InlineData("x")]
    [InlineData("é")]
    [InlineData("€")]
    [InlineData("😀")]
    public void Text_of_any_length_is_utf8(string character)
    {
        for (var length = 0; length < 200; length++)
        {
            var text = string.Concat(Enumerable.Repeat(character, length));
            Assert.Equal(text, TextOf(Facts with { User = "a" + text }, new TextPart("ftp_user", true)) is ['a', .. var rest] ? rest : null);
        }
    }

    [Fact]
    public void A_checksum_is_of_the_whole_key_whatever_is_kept_of_it()
    {
        var sink = new KeySink(new byte[5]);
        sink.Append("hello"u8);
        sink.Append(", world");

        Assert.Equal((12L, 0xffab723a), (sink.Length, sink.Checksum));
        Assert.Equal("hello", Encoding.ASCII.GetString(sink.Kept));
    }

    private static string TextOf(ChoiceFacts facts, params TextPart[] parts)
    {
        var sink = new KeySink(new byte[1000]);
        HashKey.TryCreate(new TextTemplate("", [.. parts]), out _)!.WriteTo(ref sink, facts);
        return Encoding.UTF8.GetString(sink.Kept);
    }
}
