using System.Net;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>What a configuration says of one server block holds there, and in no other.</summary>
public sealed class ServerBlockTests
{
    [Fact]
    public async Task Two_control_servers_of_one_file_have_their_own_servers_and_ports()
    {
        await using var first = new SmallServer();
        await using var second = new SmallServer();
        var ports = FreePorts.Range(2);
        var (one, two) = (FreePorts.One(), FreePorts.One());
        await using var proxy = await TestProxy.StartAsync($$"""
            stream {
                server { listen 127.0.0.1:{{one}}; ftp_ctrl zone=a:8k proxy_ip=127.0.0.1 min_port={{ports}} max_port={{ports}}; proxy_pass {{first.EndPoint}}; }
                server { listen 127.0.0.1:{{two}}; ftp_ctrl zone=b:8k proxy_ip=127.0.0.2 min_port={{ports + 1}} max_port={{ports + 1}}; proxy_pass {{second.EndPoint}}; }
            }
            """);
        using var a = await ScriptedClient.LogInAsync(new IPEndPoint(IPAddress.Loopback, one));
        using var b = await ScriptedClient.LogInAsync(new IPEndPoint(IPAddress.Loopback, two));

        await a.UploadAsync("to-a", "a"u8.ToArray());
        await b.UploadAsync("to-b", "b"u8.ToArray(), extended: true);

        Assert.Equal(["to-a"], first.Stored.Keys);
        Assert.Equal(["to-b"], second.Stored.Keys);
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, ports), await a.PasvAsync());
        Assert.Equal(new IPEndPoint(IPAddress.Parse("127.0.0.2"), ports + 1), await b.PasvAsync());
    }

    [Fact]
    public async Task Rules_of_a_data_server_speak_of_data_connections_only()
    {
        await using var server = new SmallServer();
        var ports = FreePorts.Range(2);
        var configuration = TestProxy.Configuration(server.EndPoint, FreePorts.One(), ports, ports + 1);
        await using var proxy = await TestProxy.StartAsync(configuration[..configuration.LastIndexOf('}')] + $$"""
                server { listen 127.0.0.1:{{ports}}-{{ports + 1}}; ftp_data zone=ports; allow 127.0.0.2; deny all; }
            }
            """);
        using var denied = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var allowed = await ScriptedClient.LogInAsync(proxy.EndPoint, IPAddress.Parse("127.0.0.2"));

        var passive = await denied.PasvAsync();
        await DataEnd.AssertResetAsync(passive);
        await proxy.UntilAsync(s => s.Zones[0].Refused == 1, "the refusal");
        Assert.Equal(SmallServer.Payload(10), await allowed.DownloadAsync("10"));
    }

    [Fact]
    public async Task Servers_see_both_kinds_of_connections_come_from_proxy_bind()
    {
        var seen = new TaskCompletionSource<(IPAddress Control, IPAddress Data)>();
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            var port = await c.AnswerPasvAsync();
            await c.ExpectAsync("RETR x");
            await c.SendAsync("150 Here it comes.");
            using var data = await c.AcceptAsync(port);
            seen.SetResult((c.RemoteEndPoint.Address, data.RemoteEndPoint.Address));
            data.Dispose();
            await c.SendAsync("226 Sent.");
            await c.ExpectEndAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: "proxy_bind 127.0.0.7;");
        using (var client = await ScriptedClient.LogInAsync(proxy.EndPoint))
            await client.DownloadAsync("x");

        var bind = IPAddress.Parse("127.0.0.7");
        Assert.Equal((bind, bind), await Wait.For(seen.Task, "the data connection"));
        await server.DoneAsync();
    }
}
