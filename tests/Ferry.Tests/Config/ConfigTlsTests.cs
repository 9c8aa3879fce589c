using System.IO;
using System.Linq;
using Ferry.Config;

namespace Ferry.Tests.Config;

/// <summary>What ends up in the records of TLS.</summary>
public sealed class ConfigTlsTests
{
    private const string Pair = "ssl_certificate a.pem; ssl_certificate_key a.key;";

    private static ServerConfig Server(string stream, string server, string data = "", string mode = "")
    {
        var read = ConfigFile.Parse(
            $"stream {{ {stream} server {{ ftp_ctrl zone=z:64k proxy_ip=192.0.2.9 min_port=10000 max_port=10010 {mode}; proxy_pass 192.0.2.1; {server} }} {data} }}", "f.conf", "/srv");
        Assert.DoesNotContain(read.Diagnostics, d => d.Severity == ConfigSeverity.Error);
        return Assert.Single(read.Config!.Servers);
    }

    [Fact]
    public void What_is_left_out_has_the_defaults_of_the_records()
    {
        var server = Server("", $"listen 21; starttls on; {Pair} proxy_starttls on;");
        var client = new ClientTlsConfig { Certificates = server.ClientTls!.Certificates, StartTls = StartTls.On };

        Assert.Equal(client with { Commands = server.ClientTls.Commands, TicketKeyFiles = server.ClientTls.TicketKeyFiles }, server.ClientTls);
        Assert.Equal(new UpstreamTlsConfig { Mode = UpstreamTls.Explicit, Commands = server.UpstreamTls.Commands }, server.UpstreamTls);
        Assert.Empty(server.ClientTls.Commands);
        Assert.Empty(server.ClientTls.TicketKeyFiles);
        Assert.Empty(server.UpstreamTls.Commands);
        Assert.Equal((false, TlsTruncation.Strict), (server.Data.TlsRequired, server.Data.Truncation));
    }

    [Fact]
    public void Without_TLS_on_a_side_nothing_of_it_is_left()
    {
        var server = Server("ssl_protocols TLSv1.3; proxy_ssl_verify_depth 5; proxy_ssl_certificate a.pem;", $"listen 21; {Pair}");

        Assert.Null(server.ClientTls);
        Assert.Equal(new UpstreamTlsConfig(), server.UpstreamTls);
    }

    [Fact]
    public void Ssl_is_a_matter_of_each_listener()
    {
        var server = Server("", $"listen 990 ssl; listen 21; listen [::]:991 ssl ipv6only=off; {Pair} starttls only;");

        Assert.Equal(["0.0.0.0:990 True", "0.0.0.0:21 False", "[::]:991 True", "0.0.0.0:991 True"], server.Listens.Select(l => $"{l.EndPoint} {l.IsTls}"));
        Assert.Equal(StartTls.Only, server.ClientTls!.StartTls);
    }

    [Fact]
    public void A_server_takes_over_what_stream_says_and_may_say_otherwise()
    {
        const string Stream = """
            ssl_certificate a.pem; ssl_certificate_key a.key; ssl_certificate b.pem; ssl_certificate_key b.key; ssl_conf_command Options A; ssl_conf_command Options B; ssl_session_ticket_key one;
            ssl_session_ticket_key two; ssl_protocols TLSv1.2; ssl_ciphers HIGH; ssl_dhparam dh.pem; ssl_session_timeout 1h; ssl_verify_depth 4; ssl_password_file pass; starttls only;
            proxy_ssl_conf_command Options C; proxy_ssl_protocols TLSv1.3; proxy_starttls on; proxy_ssl_certificate c.pem; proxy_ssl_certificate_key c.key; proxy_ssl_name ftp.example.com; ftp_tls_truncation allow;
            """;
        var inherited = Server(Stream, "listen 21;");

        Assert.Equal(["/srv/a.pem /srv/a.key", "/srv/b.pem /srv/b.key"], inherited.ClientTls!.Certificates.Select(c => $"{c.CertificateFile.Value} {c.KeyFile.Value}"));
        Assert.Equal(["A", "B"], inherited.ClientTls.Commands.Select(c => c.Value));
        Assert.Equal(["/srv/one", "/srv/two"], inherited.ClientTls.TicketKeyFiles.Select(f => f.Value));
        Assert.Equal((TlsProtocols.Tls12, "HIGH", "/srv/dh.pem", 3600, 4, "/srv/pass", StartTls.Only),
            (inherited.ClientTls.Protocols, inherited.ClientTls.Ciphers?.Value, inherited.ClientTls.DhParamFile?.Value, (int)inherited.ClientTls.SessionTimeout.TotalSeconds,
                inherited.ClientTls.VerifyDepth, inherited.ClientTls.PasswordFile?.Value, inherited.ClientTls.StartTls));
        Assert.Equal((UpstreamTls.Explicit, TlsProtocols.Tls13, "/srv/c.pem", "ftp.example.com"),
            (inherited.UpstreamTls.Mode, inherited.UpstreamTls.Protocols, inherited.UpstreamTls.Certificate?.CertificateFile.Value, inherited.UpstreamTls.Name));
        Assert.Equal(TlsTruncation.Allow, inherited.Data.Truncation);

        var own = Server(Stream,
            """
            listen 21; ssl_certificate /etc/o.pem; ssl_certificate_key ../o.key; ssl_conf_command Options D; ssl_session_ticket_key three; ssl_ciphers HIGH:!aNULL:!MD5; ssl_dhparam "";
            starttls on; proxy_ssl_conf_command Options E; proxy_ssl_certificate ""; proxy_ssl_certificate_key ""; ftp_tls_truncation strict;
            """);

        Assert.Equal(["/etc/o.pem /o.key"], own.ClientTls!.Certificates.Select(c => $"{c.CertificateFile.Value} {c.KeyFile.Value}"));
        Assert.Equal(["D"], own.ClientTls.Commands.Select(c => c.Value));
        Assert.Equal(["/srv/three"], own.ClientTls.TicketKeyFiles.Select(f => f.Value));
        Assert.Equal((null, null, StartTls.On), (own.ClientTls.Ciphers, own.ClientTls.DhParamFile, own.ClientTls.StartTls));
        Assert.Equal(["E"], own.UpstreamTls.Commands.Select(c => c.Value));
        Assert.Null(own.UpstreamTls.Certificate);
        Assert.Equal(TlsTruncation.Strict, own.Data.Truncation);
    }

    [Theory]
    [InlineData("", "", UpstreamTls.Off)]
    [InlineData("", "proxy_ssl on;", UpstreamTls.Implicit)]
    [InlineData("", "proxy_starttls on;", UpstreamTls.Explicit)]
    [InlineData("", "proxy_starttls match;", UpstreamTls.Match)]
    [InlineData("proxy_ssl on;", "", UpstreamTls.Implicit)]
    [InlineData("proxy_ssl on;", "proxy_starttls match;", UpstreamTls.Match)]
    [InlineData("proxy_ssl on;", "proxy_starttls off;", UpstreamTls.Implicit)]
    [InlineData("proxy_ssl on;", "proxy_ssl off;", UpstreamTls.Off)]
    [InlineData("proxy_starttls on;", "proxy_ssl on;", UpstreamTls.Implicit)]
    [InlineData("proxy_starttls on;", "proxy_ssl off;", UpstreamTls.Explicit)]
    [InlineData("proxy_starttls on;", "proxy_starttls off;", UpstreamTls.Off)]
    [InlineData("", "proxy_ssl on; proxy_starttls off;", UpstreamTls.Implicit)]
    public void The_inner_block_says_which_kind_of_TLS_servers_get(string stream, string server, UpstreamTls mode) =>
        Assert.Equal(mode, Server(stream, "listen 21; " + server).UpstreamTls.Mode);

    [Theory]
    [InlineData("mode=auth", Pair, StartTls.On)]
    [InlineData("mode=auth", Pair + "starttls only;", StartTls.Only)]
    [InlineData("mode=auth", Pair + "starttls off;", null)]
    [InlineData("mode=auth", "", null)]
    [InlineData("mode=encry", Pair, null)]
    [InlineData("", Pair, null)]
    public void The_mode_auth_offers_AUTH_where_there_is_a_certificate_and_nothing_else_is_said(string mode, string server, StartTls? startTls) =>
        Assert.Equal(startTls, Server("", "listen 21; " + server, mode: mode).ClientTls?.StartTls);

    [Theory]
    [InlineData("", false)]
    [InlineData("server { listen 10000-10010; ftp_data zone=z; }", false)]
    [InlineData("server { listen 10000-10010 ssl; ftp_data zone=z; }", true)]
    [InlineData("server { listen 10000-10010; listen [::]:10000-10010 ssl; ftp_data zone=z; }", true)]
    public void Ssl_of_a_data_server_refuses_clear_data(string data, bool isRequired) =>
        Assert.Equal(isRequired, Server("", $"listen 21; starttls on; {Pair}", data).Data.TlsRequired);

    [Fact]
    public void A_data_server_says_for_itself_only_what_ends_a_stream()
    {
        var server = Server("", $"listen 21; starttls on; {Pair}", "server { ftp_data zone=z; ssl_protocols TLSv1.3; ftp_tls_session_reuse required; proxy_ssl on; ftp_tls_truncation allow; }");

        Assert.Equal((TlsProtocols.Tls12 | TlsProtocols.Tls13, TlsSessionReuse.Optional), (server.ClientTls!.Protocols, server.ClientTls.SessionReuse));
        Assert.Equal(UpstreamTls.Off, server.UpstreamTls.Mode);
        Assert.Equal(TlsTruncation.Allow, server.Data.Truncation);
    }

    [Theory]
    [InlineData("off")]
    [InlineData("none")]
    [InlineData("builtin")]
    [InlineData("builtin:1000")]
    [InlineData("shared:SSL:10m")]
    [InlineData("builtin:1000 shared:SSL:10m")]
    public void A_session_cache_of_nginx_is_accepted_with_a_note(string value)
    {
        var read = ConfigFile.Parse($"stream {{ ssl_session_cache {value}; server {{ listen 21; ftp_ctrl zone=z:64k proxy_ip=192.0.2.9 min_port=10000 max_port=10010; proxy_pass 192.0.2.1; }} }}");

        Assert.Equal(ConfigSeverity.Note, Assert.Single(read.Diagnostics).Severity);
    }

    [Fact]
    public void Files_that_are_read_are_looked_for_beside_the_main_file_whatever_the_prefix()
    {
        var folder = Directory.CreateTempSubdirectory("ferry-config-").FullName;
        try
        {
            var main = Path.Combine(folder, "ferry.conf");
            File.WriteAllText(main, $"pid ferry.pid; stream {{ server {{ listen 990 ssl; ftp_ctrl zone=z:64k proxy_ip=192.0.2.9 min_port=10000 max_port=10010; proxy_pass 192.0.2.1; {Pair} }} }}");
            var config = ConfigFile.Load(main, "/srv/ferry").Config!;

            Assert.Equal("/srv/ferry/ferry.pid", config.PidFile);
            Assert.Equal(Path.Combine(folder, "a.pem"), config.Servers[0].ClientTls!.Certificates[0].CertificateFile.Value);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
