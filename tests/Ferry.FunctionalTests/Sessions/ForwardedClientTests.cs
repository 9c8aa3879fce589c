using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>Who a client is, by the PROXY header that its connection begins with (<c>listen … proxy_protocol</c>, <c>set_real_ip_from</c>).</summary>
public sealed class ForwardedClientTests : IDisposable
{
    private static readonly IPAddress Stranger = IPAddress.Parse("127.0.0.3");

    private readonly TlsContexts _made = new();

    public void Dispose() => _made.Dispose();

    [Theory]
    [InlineData("on", "whole")]
    [InlineData("on", "halves")]
    [InlineData("on", "glued")]
    [InlineData("v2", "whole")]
    [InlineData("v2", "halves")]
    [InlineData("v2", "glued")]
    public async Task The_client_is_who_a_trusted_header_names_however_it_comes(string version, string pieces)
    {
        await using var server = new SmallServer();
        await using var proxy = await ForwardingProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint, ForwardingProxy.Balancer);
        var header = ForwardingProxy.Header(version, ForwardingProxy.Client);
        switch (pieces)
        {
            case "whole":
                await client.Wire.SendRawAsync(header);
                await ForwardingProxy.LogInAsync(client);
                break;
            case "halves":
                await client.Wire.SendSplitAsync(header, 17);
                await ForwardingProxy.LogInAsync(client);
                break;
            default:
                await client.Wire.SendRawAsync(header + "USER anna\r\nPASS secret\r\n");
                await client.ExpectAsync(220);
                await client.ExpectAsync(331);
                await client.ExpectAsync(230);
                break;
        }
        Assert.Equal(SmallServer.Payload(5000), await client.DownloadAsync("5000"));
        await client.QuitAsync();

        Assert.Equal(
            string.Create(CultureInfo.InvariantCulture, $"127.0.0.9:40000 by 127.0.0.2:{client.Wire.LocalEndPoint.Port} to 127.0.0.1 said 127.0.0.9:40000 127.0.0.5:2121"),
            await ForwardingProxy.StopAndReadAsync(proxy));
    }

    [Theory]
    [InlineData("on", true)]
    [InlineData("v2", true)]
    [InlineData("on", false)]
    public async Task TLS_begins_behind_the_last_byte_of_the_header(string version, bool isGlued)
    {
        const int IPPROTO_TCP = 6, TCP_CORK = 3;
        var files = TestCertificate.Shared.WriteTo(_made.Folder.Path, "ferry");
        await using var server = new SmallServer();
        await using var proxy = await ForwardingProxy.BeforeAsync(server.EndPoint, $"ssl_certificate {files.Chain}; ssl_certificate_key {files.Key};", listen: "ssl");
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint, ForwardingProxy.Balancer);
        // Corked, it waits for the ClientHello, and goes out with it.
        client.Wire.Socket.SetRawSocketOption(IPPROTO_TCP, TCP_CORK, BitConverter.GetBytes(isGlued ? 1 : 0));
        await client.Wire.SendRawAsync(ForwardingProxy.Header(version, ForwardingProxy.Client));
        await client.StartTlsAsync();
        client.Wire.Socket.SetRawSocketOption(IPPROTO_TCP, TCP_CORK, BitConverter.GetBytes(0));
        await ForwardingProxy.LogInAsync(client);
        await client.CommandAsync("PBSZ 0", 200);
        await client.CommandAsync("PROT P", 200);
        client.DataTls = TlsEnd.Client;
        Assert.Equal(SmallServer.Payload(5000), await client.DownloadAsync("5000"));
        await client.QuitAsync();

        Assert.StartsWith("127.0.0.9:40000 by 127.0.0.2:", await ForwardingProxy.StopAndReadAsync(proxy), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_is_not_trusted_stays_who_it_is_and_what_it_says_is_kept()
    {
        await using var server = new SmallServer();
        await using var proxy = await ForwardingProxy.BeforeAsync(server.EndPoint, "deny 127.0.0.9;");
        using var client = await ForwardingProxy.ConnectAsync(proxy, ForwardingProxy.Header("on", ForwardingProxy.Client), Stranger);
        await ForwardingProxy.LogInAsync(client);
        var port = await client.PasvAsync();
        await DataEnd.AssertResetAsync(port, ForwardingProxy.Client.Address);
        Assert.Equal(SmallServer.Payload(10), await client.DownloadAsync("10"));
        await client.QuitAsync();

        var own = client.Wire.LocalEndPoint.Port;
        Assert.Equal(
            string.Create(CultureInfo.InvariantCulture, $"127.0.0.3:{own} by 127.0.0.3:{own} to 127.0.0.1 said 127.0.0.9:40000 127.0.0.5:2121"),
            await ForwardingProxy.StopAndReadAsync(proxy));
        Assert.Contains(proxy.Logs.Records, r => r.Event.Id == 481);
    }

    [Theory]
    [InlineData("on")]
    [InlineData("v2")]
    public async Task A_header_that_names_nobody_leaves_the_connection_s_own_address(string version)
    {
        await using var server = new SmallServer();
        await using var proxy = await ForwardingProxy.BeforeAsync(server.EndPoint);
        using var client = await ForwardingProxy.ConnectAsync(proxy, ForwardingProxy.Header(version, client: null));
        await ForwardingProxy.LogInAsync(client);
        await client.QuitAsync();

        var own = client.Wire.LocalEndPoint.Port;
        Assert.Equal(
            string.Create(CultureInfo.InvariantCulture, $"127.0.0.2:{own} by 127.0.0.2:{own} to 127.0.0.1 said -:- -:-"),
            await ForwardingProxy.StopAndReadAsync(proxy));
    }

    [Fact]
    public async Task The_rules_of_access_are_asked_about_the_client_and_not_about_the_balancer()
    {
        await using var server = new SmallServer();
        await using var proxy = await ForwardingProxy.BeforeAsync(server.EndPoint, "deny 127.0.0.2; deny 127.0.0.9;");
        using (var denied = await ForwardingProxy.ConnectAsync(proxy, ForwardingProxy.Header("v2", ForwardingProxy.Client)))
            await denied.ExpectEndAsync();
        using var other = await ForwardingProxy.ConnectAsync(proxy, ForwardingProxy.Header("v2", new IPEndPoint(IPAddress.Parse("127.0.0.8"), 1)));
        await other.ExpectAsync(220);

        Assert.Equal("127.0.0.9:40000", (await proxy.Logs.EventAsync(519)).Values["Client"]!.ToString());
        Assert.Single(server.Script.Connections);
    }

    [Fact]
    public async Task Servers_are_told_of_the_client_and_of_what_it_has_connected_to()
    {
        await using var server = new HeaderServer();
        await using var proxy = await ForwardingProxy.BeforeAsync(server.EndPoint, "proxy_protocol on;");
        using var client = await ForwardingProxy.ConnectAsync(proxy, ForwardingProxy.Header("v2", ForwardingProxy.Client));
        await ForwardingProxy.LogInAsync(client);
        await client.QuitAsync();
        await server.DoneAsync();

        Assert.Equal("PROXY TCP4 127.0.0.9 127.0.0.5 40000 2121\r\n", Assert.Single(server.Headers).Text);
    }

    [Fact]
    public async Task Servers_are_chosen_by_the_client_s_address()
    {
        await using var one = new SmallServer();
        await using var two = new SmallServer();
        await using var proxy = await ForwardingProxy.BeforeAsync(one.EndPoint, $"}} geo $remote_addr $place {{ default {one.EndPoint}; 127.0.0.9 {two.EndPoint};", place: "$place");
        using var client = await ForwardingProxy.ConnectAsync(proxy, ForwardingProxy.Header("on", ForwardingProxy.Client));
        await client.ExpectAsync(220);
        Assert.Empty(one.Script.Connections);
        Assert.Single(two.Script.Connections);
    }

    [Fact]
    public async Task An_IPv6_client_may_come_through_a_balancer_that_speaks_IPv4()
    {
        await using var server = new SmallServer();
        await using var proxy = await ForwardingProxy.BeforeAsync(server.EndPoint);
        using var client = await ForwardingProxy.ConnectAsync(proxy, ForwardingProxy.Header("v2", IPEndPoint.Parse("[2001:db8::1]:40000"), IPEndPoint.Parse("[2001:db8::2]:21")));
        await ForwardingProxy.LogInAsync(client);
        Assert.Equal(SmallServer.Payload(10), await client.DownloadAsync("10", extended: true));
        await client.QuitAsync();

        Assert.Contains(" said 2001:db8::1:40000 2001:db8::2:21", await ForwardingProxy.StopAndReadAsync(proxy), StringComparison.Ordinal);
        Assert.Equal(AddressFamily.InterNetwork, Assert.Single(server.Script.Connections).RemoteEndPoint.AddressFamily);
    }
}
