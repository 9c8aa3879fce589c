using System.Linq;
using System.Net;
using Ferry.Config;
using Microsoft.Extensions.Logging;

namespace Ferry.Tests.Config;

/// <summary>What ends up in the records.</summary>
public sealed class ConfigRecordTests
{
    private const string Control = "ftp_ctrl zone=z:64k proxy_ip=192.0.2.9 min_port=10000 max_port=10010;";

    private static FerryConfig Read(string text)
    {
        var read = ConfigFile.Parse(text, "f.conf", "/srv");
        Assert.DoesNotContain(read.Diagnostics, d => d.Severity == ConfigSeverity.Error);
        return read.Config!;
    }

    private static ServerConfig Server(string stream, string server, string data = "") =>
        Assert.Single(Read($"stream {{ {stream} server {{ listen 21; {Control} proxy_pass 192.0.2.1; {server} }} {data} }}").Servers);

    [Fact]
    public void What_is_left_out_has_the_defaults_of_the_records()
    {
        var config = Read($"stream {{ server {{ listen 21; {Control} proxy_pass 192.0.2.1; }} }}");
        var server = Assert.Single(config.Servers);
        var plain = new ServerConfig { Listens = server.Listens, Zone = server.Zone, Upstream = server.Upstream, Data = server.Data, ProxyAddresses = server.ProxyAddresses, AccessRules = server.AccessRules, RealIpFrom = server.RealIpFrom, Position = server.Position };

        Assert.Equal(plain, server);
        Assert.Empty(server.ProxyAddresses);
        Assert.Empty(server.RealIpFrom);
        Assert.Empty(config.Ranges);
        Assert.Equal((RangeMethod.Auto, null, null, null), (config.RangeMethod, config.IptablesPath, config.Ip6tablesPath, config.IpPath));
        Assert.Equal((512, null, null, TimeSpan.FromHours(1)), (config.MaxSessions, config.MaxOpenFiles, config.PidFile, config.ShutdownTimeout));
        Assert.Empty(server.Data.Addresses);
        var data = new DataConfig();
        Assert.Equal((data.Peer, data.PassiveAddress.Policy, data.ConnectTimeout, data.StallTimeout, data.MaxPortsPerClient),
            (server.Data.Peer, server.Data.PassiveAddress.Policy, server.Data.ConnectTimeout, server.Data.StallTimeout, server.Data.MaxPortsPerClient));
        Assert.Equal(256, server.Zone.MaxLeases);
    }

    [Fact]
    public void A_server_takes_over_what_stream_says_and_may_say_otherwise()
    {
        const string Stream = """
            proxy_timeout 1m; proxy_connect_timeout 2s; ftp_banner_timeout 3s; ftp_login_timeout 4s; proxy_bind 192.0.2.2; proxy_next_upstream off;
            proxy_next_upstream_timeout 5s; proxy_next_upstream_tries 6; tcp_nodelay off; proxy_socket_keepalive off; allow 10.0.0.0/8; deny all;
            access_log a.log; ftp_transfer_log t.log; ftp_data_peer any; ftp_pasv_address 10.0.0.0/8 192.0.2.0/24; ftp_data_connect_timeout 7s; ftp_data_timeout 8s; ftp_client_ports 9;
            """;
        var inherited = Server(Stream, "");

        Assert.Equal((60, 2, 3, 4, 5), (Seconds(inherited.IdleTimeout), Seconds(inherited.ConnectTimeout), Seconds(inherited.BannerTimeout), Seconds(inherited.LoginTimeout), Seconds(inherited.NextUpstreamTimeout)));
        Assert.Equal((IPAddress.Parse("192.0.2.2"), false, 6, false, false), (inherited.Bind!.Address!, inherited.NextUpstream, inherited.NextUpstreamTries, inherited.TcpNoDelay, inherited.SocketKeepalive));
        Assert.Equal([new(true, IPNetwork.Parse("10.0.0.0/8")), new(false, null)], inherited.AccessRules.AsEnumerable());
        Assert.Equal(new AccessLogConfig("/srv/a.log", null), inherited.AccessLog);
        Assert.Equal(new TransferLogConfig("/srv/t.log", TransferLogFormat.Xferlog), inherited.TransferLog);
        Assert.Equal((DataPeerPolicy.Any, PassiveAddressPolicy.Networks, 7, 8, 9),
            (inherited.Data.Peer, inherited.Data.PassiveAddress.Policy, Seconds(inherited.Data.ConnectTimeout), Seconds(inherited.Data.StallTimeout), inherited.Data.MaxPortsPerClient));
        Assert.Equal([IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("192.0.2.0/24")], inherited.Data.PassiveAddress.Networks.AsEnumerable());
        Assert.Equal(2, inherited.Data.AccessRules.Length);

        var own = Server(Stream, "proxy_timeout 11s; proxy_bind off; allow all; access_log off; ftp_transfer_log off; ftp_data_peer control; ftp_data_timeout 12s;");

        Assert.Equal((11, null, null, null), (Seconds(own.IdleTimeout), own.Bind, own.AccessLog, own.TransferLog));
        Assert.Equal(new AccessRuleConfig(true, null), Assert.Single(own.AccessRules));
        Assert.Equal((DataPeerPolicy.Control, 12), (own.Data.Peer, Seconds(own.Data.StallTimeout)));
        // The control server's rules do not speak of data connections.
        Assert.Equal(2, own.Data.AccessRules.Length);
    }

    [Fact]
    public void A_data_server_says_where_its_ports_are_and_overrides()
    {
        var server = Server("ftp_data_timeout 8s;", "ftp_data_connect_timeout 9s; ftp_client_ports 3;",
            "server { listen 192.0.2.9:10000-10020; listen [2001:db8::1]:9000-10010; ftp_data zone=z; proxy_timeout 90s; ftp_client_ports 5; allow 192.0.2.0/24; ftp_data_peer any; ftp_pasv_address trust; }");

        Assert.Equal([IPAddress.Parse("192.0.2.9"), IPAddress.Parse("2001:db8::1")], server.Data.Addresses.AsEnumerable());
        Assert.Equal((90, 9, 5), (Seconds(server.Data.StallTimeout), Seconds(server.Data.ConnectTimeout), server.Data.MaxPortsPerClient));
        Assert.Equal((DataPeerPolicy.Any, PassiveAddressPolicy.Trust), (server.Data.Peer, server.Data.PassiveAddress.Policy));
        Assert.Equal(600, Seconds(server.IdleTimeout));
        Assert.Single(server.Data.AccessRules);
        Assert.Empty(server.AccessRules);
    }

    [Fact]
    public void A_data_server_without_listen_is_where_the_control_server_is() =>
        Assert.Empty(Server("", "", "server { ftp_data zone=z; ftp_data_timeout 8s; }").Data.Addresses);

    [Fact]
    public void Listen_takes_addresses_ranges_and_both_families()
    {
        var config = Read($$"""
            stream { server { listen 21 backlog=9; listen *:2121; listen 192.0.2.9:30-32; listen [2001:db8::1]:21; {{Control}} proxy_pass 192.0.2.1; }
                     server { listen [::]:2222 ipv6only=off; ftp_ctrl zone=y:64k proxy_ip=192.0.2.9 min_port=11000 max_port=11010; proxy_pass 192.0.2.1; } }
            """);

        Assert.Equal(["0.0.0.0:21/9", "0.0.0.0:2121/511", "192.0.2.9:30/511", "192.0.2.9:31/511", "192.0.2.9:32/511", "[2001:db8::1]:21/511"],
            config.Servers[0].Listens.Select(l => $"{l.EndPoint}/{l.Backlog}"));
        Assert.Equal(["[::]:2222", "0.0.0.0:2222"], config.Servers[1].Listens.Select(l => l.EndPoint.ToString()));
    }

    [Fact]
    public void Upstream_servers_keep_their_parameters_and_their_text()
    {
        var config = Read($$"""
            stream { upstream u { server ftp.example.com weight=3 max_conns=4 max_fails=0 fail_timeout=1m; server [2001:db8::1]:2121 backup; server 192.0.2.1:2100 down; }
                     server { listen 21; {{Control}} proxy_pass u; }
                     server { listen 22; ftp_ctrl zone=y:64k proxy_ip=192.0.2.9 min_port=11000 max_port=11010; proxy_pass ftp.example.com:2121; } }
            """);
        var servers = config.Servers[0].Upstream.Servers;

        Assert.Equal(new UpstreamServerConfig("ftp.example.com", 21) { Text = "ftp.example.com", Weight = 3, MaxConnections = 4, MaxFails = 0, FailTimeout = TimeSpan.FromMinutes(1), Position = servers[0].Position, SourceLine = servers[0].SourceLine }, servers[0]);
        Assert.Equal(new UpstreamServerConfig("2001:db8::1", 2121) { Text = "[2001:db8::1]:2121", Backup = true, Position = servers[1].Position, SourceLine = servers[1].SourceLine }, servers[1]);
        Assert.Equal(new UpstreamServerConfig("192.0.2.1", 2100) { Text = "192.0.2.1:2100", Down = true, Position = servers[2].Position, SourceLine = servers[2].SourceLine }, servers[2]);
        var plain = config.Servers[1].Upstream;
        Assert.Equal(("ftp.example.com:2121", "ftp.example.com", 2121), (plain.Name, plain.Servers[0].Host, plain.Servers[0].Port));
    }

    [Theory]
    [InlineData("debug", LogLevel.Debug)]
    [InlineData("debug_core", LogLevel.Debug)]
    [InlineData("info", LogLevel.Information)]
    [InlineData("notice", LogLevel.Warning)]
    [InlineData("warn", LogLevel.Warning)]
    [InlineData("", LogLevel.Error)]
    [InlineData("crit", LogLevel.Critical)]
    [InlineData("emerg", LogLevel.Critical)]
    public void Levels_of_nginx_have_their_counterparts(string word, LogLevel level) =>
        Assert.Equal(level, Read($"error_log stderr {word}; stream {{ server {{ listen 21; {Control} proxy_pass 192.0.2.1; }} }}").ErrorLogs[0].Level);

    [Fact]
    public void Logs_of_all_blocks_are_those_of_the_process()
    {
        var config = Read($"error_log a info; stream {{ error_log b; error_log a info; server {{ error_log c warn; listen 21; {Control} proxy_pass 192.0.2.1; }} }}");

        Assert.Equal(["/srv/a", "/srv/b", "/srv/c"], config.ErrorLogs.Select(l => l.Path));
    }

    [Fact]
    public void A_format_is_joined_from_its_pieces_and_may_follow_its_use()
    {
        var server = Server("access_log a.log main; log_format main escape=json '$remote_addr ' \"${status}x\";", "");

        Assert.Equal("$remote_addr ${status}x", server.AccessLog!.Format!.Text);
        Assert.Equal("1.2.3.4 226x", server.AccessLog.Format.Expand(name => name == "status" ? "226" : "1.2.3.4"));
    }

    private static int Seconds(TimeSpan time) => (int)time.TotalSeconds;
}
