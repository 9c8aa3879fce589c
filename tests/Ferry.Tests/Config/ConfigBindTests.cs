using System.Linq;
using System.Net;
using Ferry.Config;

namespace Ferry.Tests.Config;

/// <summary>What <c>proxy_bind</c> means.</summary>
public sealed class ConfigBindTests
{
    private static ServerConfig Read(string stream, string server)
    {
        var read = ConfigFile.Parse(
            $"stream {{ {stream} server {{ listen 21; ftp_ctrl zone=z:64k proxy_ip=192.0.2.9 min_port=10000 max_port=10010; proxy_pass 192.0.2.1; {server} }} }}", "f.conf");
        Assert.Empty(read.Diagnostics);
        return Assert.Single(read.Config!.Servers);
    }

    [Theory]
    [InlineData("192.0.2.5", "192.0.2.5", false)]
    [InlineData("192.0.2.5:0", "192.0.2.5", false)]
    [InlineData("192.0.2.5 transparent", "192.0.2.5", true)]
    [InlineData("2001:db8::5", "2001:db8::5", false)]
    [InlineData("[2001:db8::5]", "2001:db8::5", false)]
    [InlineData("[2001:db8::5]:0 transparent", "2001:db8::5", true)]
    public void An_address_may_have_brackets_and_the_port_0(string text, string address, bool isTransparent) =>
        Assert.Equal(new BindConfig(IPAddress.Parse(address), null, isTransparent), Read("", $"proxy_bind {text};").Bind! with { Position = new("(code)", 0, 0) });

    [Theory]
    [InlineData("$remote_addr transparent", "$remote_addr", true)]
    [InlineData("$remote_addr", "$remote_addr", false)]
    [InlineData("$remote_addr:0 transparent", "$remote_addr", true)]
    [InlineData("${remote_addr}:0", "${remote_addr}", false)]
    [InlineData("$from transparent", "$from", true)]
    [InlineData("10.0.0.$from", "10.0.0.$from", false)]
    public void A_text_with_variables_loses_the_port_0(string text, string kept, bool isTransparent)
    {
        var bind = Read("map $remote_addr $from { default 192.0.2.5; }", $"proxy_bind {text};").Bind!;
        Assert.Equal((null, kept, isTransparent), (bind.Address, bind.Text!.Text, bind.IsTransparent));
        Assert.Equal(kept.Replace("{", "", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal),
            string.Concat(bind.Text.Parts.Select(p => p.IsVariable ? "$" + p.Text : p.Text)));
    }

    [Fact]
    public void A_server_takes_over_what_stream_says_and_may_turn_it_off()
    {
        Assert.True(Read("proxy_bind $remote_addr transparent;", "").Bind!.IsTransparent);
        Assert.Null(Read("proxy_bind $remote_addr transparent;", "proxy_bind off;").Bind);
        Assert.Null(Read("", "").Bind);
    }

    [Theory]
    [InlineData("", "proxy_bind $remote_addr;", false)]
    [InlineData("", "proxy_bind $from;", true)]
    [InlineData("proxy_bind $from;", "", true)]
    [InlineData("proxy_bind $from;", "proxy_bind off;", false)]
    public void An_address_that_depends_on_the_user_is_waited_for(string stream, string server, bool atUser) =>
        Assert.Equal(atUser, Read($"map $ftp_user $from {{ default 192.0.2.5; }} {stream}", server).Route is { AtUser: true });
}
