using System.IO;
using System.Linq;
using System.Net;
using Ferry.Config;
using Microsoft.Extensions.Logging;

namespace Ferry.Tests.Config;

/// <summary>The four configurations of OpenNJet's documentation, byte for byte.</summary>
public sealed class OpenNJetFilesTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Config", "Cases", "opennjet");

    private static ConfigFile Load(string name) => ConfigFile.Load(Path.Combine(Folder, name), "/srv/njet");

    [Fact]
    public void The_plain_port_range_loads_with_notes_only()
    {
        var file = Load("plain-port-range.conf");

        Assert.All(file.Diagnostics, d => Assert.Equal(ConfigSeverity.Note, d.Severity));
        Assert.Equal(
            ["helper", "load_module", "user", "worker_processes", "cluster_name", "node_name", "njtmesh_dest"],
            file.Diagnostics.Select(d => d.Message.Split('"')[1]));
        var config = Assert.IsType<FerryConfig>(file.Config);
        Assert.Equal("/srv/njet/logs/njet.pid", config.PidFile);
        Assert.Equal(new ErrorLogConfig("/srv/njet/logs/error.log", LogLevel.Information), Assert.Single(config.ErrorLogs));
        Assert.Equal(1024, config.MaxSessions);
        var server = Assert.Single(config.Servers);
        Assert.Equal(new IPEndPoint(IPAddress.Any, 21), Assert.Single(server.Listens).EndPoint);
        Assert.Equal(new ZoneConfig("ftp_zone", 10 << 20, IPAddress.Parse("192.168.40.136"), 10000, 10010), server.Zone);
        Assert.Equal(TimeSpan.FromSeconds(2000), server.IdleTimeout);
        Assert.Equal(IPAddress.Any, Assert.Single(server.Data.Addresses));
        Assert.Equal(TimeSpan.FromMinutes(5), server.Data.StallTimeout);
        Assert.Equal("ctl_upstream", server.Upstream.Name);
        Assert.Equal(BalanceMethod.ConsistentHash, server.Upstream.Balance);
        Assert.Equal(new TextPart("remote_addr", IsVariable: true), Assert.Single(server.Upstream.HashKey!.Parts));
        var upstream = Assert.Single(server.Upstream.Servers);
        Assert.Equal(("192.168.40.91", 21, "192.168.40.91:21"), (upstream.Host, upstream.Port, upstream.Text));
    }

    [Fact]
    public void The_implicit_port_range_loads_with_notes_only()
    {
        var file = Load("implicit-tls-port-range.conf");

        Assert.All(file.Diagnostics, d => Assert.Equal(ConfigSeverity.Note, d.Severity));
        Assert.Equal(
            ["helper", "load_module", "user", "worker_processes", "cluster_name", "node_name", "TLSv1", "njtmesh_dest"],
            file.Diagnostics.Select(d => d.Message.Split('"')[1]));
        var server = Assert.Single(Assert.IsType<FerryConfig>(file.Config).Servers);
        Assert.True(Assert.Single(server.Listens).IsTls);
        Assert.True(server.Data.TlsRequired);
        var tls = Assert.IsType<ClientTlsConfig>(server.ClientTls);
        var pair = Assert.Single(tls.Certificates);
        Assert.Equal(("/etc/vsftpd/.sslkey/vsftpd.pem", "/etc/vsftpd/.sslkey/vsftpd.pem"), (pair.CertificateFile.Value, pair.KeyFile.Value));
        Assert.Equal((24, 25), (pair.CertificateFile.Position.Line, pair.KeyFile.Position.Line));
        Assert.Equal(TlsProtocols.Tls10 | TlsProtocols.Tls11 | TlsProtocols.Tls12 | TlsProtocols.Tls13, tls.Protocols);
        Assert.Equal("AES128-SHA:AES256-SHA:RC4-SHA:DES-CBC3-SHA:RC4-MD5", tls.Ciphers!.Value);
        Assert.Equal(23, tls.Ciphers.Position.Line);
        Assert.Equal(StartTls.Off, tls.StartTls);
        Assert.Equal(UpstreamTls.Implicit, server.UpstreamTls.Mode);
        Assert.Equal(("192.168.40.91", 990), (server.Upstream.Servers[0].Host, server.Upstream.Servers[0].Port));
    }

    [Fact]
    public void The_implicit_single_port_loads_with_notes_only()
    {
        var file = Load("implicit-tls-single-port.conf");

        Assert.All(file.Diagnostics, d => Assert.Equal(ConfigSeverity.Note, d.Severity));
        Assert.Equal(
            ["helper", "load_module", "user", "worker_processes", "cluster_name", "node_name", "TLSv1"],
            file.Diagnostics.Select(d => d.Message.Split('"')[1]));
        var config = Assert.IsType<FerryConfig>(file.Config);
        Assert.Equal((RangeMethod.Iptables, "/usr/sbin/iptables"), (config.RangeMethod, config.IptablesPath));
        var range = Assert.Single(config.Ranges);
        Assert.Equal((11000, 12000, 10001, null, 20), (range.First, range.Last, range.DestinationPort, range.Family, range.Position.Line));
        var server = Assert.Single(config.Servers);
        Assert.Equal((11000, 12000, 10001), (server.Zone.MinPort, server.Zone.MaxPort, server.Data.RedirectPort));
        Assert.Equal(IPAddress.Any, Assert.Single(server.Data.Addresses));
        Assert.True(server.Data.TlsRequired);
        Assert.Equal(UpstreamTls.Implicit, server.UpstreamTls.Mode);
    }

    [Fact]
    public void The_plain_single_port_has_a_listener_without_certificate_and_a_server_that_speaks_TLS()
    {
        var path = Path.Combine(Folder, "plain-single-port.conf");

        Assert.Equal(
        [
            "29: Warning: server \"192.168.40.91:990\" is on port 990, where servers speak TLS from the first byte, and is spoken to in plain: add proxy_ssl on; or write the port of plain FTP, 21",
            $"33: Error: \"listen 10001 ssl\" has no certificate: the \"ftp_ctrl\" server at {path}:28:9 offers no TLS; remove \"ssl\" here, or add ssl_certificate, ssl_certificate_key and starttls on there",
        ], Load("plain-single-port.conf").Diagnostics.Where(d => d.Severity != ConfigSeverity.Note).Select(d => $"{d.Position.Line}: {d.Severity}: {d.Message}"));
    }

    [Theory]
    [InlineData("192.168.40.91:990", "192.168.40.91:21", UpstreamTls.Off)]
    [InlineData("proxy_pass ctl_upstream;", "proxy_pass ctl_upstream; proxy_ssl on;", UpstreamTls.Implicit)]
    public void The_plain_single_port_loads_once_both_are_corrected(string wrong, string right, UpstreamTls mode)
    {
        var text = File.ReadAllText(Path.Combine(Folder, "plain-single-port.conf"))
            .Replace("listen 10001 ssl;", "listen 10001;", StringComparison.Ordinal).Replace(wrong, right, StringComparison.Ordinal);

        var file = ConfigFile.Parse(text);

        Assert.All(file.Diagnostics, d => Assert.Equal(ConfigSeverity.Note, d.Severity));
        var server = Assert.Single(file.Config!.Servers);
        Assert.Equal((10001, false, mode), (server.Data.RedirectPort, server.Data.TlsRequired, server.UpstreamTls.Mode));
    }
}
