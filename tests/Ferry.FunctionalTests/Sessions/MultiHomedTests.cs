using System.Globalization;
using System.Linq;
using System.Net;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>Machines with several addresses, and addresses that NAT has changed on the way: what clients are told, and where Ferry goes.</summary>
public sealed class MultiHomedTests
{
    [Theory]
    [InlineData("0,0,0,0")]
    [InlineData("10,20,30,40")]
    [InlineData("192,168,0,1")]
    [InlineData("172,16,5,4")]
    [InlineData("203,0,113,7")]
    [InlineData("127,0,0,1")]
    [InlineData("255,255,255,255")]
    public async Task Whatever_address_a_server_announces_Ferry_goes_to_the_one_that_it_speaks_to(string announced)
    {
        await using var server = ScriptedServer.Start(
            async c =>
            {
                await c.LogInAsync();
                for (var i = 0; i < 2; i++)
                {
                    await c.ExpectAsync("PASV");
                    var port = c.OpenDataPort();
                    await c.SendAsync(string.Create(CultureInfo.InvariantCulture, $"227 Entering Passive Mode ({announced},{port.EndPoint.Port >> 8},{port.EndPoint.Port & 255})."));
                    await c.ServeRetrAsync(port, "data"u8.ToArray());
                }
                await c.AnswerQuitAsync();
            },
            IPAddress.Parse("127.0.0.4"));
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: "proxy_ftp_data passive;");
        using var client = new ModeClient(await ScriptedClient.LogInAsync(proxy.EndPoint), DataVerb.Pasv);

        Assert.Equal("data"u8.ToArray(), await client.ReceiveAsync("RETR x"));
        client.Verb = DataVerb.Port;
        Assert.Equal("data"u8.ToArray(), await client.ReceiveAsync("RETR x"));
        await client.QuitAsync();
        Assert.DoesNotContain(client.Control.Wire.Lines, l => announced != "127,0,0,1" && l.Contains(announced, StringComparison.Ordinal));
        await server.DoneAsync();
        await proxy.UntilIdleAsync();
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.6")]
    public async Task With_auto_clients_are_told_the_address_that_they_have_connected_to(string address)
    {
        await using var server = new SmallServer();
        await using var proxy = await StartAsync(server, "auto", "");
        using var client = await LogInAsync(proxy, address);
        Assert.Equal(address, (await client.PasvAsync()).Address.ToString());
        Assert.Equal(SmallServer.Payload(1000), await client.DownloadAsync("1000"));
        await client.QuitAsync();
        await proxy.UntilIdleAsync();
    }

    [Theory]
    [InlineData("127.0.0.17", "10.9.8.7")]
    [InlineData("127.0.0.31", "10.9.8.7")]
    [InlineData("127.0.0.33", "127.0.0.6")]
    [InlineData("127.0.0.3", "192.0.2.1")]
    public async Task Clients_of_some_networks_are_told_an_address_of_their_own(string from, string told)
    {
        await using var server = new SmallServer();
        await using var proxy = await StartAsync(server, "192.0.2.1", "ftp_proxy_ip 127.0.0.16/28 10.9.8.7; ftp_proxy_ip 127.0.0.32/28 auto; ftp_proxy_ip 127.0.0.24/29 10.1.1.1;");
        using var client = await LogInAsync(proxy, "127.0.0.6", from);
        Assert.Equal(told, (await client.PasvAsync()).Address.ToString());
        // The address is for the client's way to Ferry, which NAT makes; the port is open where the client has connected to.
        var port = (await client.PasvAsync()).Port;
        using var data = await client.ConnectDataAsync(new IPEndPoint(IPAddress.Parse("127.0.0.6"), port));
        await client.SendAsync("RETR 1000");
        await client.ExpectAsync(150);
        Assert.Equal(SmallServer.Payload(1000), (await data.ReceiveToEndAsync()).Bytes);
        await client.ExpectAsync(226);
        await client.QuitAsync();
        await proxy.UntilIdleAsync();
    }

    [Fact]
    public async Task An_address_may_be_given_by_name()
    {
        await using var server = new SmallServer();
        // As the machine's own table of hosts says, and nobody else.
        await using var proxy = await StartAsync(server, "192.0.2.1", "ftp_proxy_ip 127.0.0.0/8 localhost;");
        using var client = await LogInAsync(proxy, "127.0.0.1");
        Assert.Equal("127.0.0.1", (await client.PasvAsync()).Address.ToString());
        Assert.Equal(SmallServer.Payload(1000), await client.DownloadAsync("1000"));
        await client.QuitAsync();
        await proxy.UntilIdleAsync();
    }

    [Theory]
    [InlineData(DataVerb.Epsv)]
    [InlineData(DataVerb.Port)]
    [InlineData(DataVerb.Eprt)]
    public async Task A_client_on_this_machine_is_served_though_proxy_ip_is_elsewhere(DataVerb verb)
    {
        await using var server = new SmallServer();
        await using var proxy = await StartAsync(server, "192.0.2.1", "proxy_ftp_data passive;");
        using var client = new ModeClient(await LogInAsync(proxy, "127.0.0.1"), verb);
        Assert.Equal(SmallServer.Payload(1000), await client.ReceiveAsync("RETR 1000"));
        await client.QuitAsync();
        await proxy.UntilIdleAsync();
    }

    [Theory]
    [InlineData("", "127,0,0,1")]
    [InlineData("proxy_bind 127.0.0.8;", "127,0,0,8")]
    public async Task A_server_in_active_mode_is_told_the_address_that_it_knows_Ferry_by(string directive, string told)
    {
        var first = FreePorts.Range(2);
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            var numbers = (await c.AnswerAsync("PORT", "200 PORT."))[5..];
            var named = numbers.Split(',').Select(n => int.Parse(n, CultureInfo.InvariantCulture)).ToArray();
            var (address, port) = (string.Join('.', named[..4]), named[4] * 256 + named[5]);
            if (!numbers.StartsWith(told + ",", StringComparison.Ordinal) || port < first || port > first + 1)
                throw new ScriptException($"told {numbers}");
            await c.AnswerAsync("RETR", "150 Here it comes.");
            using (var data = await DataEnd.ConnectAsync(new IPEndPoint(IPAddress.Parse(address), port)))
            {
                await data.SendAsync("data"u8.ToArray());
                await data.EndSendAsync();
            }
            await c.SendAsync("226 Sent.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: $"proxy_ftp_data active; proxy_ftp_ports {first}-{first + 1}; {directive}");
        using var client = new ModeClient(await ScriptedClient.LogInAsync(proxy.EndPoint), DataVerb.Pasv);
        Assert.Equal("data"u8.ToArray(), await client.ReceiveAsync("RETR x"));
        await client.QuitAsync();
        await server.DoneAsync();
        await proxy.UntilIdleAsync();
    }

    [Fact]
    public async Task A_client_behind_NAT_that_announces_its_inner_address_goes_on_in_passive_mode()
    {
        await using var server = new SmallServer();
        await using var proxy = await StartAsync(server, "auto", "proxy_ftp_data passive;");
        using var client = await LogInAsync(proxy, "127.0.0.1");
        await client.CommandAsync("PORT 192,168,178,20,200,10", 500);
        Assert.Equal(SmallServer.Payload(1000), await client.DownloadAsync("1000"));
        await client.CommandAsync("EPRT |1|192.168.178.20|51210|", 501);
        Assert.Equal(SmallServer.Payload(1000), await client.DownloadAsync("1000", extended: true));
        await client.QuitAsync();
        await proxy.UntilIdleAsync();
    }

    private static async Task<TestProxy> StartAsync(SmallServer server, string proxyIp, string directives)
    {
        var (port, first) = (FreePorts.One(), FreePorts.Range(8));
        return await TestProxy.StartAsync(string.Create(CultureInfo.InvariantCulture, $$"""
            stream {
                server {
                    listen {{port}};
                    ftp_ctrl zone=ports:1M proxy_ip={{proxyIp}} min_port={{first}} max_port={{first + 7}};
                    proxy_pass {{server.EndPoint}};
                    {{directives}}
                }
            }
            """));
    }

    private static Task<ScriptedClient> LogInAsync(TestProxy proxy, string address, string? from = null) =>
        ScriptedClient.LogInAsync(new IPEndPoint(IPAddress.Parse(address), proxy.EndPoint.Port), from is null ? null : IPAddress.Parse(from));
}
