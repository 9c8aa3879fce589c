using System.Linq;
using System.Net;
using Ferry.Config;
using Ferry.Hosting;

namespace Ferry.Tests.Hosting;

public sealed class TransparentPlanTests
{
    private static readonly BindConfig OfClient = new(null, new TextTemplate("$remote_addr", [new TextPart("remote_addr", IsVariable: true)]), IsTransparent: true);

    [Fact]
    public void Nft_marks_what_belongs_to_a_transparent_socket_and_to_no_listener_of_every_address() =>
        Assert.Equal(
            """
            table inet ferry_transparent {}
            delete table inet ferry_transparent
            table inet ferry_transparent {
            	chain prerouting {
            		type filter hook prerouting priority -150; policy accept;
            		meta l4proto tcp socket wildcard 1 return
            		meta l4proto { tcp, icmp, icmpv6 } socket transparent 1 meta mark set meta mark | 0x1000
            	}
            }

            """,
            FerryProxy.DescribeRules(Config(OfClient, "0.0.0.0", "::"), RangeMethod.Nft));

    [Fact]
    public void Iptables_does_the_same_for_each_family_that_clients_come_over()
    {
        var config = Config(OfClient, "0.0.0.0", "::") with { Ip6tablesPath = "/opt/ip6tables" };
        var text = FerryProxy.DescribeRules(config, RangeMethod.Iptables);
        const string IPv4 = """
            while iptables -w 5 -t mangle -D PREROUTING -j FERRY-TRANSPARENT 2>/dev/null; do :; done
            iptables-restore --noflush -w 5 <<'END'
            *mangle
            :FERRY-TRANSPARENT - [0:0]
            -A FERRY-TRANSPARENT -p tcp -m socket --transparent -j MARK --set-xmark 0x1000/0x1000
            -A FERRY-TRANSPARENT -p icmp -m socket --transparent -j MARK --set-xmark 0x1000/0x1000
            -A PREROUTING -j FERRY-TRANSPARENT
            COMMIT
            END

            """;
        Assert.Equal(IPv4 + IPv4.Replace("iptables", "/opt/ip6tables", StringComparison.Ordinal).Replace("-p icmp ", "-p icmpv6 ", StringComparison.Ordinal), text);
        Assert.Equal(IPv4, FerryProxy.DescribeRules(Config(OfClient, "192.0.2.1"), RangeMethod.Iptables));
    }

    [Fact]
    public void Marked_packets_are_routed_to_this_machine()
    {
        const string IPv4 = """
            while ip -4 rule del pref 2121 fwmark 0x1000/0x1000 lookup 2121 2>/dev/null; do :; done
            ip -4 rule add pref 2121 fwmark 0x1000/0x1000 lookup 2121
            ip -4 route replace local default dev lo table 2121

            """;
        Assert.Equal(IPv4 + IPv4.Replace("-4", "-6", StringComparison.Ordinal), FerryProxy.DescribeRoutes(Config(OfClient, "::", "0.0.0.0")));
        Assert.Equal(IPv4.Replace("ip -4", "/opt/ip -6", StringComparison.Ordinal), FerryProxy.DescribeRoutes(Config(OfClient, "2001:db8::1") with { IpPath = "/opt/ip" }));
    }

    [Fact]
    public void Behind_a_balancer_clients_may_be_of_either_family()
    {
        var config = Config(OfClient, "192.0.2.1");
        config = config with { Servers = [config.Servers[0] with { Listens = [config.Servers[0].Listens[0] with { ProxyProtocol = true }] }] };

        Assert.Contains("ip -4 rule add", FerryProxy.DescribeRoutes(config), StringComparison.Ordinal);
        Assert.Contains("ip -6 rule add", FerryProxy.DescribeRoutes(config), StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_variable_amounts_to_may_be_of_either_family() =>
        Assert.Contains("ip -6 rule add", FerryProxy.DescribeRoutes(Config(new BindConfig(null, new TextTemplate("$from", [new TextPart("from", IsVariable: true)]), IsTransparent: true), "192.0.2.1")), StringComparison.Ordinal);

    [Fact]
    public void An_address_that_is_written_out_is_of_one_family() =>
        Assert.DoesNotContain("-6", FerryProxy.DescribeRoutes(Config(new BindConfig(IPAddress.Parse("192.0.2.7"), null, IsTransparent: true), "::")), StringComparison.Ordinal);

    [Fact]
    public void Without_transparent_nothing_is_needed()
    {
        foreach (var bind in (BindConfig?[])[null, OfClient with { IsTransparent = false }])
        {
            Assert.Empty(FerryProxy.DescribeRules(Config(bind, "0.0.0.0"), RangeMethod.Nft));
            Assert.Empty(FerryProxy.DescribeRules(Config(bind, "0.0.0.0"), RangeMethod.Iptables));
            Assert.Empty(FerryProxy.DescribeRoutes(Config(bind, "0.0.0.0")));
        }
    }

    [Fact]
    public void They_stand_behind_those_of_ranges()
    {
        var config = Config(OfClient, "0.0.0.0");
        var server = config.Servers[0] with { Data = new DataConfig { RedirectPort = 10001 } };
        var both = config with { Servers = [server], Ranges = [new RangeConfig(11000, 12000, 10001)] };
        foreach (var method in (RangeMethod[])[RangeMethod.Nft, RangeMethod.Tproxy, RangeMethod.Iptables])
            Assert.Equal(RedirectPlan.Text(both, method) + FerryProxy.DescribeRules(config, method), FerryProxy.DescribeRules(both, method));
    }

    private static FerryConfig Config(BindConfig? bind, params string[] listens) => new()
    {
        Servers =
        [
            new ServerConfig
            {
                Listens = [.. listens.Select(a => new ListenConfig(new IPEndPoint(IPAddress.Parse(a), 21)))],
                Zone = new ZoneConfig("z", 1 << 20, IPAddress.Parse("192.0.2.1"), 11000, 12000),
                Upstream = new UpstreamConfig { Name = "u", Servers = [] },
                Bind = bind,
            },
        ],
    };
}
