using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.Config;
using Ferry.Hosting;
using Ferry.Transport.Linux;

namespace Ferry.Tests.Hosting;

public sealed class RedirectPlanTests
{
    [Fact]
    public void The_single_port_listens_on_the_data_addresses_and_where_they_lack_a_family_on_the_control_addresses()
    {
        var server = Server(["192.0.2.1", "2001:db8::1"], ["0.0.0.0"]);
        Assert.Equal(["0.0.0.0:10001", "[2001:db8::1]:10001"], RedirectPlan.EndPoints(server).Select(e => e.ToString()));
        Assert.Equal(["192.0.2.1:10001"], RedirectPlan.EndPoints(Server(["192.0.2.1"], [])).Select(e => e.ToString()));
        Assert.Equal(["192.0.2.7:10001"], RedirectPlan.EndPoints(Server(["192.0.2.1"], ["192.0.2.7"])).Select(e => e.ToString()));
    }

    [Fact]
    public void The_unspecified_address_stands_for_the_others_of_its_family() =>
        Assert.Equal(["0.0.0.0:10001"], RedirectPlan.EndPoints(Server(["0.0.0.0"], ["192.0.2.7", "0.0.0.0"])).Select(e => e.ToString()));

    [Fact]
    public void A_server_without_a_single_port_listens_on_none() =>
        Assert.Empty(RedirectPlan.EndPoints(Server(["0.0.0.0"], []) with { Data = new DataConfig() }));

    [Fact]
    public void Rules_are_made_for_the_families_that_are_listened_on_and_that_the_range_is_for()
    {
        var config = Config(Server(["0.0.0.0", "2001:db8::1"], []));
        Assert.Equal(
            [new RedirectRule(10001, AddressFamily.InterNetwork, null, 11000, 12000), new RedirectRule(10001, AddressFamily.InterNetworkV6, IPAddress.Parse("2001:db8::1"), 11000, 12000)],
            RedirectPlan.Rules(config, [new RangeConfig(11000, 12000, 10001)]).AsEnumerable());
        Assert.Equal(
            [new RedirectRule(10001, AddressFamily.InterNetwork, null, 11000, 12000)],
            RedirectPlan.Rules(config, [new RangeConfig(11000, 12000, 10001, AddressFamily.InterNetwork)]).AsEnumerable());
    }

    [Fact]
    public void A_range_that_nothing_listens_for_redirects_nothing()
    {
        var config = Config(Server(["0.0.0.0"], []));
        RangeConfig[] ranges = [new(13000, 13010, 10002), new(13000, 13010, 10001, AddressFamily.InterNetworkV6)];
        Assert.Empty(RedirectPlan.Rules(config, ranges));
        Assert.Equal(ranges, RedirectPlan.Unused(config, ranges));
    }

    [Fact]
    public void The_text_for_iptables_removes_its_jumps_before_it_makes_them()
    {
        var text = RedirectPlan.Text(Config(Server(["0.0.0.0"], [])) with { Ranges = [new RangeConfig(11000, 12000, 10001)], IptablesPath = "/opt/iptables" }, RangeMethod.Iptables);
        Assert.Equal(
            """
            while /opt/iptables -w 5 -t nat -D PREROUTING -j FERRY-10001 2>/dev/null; do :; done
            while /opt/iptables -w 5 -t nat -D OUTPUT -j FERRY-10001 2>/dev/null; do :; done
            /opt/iptables-restore --noflush -w 5 <<'END'
            *nat
            :FERRY-10001 - [0:0]
            -A FERRY-10001 -m addrtype --dst-type LOCAL -p tcp -m tcp --dport 11000:12000 -j DNAT --to-destination :10001
            -A PREROUTING -j FERRY-10001
            -A OUTPUT -j FERRY-10001
            COMMIT
            END

            """,
            text);
    }

    private static FerryConfig Config(ServerConfig server) => new() { Servers = [server] };

    private static ServerConfig Server(string[] control, string[] data) => new()
    {
        Listens = [.. control.Select(a => new ListenConfig(new IPEndPoint(IPAddress.Parse(a), 21)))],
        Zone = new ZoneConfig("z", 1 << 20, IPAddress.Parse("192.0.2.1"), 11000, 12000),
        Data = new DataConfig { Addresses = [.. data.Select(IPAddress.Parse)], RedirectPort = 10001 },
        Upstream = new UpstreamConfig { Name = "u", Servers = [] },
    };
}
