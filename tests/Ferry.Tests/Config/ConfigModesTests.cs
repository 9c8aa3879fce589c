using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.Config;

namespace Ferry.Tests.Config;

/// <summary>Who connects to whom for data, what clients are told, and which ports are redirected: what ends up in the records.</summary>
public sealed class ConfigModesTests
{
    private const string Control = "ftp_ctrl zone=z:64k proxy_ip=192.0.2.9 min_port=11000 max_port=11010;";
    private const string Single = "server { listen 9001; ftp_data zone=z; njtmesh_dest on; }";

    private static FerryConfig Read(string text)
    {
        var read = ConfigFile.Parse(text, "f.conf", "/srv");
        Assert.DoesNotContain(read.Diagnostics, d => d.Severity == ConfigSeverity.Error);
        return read.Config!;
    }

    private static FerryConfig Read(string main, string stream, string server, string data = "") =>
        Read($"{main} stream {{ {stream} server {{ listen 21; {Control} proxy_pass 192.0.2.1; {server} }} {data} }}");

    private static ServerConfig Server(string stream, string server) => Assert.Single(Read("", stream, server).Servers);

    [Theory]
    [InlineData("client", UpstreamDataMode.Client)]
    [InlineData("passive", UpstreamDataMode.Passive)]
    [InlineData("active", UpstreamDataMode.Active)]
    [InlineData("pasv", UpstreamDataMode.Pasv)]
    [InlineData("epsv", UpstreamDataMode.Epsv)]
    [InlineData("port", UpstreamDataMode.Port)]
    [InlineData("eprt", UpstreamDataMode.Eprt)]
    public void Each_word_of_proxy_ftp_data_is_a_mode(string word, UpstreamDataMode mode) =>
        Assert.Equal(mode, Server("", $"proxy_ftp_data {word};").Data.UpstreamMode);

    [Fact]
    public void Modes_are_inherited_and_overridden()
    {
        const string Stream = "proxy_ftp_data active; proxy_ftp_ports 30000-30099; ftp_active_source_port 2020; ftp_port_peer 10.0.0.0/8 2001:db8::/32;";

        var inherited = Server(Stream, "").Data;
        var own = Server(Stream, "proxy_ftp_data client; proxy_ftp_ports 40000; ftp_active_source_port auto; ftp_port_peer control;").Data;

        Assert.Equal((UpstreamDataMode.Active, new PortRangeConfig(30000, 30099), 2020), (inherited.UpstreamMode, inherited.UpstreamPorts, inherited.ActiveSourcePort));
        Assert.Equal(ActivePeerPolicy.Networks, inherited.ActivePeer.Policy);
        Assert.Equal([IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("2001:db8::/32")], inherited.ActivePeer.Networks.AsEnumerable());
        Assert.Equal((UpstreamDataMode.Client, new PortRangeConfig(40000, 40000), null), (own.UpstreamMode, own.UpstreamPorts, own.ActiveSourcePort));
        Assert.Equal(ActivePeerPolicy.Control, own.ActivePeer.Policy);
        var any = Server("", "ftp_active_source_port any; ftp_port_peer any;").Data;
        Assert.Equal((0, ActivePeerPolicy.Any), (any.ActiveSourcePort, any.ActivePeer.Policy));
    }

    [Fact]
    public void Headers_for_servers_are_inherited_and_overridden_and_those_of_data_are_apart()
    {
        const string Stream = "proxy_protocol on; proxy_protocol_data v2;";

        var none = Server("", "");
        var inherited = Server(Stream, "");
        var own = Server(Stream, "proxy_protocol v2; proxy_protocol_data off;");

        Assert.Equal((ProxyProtocolVersion.Off, ProxyProtocolVersion.Off), (none.ProxyProtocol, none.Data.ProxyProtocol));
        Assert.Equal((ProxyProtocolVersion.V1, ProxyProtocolVersion.V2), (inherited.ProxyProtocol, inherited.Data.ProxyProtocol));
        Assert.Equal((ProxyProtocolVersion.V2, ProxyProtocolVersion.Off), (own.ProxyProtocol, own.Data.ProxyProtocol));
    }

    [Fact]
    public void Lines_of_set_real_ip_from_replace_those_of_stream()
    {
        const string Stream = "set_real_ip_from 10.0.0.2; set_real_ip_from 2001:db8::/32; proxy_protocol_timeout 5s;";
        const string Listen = "listen 22 proxy_protocol; listen 23-24 proxy_protocol; ";

        var none = Server("", "");
        var inherited = Server(Stream, Listen);
        var own = Server(Stream, Listen + "set_real_ip_from 192.0.2.0/24; proxy_protocol_timeout 1m;");
        var nobody = Server(Stream, Listen + "set_real_ip_from unix:;");

        Assert.Equal([false], none.Listens.Select(l => l.ProxyProtocol));
        Assert.Equal([false, true, true, true], inherited.Listens.Select(l => l.ProxyProtocol));
        Assert.Equal([[], ["10.0.0.2/32", "2001:db8::/32"], ["192.0.2.0/24"], []], new[] { none, inherited, own, nobody }.Select(s => s.RealIpFrom.Select(n => n.ToString())));
        Assert.Equal([30, 5, 60, 5], new[] { none, inherited, own, nobody }.Select(s => s.ProxyProtocolTimeout.TotalSeconds));
    }

    [Fact]
    public void Lines_of_ftp_proxy_ip_keep_their_order_and_replace_those_of_stream()
    {
        const string Stream = "ftp_proxy_ip 10.1.0.0/16 auto; ftp_proxy_ip 10.0.0.0/8 10.0.0.1; ftp_proxy_ip ::/0 ftp.example.com;";

        var inherited = Server(Stream, "").ProxyAddresses;
        var own = Server(Stream, "ftp_proxy_ip 192.0.2.5 198.51.100.7;").ProxyAddresses;

        Assert.Equal(["10.1.0.0/16", "10.0.0.0/8", "::/0"], inherited.Select(l => l.Clients.ToString()));
        Assert.Equal([(true, null, null), (false, IPAddress.Parse("10.0.0.1"), null), (false, null, "ftp.example.com")], inherited.Select(l => (l.Address.IsAuto, l.Address.Address, l.Address.Name)));
        Assert.Equal(new ConfigPosition("f.conf", 1, 94), inherited[2].Address.Position);
        Assert.Equal(new ClientProxyAddressConfig(IPNetwork.Parse("192.0.2.5/32"), IPAddress.Parse("198.51.100.7")), Assert.Single(own));
    }

    [Theory]
    [InlineData("auto", null, null)]
    [InlineData("ftp.example.com", null, "ftp.example.com")]
    [InlineData("localhost", null, "localhost")]
    [InlineData("::ffff:192.0.2.9", "192.0.2.9", null)]
    [InlineData("[2001:db8::9]", "2001:db8::9", null)]
    public void A_zone_announces_an_address_a_name_or_what_the_client_dialled(string word, string? address, string? name)
    {
        var announced = Read($"stream {{ server {{ listen 21; {Control.Replace("192.0.2.9", word, StringComparison.Ordinal)} proxy_pass 192.0.2.1; }} }}").Servers[0].Zone.ProxyAddress;

        Assert.Equal((address, name, address is null && name is null), (announced.Address?.ToString(), announced.Name, announced.IsAuto));
    }

    [Fact]
    public void One_port_serves_a_zone_whose_ports_are_redirected_to_it()
    {
        var config = Read(
            "range type=tcp src_ports=11000:11005 dst_port=9001; range type=tcp src_ports=11006:12000 dst_port=9001 family=ipv4; range type=udp src_ports=11000:12000 dst_port=9001;", "", "", Single);

        Assert.Equal(9001, config.Servers[0].Data.RedirectPort);
        Assert.Equal([(11000, 11005, null), (11006, 12000, AddressFamily.InterNetwork)], config.Ranges.Select(r => (r.First, r.Last, r.Family)));
        Assert.Equal([new ConfigPosition("f.conf", 1, 1), new ConfigPosition("f.conf", 1, 53)], config.Ranges.Select(r => r.Position));
    }

    [Fact]
    public void A_redirect_that_leads_to_no_listener_is_left_out()
    {
        var config = Read("range type=tcp src_ports=11000:11010 dst_port=9001; range type=tcp src_ports=12000 dst_port=9002;", "", "", Single);

        Assert.Equal(9001, Assert.Single(config.Ranges).DestinationPort);
        // A listener on all ports of the zone needs none, and would lose them to it.
        Assert.Empty(Read("range type=tcp src_ports=11000:11010 dst_port=9001;", "", "", "server { listen 11000-11010; listen 9001; ftp_data zone=z; njtmesh_dest on; }").Ranges);
    }

    [Fact]
    public void Ports_that_are_listened_on_themselves_are_not_redirected() =>
        Assert.Null(Read("", "", "", "server { listen 11000-11010 mesh; ftp_data zone=z; }").Servers[0].Data.RedirectPort);

    [Fact]
    public void With_rules_of_the_operator_s_own_no_line_is_needed()
    {
        var config = Read("range_method none;", "", "", Single);

        Assert.Equal((RangeMethod.None, 9001), (config.RangeMethod, config.Servers[0].Data.RedirectPort));
        Assert.Empty(config.Ranges);
    }

    [Fact]
    public void Lines_beside_the_operator_s_own_rules_must_cover()
    {
        var read = ConfigFile.Parse($"range_method none; range type=tcp src_ports=11000:11009 dst_port=9001; stream {{ server {{ listen 21; {Control} proxy_pass 192.0.2.1; }} {Single} }}", "f.conf");

        Assert.Equal(
            "zone \"z\" tells clients ports 11000-11010, but no \"range\" redirects 11010 to port 9001: write range type=tcp src_ports=11010:11010 dst_port=9001; or listen 11000-11010;",
            Assert.Single(read.Diagnostics).Message);
    }

    [Fact]
    public void Clients_of_each_family_that_the_control_server_listens_on_are_led_to_the_one_port()
    {
        var read = ConfigFile.Parse(
            $"range type=tcp src_ports=11000:11010 dst_port=9001 family=ipv4; stream {{ server {{ listen 21; listen [::]:21; {Control} proxy_pass 192.0.2.1; }} {Single} }}", "f.conf");

        Assert.Equal(
            "zone \"z\" tells clients ports 11000-11010, but no \"range\" redirects 11000-11010 to port 9001 over IPv6: write range type=tcp src_ports=11000:11010 dst_port=9001 family=ipv6; or listen [::]:11000-11010;",
            Assert.Single(read.Diagnostics).Message);
    }

    [Theory]
    [InlineData("", RangeMethod.Auto)]
    [InlineData("range_method nft;", RangeMethod.Nft)]
    [InlineData("range_method tproxy; range ip_path=/sbin/ip;", RangeMethod.Tproxy)]
    [InlineData("range iptables_path=/sbin/iptables;", RangeMethod.Iptables)]
    [InlineData("range_method auto; range ip6tables_path=/sbin/ip6tables;", RangeMethod.Iptables)]
    [InlineData("range ip_path=/sbin/ip;", RangeMethod.Auto)]
    [InlineData("range iptables_path=/sbin/iptables; range_method nft;", RangeMethod.Nft)]
    public void Naming_iptables_means_it_unless_another_method_is_named(string main, RangeMethod method) =>
        Assert.Equal(method, Read(main, "", "").RangeMethod);

    [Fact]
    public void Each_tool_has_its_path()
    {
        var config = Read("range iptables_path=/a; range ip6tables_path=/b ip_path=/c;", "", "");

        Assert.Equal(("/a", "/b", "/c"), (config.IptablesPath, config.Ip6tablesPath, config.IpPath));
    }

    [Fact]
    public void A_thousand_redirects_are_enough()
    {
        var lines = string.Concat(Enumerable.Range(1, 1001).Select(i => $"range type=tcp src_ports={i + 20000} dst_port=9;"));

        var read = ConfigFile.Parse($"{lines} stream {{ server {{ listen 21; {Control} proxy_pass 192.0.2.1; }} }}");

        Assert.Equal("this configuration has more than 1000 range lines", Assert.Single(read.Diagnostics).Message);
    }

    [Fact]
    public void A_redirect_of_a_configuration_from_code_is_written_with_the_addresses_of_its_server()
    {
        var config = Read("range type=tcp src_ports=11000:11010 dst_port=9001;", "", "", Single);
        var server = config.Servers[0] with { Data = config.Servers[0].Data with { Addresses = [] } };
        var text = new StringWriter();

        new ConfigWriter(text).Write(config with { Servers = [server] });

        Assert.Contains("        listen 0.0.0.0:9001;\n        njtmesh_dest on;\n        ftp_data zone=z;\n", text.ToString(), StringComparison.Ordinal);
    }
}
