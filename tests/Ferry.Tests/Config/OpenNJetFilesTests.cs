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

    private static List<string> Errors(ConfigFile file) =>
        [.. file.Diagnostics.Where(d => d.Severity == ConfigSeverity.Error).Select(d => $"{d.Position.Line}: {d.Message}")];

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
    public void The_implicit_single_port_lacks_range_and_nothing_else()
    {
        var errors = Errors(Load("implicit-tls-single-port.conf"));

        Assert.All(errors, e => Assert.Contains("\"range\" is not supported yet", e, StringComparison.Ordinal));
        Assert.Equal(2, errors.Count);
    }

    [Fact]
    public void The_plain_single_port_also_names_the_listener_that_has_no_certificate()
    {
        Assert.Equal(
        [
            "17: \"range\" is not supported yet: let the data server listen on all ports of its zone, as in: listen 10000-10010;",
            "20: \"range\" is not supported yet: let the data server listen on all ports of its zone, as in: listen 10000-10010;",
            $"33: \"listen 10001 ssl\" has no certificate: the \"ftp_ctrl\" server at {Path.Combine(Folder, "plain-single-port.conf")}:28:9 offers no TLS; remove \"ssl\" here, or add ssl_certificate, ssl_certificate_key and starttls on there",
        ], Errors(Load("plain-single-port.conf")));
    }
}
