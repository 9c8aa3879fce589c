using System.IO;
using System.Linq;
using Ferry.Config;

namespace Ferry.Tests.Config;

/// <summary>What the directives that choose a server leave in the records.</summary>
public sealed class ConfigBalancingTests
{
    private const string Server = "server { listen 21; ftp_ctrl zone=z:64k proxy_ip=192.0.2.9 min_port=10000 max_port=10010; proxy_pass backend; }";

    /// <summary>The examples of the documentation of NGINX's stream module (upstream, zone and its methods), the ports of other protocols and all.</summary>
    public static TheoryData<string, BalanceMethod, int> OfNginx => new()
    {
        { "hash $remote_addr consistent; server backend1.example.com:12345 weight=5; server 127.0.0.1:12345 max_fails=3 fail_timeout=30s; server backend3.example.com:12345;", BalanceMethod.ConsistentHash, 3 },
        { "server backend1.example.com:12345 weight=5; server 127.0.0.1:12345 max_fails=3 fail_timeout=30s; server backup1.example.com:12345 backup; server backup2.example.com:12345 backup;", BalanceMethod.RoundRobin, 4 },
        { "zone tcp_servers 64k; least_conn; server 10.0.0.1:12345 weight=4 max_conns=10; server 10.0.0.2:12345 down; server backup1.example.com:12345 backup;", BalanceMethod.LeastConnections, 3 },
        { "random two least_conn; server backend1.example.com:12345; server backend2.example.com:12345; server backend3.example.com:12345;", BalanceMethod.RandomTwo, 3 },
        { "random; server backend1.example.com:12345 weight=2; server backend2.example.com:12345;", BalanceMethod.Random, 2 },
        { "random two; server backend1.example.com:12345; server backend2.example.com:12345;", BalanceMethod.RandomTwo, 2 },
        { "hash $remote_addr; server backend1.example.com:12345; server backend2.example.com:12345;", BalanceMethod.Hash, 2 },
        { "hash $remote_addr consistent; zone upstream_backend 64k; server backend1.example.com:12345 max_conns=3;", BalanceMethod.ConsistentHash, 1 },
    };

    [Theory]
    [MemberData(nameof(OfNginx))]
    public void Upstream_blocks_of_nginx_s_documentation_load_unchanged(string block, BalanceMethod method, int servers)
    {
        var upstream = Read(block);

        Assert.Equal((method, servers), (upstream.Balance, upstream.Servers.Length));
        Assert.Equal(method is BalanceMethod.Hash or BalanceMethod.ConsistentHash, upstream.HashKey is not null);
    }

    [Theory]
    [InlineData("rr", BalanceMethod.Rr)]
    [InlineData("wrr", BalanceMethod.Wrr)]
    [InlineData("lc", BalanceMethod.Lc)]
    [InlineData("wlc", BalanceMethod.Wlc)]
    [InlineData("sed", BalanceMethod.Sed)]
    [InlineData("nq", BalanceMethod.Nq)]
    [InlineData("sh", BalanceMethod.Sh)]
    [InlineData("dh", BalanceMethod.Dh)]
    [InlineData("lblc", BalanceMethod.Lblc)]
    [InlineData("lblcr", BalanceMethod.Lblcr)]
    [InlineData("mh", BalanceMethod.Mh)]
    [InlineData("ovf", BalanceMethod.Ovf)]
    [InlineData("fo", BalanceMethod.Fo)]
    public void The_schedulers_of_lvs_have_their_names(string name, BalanceMethod method) => Assert.Equal(method, Read($"balance {name}; server 192.0.2.1;").Balance);

    [Fact]
    public void The_last_of_several_methods_counts_as_in_nginx()
    {
        var upstream = Read("hash $remote_addr; least_conn; server 192.0.2.1; server 192.0.2.2 backup;");

        Assert.Equal((BalanceMethod.LeastConnections, null), (upstream.Balance, upstream.HashKey));
    }

    [Fact]
    public void What_sticky_leaves_out_has_the_defaults_of_the_record()
    {
        var sticky = Read("sticky $remote_addr; server 192.0.2.1;").Sticky!;

        Assert.Equal(new StickyConfig(sticky.Key), sticky);
        Assert.Equal("$remote_addr", sticky.Key.Text);
        Assert.Null(Read("server 192.0.2.1;").Sticky);
    }

    [Theory]
    [InlineData("netmask=24", 24)]
    [InlineData("netmask=255.255.255.0", 24)]
    [InlineData("netmask=255.255.240.0", 20)]
    [InlineData("netmask=0.0.0.0", 0)]
    [InlineData("netmask=255.255.255.255", 32)]
    public void A_netmask_is_a_number_of_bits_or_a_mask(string parameter, int bits) => Assert.Equal(bits, Read($"sticky $remote_addr {parameter}; server 192.0.2.1;").Sticky!.Prefix4);

    [Fact]
    public void All_parameters_of_sticky_are_taken_over()
    {
        var sticky = Read("sticky $binary_remote_addr$server_port timeout=1h30m netmask=16 prefix6=48 entries=7; server 192.0.2.1;").Sticky!;

        Assert.Equal(new StickyConfig(sticky.Key) { Timeout = TimeSpan.FromMinutes(90), Prefix4 = 16, Prefix6 = 48, MaxEntries = 7 }, sticky);
        Assert.Equal(2, sticky.Key.Parts.Length);
    }

    /// <summary>Every method, so that none is written as another or not at all.</summary>
    [Fact]
    public void Every_method_that_is_written_is_read_back()
    {
        string[] lines = ["", "hash $remote_addr;", "hash $remote_addr consistent;", "least_conn;", "random;", "random two;", .. "rr wrr lc wlc sed nq sh dh lblc lblcr mh ovf fo".Split(' ').Select(n => $"balance {n};")];
        var methods = new HashSet<BalanceMethod>();

        foreach (var line in lines)
        {
            var file = ConfigFile.Parse($"stream {{ upstream backend {{ {line} sticky $ftp_user timeout=5s; server 192.0.2.1; server 192.0.2.2; }} {Server} }}");
            var text = new StringWriter();
            file.WriteEffective(text);
            var again = ConfigFile.Parse(text.ToString()).Config!.Servers[0].Upstream;

            Assert.Equal(file.Config!.Servers[0].Upstream.Balance, again.Balance);
            Assert.Equal((file.Config.Servers[0].Upstream.HashKey?.Text, TimeSpan.FromSeconds(5)), (again.HashKey?.Text, again.Sticky!.Timeout));
            methods.Add(again.Balance);
        }

        Assert.Equal(Enum.GetValues<BalanceMethod>(), methods.Order());
    }

    private static UpstreamConfig Read(string block)
    {
        var file = ConfigFile.Parse($"stream {{ upstream backend {{ {block} }} {Server} }}");
        Assert.DoesNotContain(file.Diagnostics, d => d.Severity == ConfigSeverity.Error);
        return file.Config!.Servers[0].Upstream;
    }
}
