using System.Linq;
using System.Net;
using Ferry.Config;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Transport.Tls;

public sealed class TlsCheckTests : IDisposable
{
    private readonly TlsContexts _made = new();

    public void Dispose() => _made.Dispose();

    [Fact]
    public void A_good_configuration_has_no_findings()
    {
        Assert.Empty(TlsCheck.Run(Config(_made.ServerConfig(), new UpstreamTlsConfig { Mode = UpstreamTls.Implicit })));
    }

    [Fact]
    public void Both_sides_are_tried_and_what_servers_share_is_told_once()
    {
        var towardsClients = _made.ServerConfig() with { Curves = new PlacedText("ellipse", TlsContexts.At(5)) };
        var towardsServers = new UpstreamTlsConfig { Mode = UpstreamTls.Match, Ciphers = new PlacedText("RC4-SHA", TlsContexts.At(6)) };
        var config = Config(towardsClients, towardsServers);

        var found = TlsCheck.Run(config with { Servers = [.. config.Servers, .. Config(towardsClients with { StartTls = StartTls.On }, towardsServers).Servers] });

        Assert.Equal([(ConfigSeverity.Error, TlsContexts.At(5)), (ConfigSeverity.Warning, TlsContexts.At(6)), (ConfigSeverity.Error, TlsContexts.At(6))], found.Select(static f => (f.Severity, f.Position)));
    }

    [Fact]
    public void What_has_no_place_of_its_own_is_told_at_its_server()
    {
        var config = Config(null, new UpstreamTlsConfig { Mode = UpstreamTls.Explicit, Protocols = TlsProtocols.Tls10 });

        Assert.Equal(TlsContexts.At(1), Assert.Single(TlsCheck.Run(config)).Position);
    }

    [Fact]
    public void What_is_not_used_is_not_tried()
    {
        Assert.Empty(TlsCheck.Run(Config(null, new UpstreamTlsConfig { Mode = UpstreamTls.Off, Ciphers = new PlacedText("RC4-SHA") })));
    }

    [Theory]
    [InlineData("ssl_ciphers AES128-SHA:RC4-SHA;", 17)]
    [InlineData("ssl_ciphers \"AES128-SHA: RC4-SHA\";", 20)]
    public void A_finding_shows_its_line_and_marks_the_word(string line, int length)
    {
        var file = _made.Folder.NewFile("ferry.conf", $"stream {{\n  {line}\n}}\n");
        var config = Config(_made.ServerConfig() with { Ciphers = new PlacedText("AES128-SHA:RC4-SHA", new ConfigPosition(file, 2, 15)) }, new UpstreamTlsConfig());

        var finding = Assert.Single(TlsCheck.Run(config));

        Assert.Equal("  " + line, finding.SourceLine);
        Assert.EndsWith("^" + new string('~', length), finding.Format(), StringComparison.Ordinal);
    }

    private static FerryConfig Config(ClientTlsConfig? towardsClients, UpstreamTlsConfig towardsServers) => new()
    {
        Servers =
        [
            new ServerConfig
            {
                Listens = [new ListenConfig(new IPEndPoint(IPAddress.Loopback, 21))],
                Zone = new ZoneConfig("z", 1 << 20, IPAddress.Loopback, 10000, 10010),
                ClientTls = towardsClients,
                UpstreamTls = towardsServers,
                Position = TlsContexts.At(1),
                Upstream = new UpstreamConfig { Name = "u", Servers = [new UpstreamServerConfig("127.0.0.1", 21)] },
            },
        ],
    };
}
