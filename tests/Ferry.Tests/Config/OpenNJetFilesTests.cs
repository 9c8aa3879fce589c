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
    public void The_implicit_port_range_says_which_lines_of_TLS_are_not_supported_yet()
    {
        var errors = Errors(Load("implicit-tls-port-range.conf"));

        Assert.All(errors, e => Assert.Contains("is not supported yet", e, StringComparison.Ordinal));
        Assert.Equal([20, 22, 23, 24, 25, 26, 31, 34, 35, 36, 37, 38], errors.Select(e => int.Parse(e.Split(':')[0])));
    }

    [Fact]
    public void The_implicit_single_port_adds_range_and_nothing_about_ports_that_it_covers()
    {
        var errors = Errors(Load("implicit-tls-single-port.conf"));

        Assert.All(errors, e => Assert.Contains("is not supported yet", e, StringComparison.Ordinal));
        Assert.Equal(2, errors.Count(e => e.Contains("\"range\"", StringComparison.Ordinal)));
        Assert.Equal(14, errors.Count);
    }

    [Fact]
    public void The_plain_single_port_also_names_the_listener_that_has_no_certificate()
    {
        Assert.Equal(
        [
            "17: \"range\" is not supported yet: let the data server listen on all ports of its zone, as in: listen 10000-10010;",
            "20: \"range\" is not supported yet: let the data server listen on all ports of its zone, as in: listen 10000-10010;",
            "33: \"listen 10001 ssl\" has no certificate: add ssl_certificate and ssl_certificate_key, or remove \"ssl\"",
            "33: \"ssl\" of \"listen\" is not supported yet: this version serves plain FTP only",
        ], Errors(Load("plain-single-port.conf")));
    }
}
