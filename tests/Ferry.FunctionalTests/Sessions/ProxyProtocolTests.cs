using System.Globalization;
using System.Linq;
using System.Net;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;
using Ferry.FunctionalTests.Upstreams;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>Servers learn whose connection they get (<c>proxy_protocol</c>), before anything else.</summary>
public sealed class ProxyProtocolTests : IDisposable
{
    private static readonly byte[] Sent = SmallServer.Payload(100_000);

    private readonly TlsContexts _made = new();

    public void Dispose() => _made.Dispose();

    [Theory]
    [InlineData("on", "")]
    [InlineData("v2", "")]
    [InlineData("on", "proxy_starttls on;")]
    [InlineData("v2", "proxy_starttls on;")]
    [InlineData("on", "proxy_ssl on;")]
    [InlineData("v2", "proxy_ssl on;")]
    public async Task The_header_comes_before_the_conversation_and_before_TLS_on_control_and_data(string version, string tls)
    {
        await using var server = new HeaderServer(isImplicit: tls.StartsWith("proxy_ssl", StringComparison.Ordinal), expectsForData: true);
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: $"proxy_protocol {version}; proxy_protocol_data {version}; {tls}");
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint, IPAddress.Parse("127.0.0.2"));
        await client.UploadAsync("a", Sent);
        await client.UploadAsync("b", Sent);
        await client.QuitAsync();
        await server.DoneAsync();

        var headers = server.Headers.Concat(server.DataHeaders).ToList();
        Assert.Equal(3, headers.Count);
        Assert.All(headers, h => Assert.Equal(headers[0].Text, h.Text));
        Assert.All(server.Stored, s => Assert.Equal(Sent, s));
        var from = new IPEndPoint(IPAddress.Parse("127.0.0.2"), client.Wire.LocalEndPoint.Port);
        if (version == "on")
        {
            Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"PROXY TCP4 127.0.0.2 127.0.0.1 {from.Port} {proxy.EndPoint.Port}\r\n"), headers[0].Text);
        }
        else
        {
            Assert.Equal((from, proxy.EndPoint), headers[0].Addresses);
            // The client has no TLS, whatever the server has.
            Assert.Equal([5], headers[0].Fields.Keys);
            Assert.Equal((await proxy.Logs.EventAsync(400)).Values["Session"], headers[0].Fields[5]);
        }
    }

    [Theory]
    [InlineData("passive")]
    [InlineData("port")]
    public async Task Data_connections_have_no_header_unless_Ferry_opens_them_and_is_told_so(string mode)
    {
        await using var server = new HeaderServer();
        var isActive = mode == "port";
        await using var proxy = await TestProxy.BeforeAsync(
            server.EndPoint, directives: $"proxy_protocol on; proxy_protocol_data {(isActive ? "on" : "off")}; proxy_ftp_data {mode};");
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        await client.UploadAsync("a", Sent);
        await client.QuitAsync();
        await server.DoneAsync();

        Assert.Equal(isActive, server.Lines.Any(l => l.StartsWith("PORT", StringComparison.Ordinal)));
        Assert.Equal(Sent, Assert.Single(server.Stored));
    }

    [Fact]
    public async Task Version_2_tells_of_the_TLS_that_the_client_speaks_already()
    {
        using var authority = new TestAuthority("Root");
        using var own = authority.IssueClient("anna");
        await using var server = new HeaderServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint,
            $"proxy_protocol v2; starttls on; ssl_verify_client optional; ssl_client_certificate {authority.WriteTo(_made.Folder.Path)};");
        foreach (var certificate in (TestCertificate?[])[own, null])
        {
            using var client = await ScriptedClient.ConnectAsync(proxy.Implicit);
            await client.StartTlsAsync(TlsEnd.Client with { Certificate = certificate, Version = TlsVersion.Tls13 });
            await client.ExpectAsync(220);
            await client.QuitAsync();
        }
        using (var later = await ScriptedClient.ConnectAsync(proxy.Plain))
        {
            await later.ExpectAsync(220);
            await later.AuthAsync();
            await later.QuitAsync();
        }
        await server.DoneAsync();

        var fields = server.Headers.Select(h => h.Fields).ToList();
        Assert.Equal(["localhost", "localhost"], fields.Take(2).Select(f => f[2]));
        Assert.Equal(["TLSv1.3", "TLSv1.3"], fields.Take(2).Select(f => f[0x21]));
        Assert.Equal("\x07\0\0\0\0", fields[0][0x20][..5]);
        Assert.Equal("anna", fields[0][0x22]);
        Assert.Equal("\x01\0\0\0\x01", fields[1][0x20][..5]);
        Assert.DoesNotContain(0x22, fields[1].Keys);
        Assert.Equal([5], fields[2].Keys); // its AUTH came after the server's connection
    }

    [Fact]
    public async Task A_server_that_is_chosen_at_USER_is_told_the_same()
    {
        await using var server = new HeaderServer();
        await using var other = new SmallServer();
        await using var proxy = await RoutingProxy.StartAsync(
            server.EndPoint, other.EndPoint, "proxy_protocol on;", "map $ftp_user $pool { anna one; }");
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint, IPAddress.Parse("127.0.0.3"), user: "anna");
        await client.QuitAsync();
        await server.DoneAsync();

        Assert.Equal(
            string.Create(CultureInfo.InvariantCulture, $"PROXY TCP4 127.0.0.3 127.0.0.1 {client.Wire.LocalEndPoint.Port} {proxy.EndPoint.Port}\r\n"),
            Assert.Single(server.Headers).Text);
    }

    [NginxFact]
    public async Task Nginx_reads_the_headers()
    {
        var port = FreePorts.One();
        await using var nginx = await NginxProcess.StartAsync(string.Create(CultureInfo.InvariantCulture, $$"""
            server {
                listen 127.0.0.1:{{port}} proxy_protocol;
                return "220 $proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $proxy_protocol_server_port\r\n";
            }
            """));
        foreach (var version in (string[])["on", "v2"])
        {
            await using var proxy = await TestProxy.BeforeAsync(new IPEndPoint(IPAddress.Loopback, port), directives: $"proxy_protocol {version};");
            using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint, IPAddress.Parse("127.0.0.2"));
            Assert.Equal(
                string.Create(CultureInfo.InvariantCulture, $"220 127.0.0.2 {client.Wire.LocalEndPoint.Port} 127.0.0.1 {proxy.EndPoint.Port}"),
                (await client.ExpectAsync(220)).Text);
        }
    }
}
