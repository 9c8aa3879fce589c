using System.Globalization;
using System.Linq;
using System.Net;
using Ferry.FunctionalTests.Harness;
using Ferry.Tests;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>A server that cannot take the session is passed over before the client has seen anything.</summary>
public sealed class NextServerTests
{
    private static readonly IPEndPoint Nobody = new(IPAddress.Loopback, FreePorts.One());

    public static TheoryData<string> BadGreetings => new(
        "421 Too many users.\r\n",
        "530 Go away.\r\n",
        "HTTP/1.1 400 Bad Request\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "",
        "220" + new string('x', 10_000));

    [Theory]
    [MemberData(nameof(BadGreetings))]
    public async Task A_server_that_greets_badly_is_passed_over(string greeting)
    {
        await using var bad = ScriptedServer.Start(async c =>
        {
            await c.Wire.SendRawAsync(greeting);
            if (greeting.Length > 0)
                await c.ExpectEndAsync();
        });
        await using var good = new SmallServer();
        await using var proxy = await StartAsync([bad.EndPoint, good.EndPoint]);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);

        Assert.Equal(["220 small", "331 Password please.", "230 Logged in."], client.Wire.Lines);
        await client.QuitAsync();
        Assert.Single(bad.Connections);
    }

    [Fact]
    public async Task A_server_that_refuses_the_connection_is_passed_over()
    {
        await using var good = new SmallServer();
        await using var proxy = await StartAsync([Nobody, good.EndPoint]);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        await client.QuitAsync();
        Assert.Equal(1, proxy.Proxy.GetStatus().Upstreams[0].Servers[0].Failures);
    }

    [Fact]
    public async Task A_server_that_says_nothing_is_passed_over_when_its_time_is_up()
    {
        var clock = new ManualTimeProvider();
        await using var silent = ScriptedServer.Start(static c => c.ExpectEndAsync());
        await using var good = new SmallServer();
        await using var proxy = await StartAsync([silent.EndPoint, good.EndPoint], "ftp_banner_timeout 7s;", clock);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await silent.ConnectedAsync();
        // The session's wait for the greeting begins a moment after the server has seen the connection.
        var greeting = client.ExpectAsync(220);
        await Wait.Until(() => Moved(clock, greeting), "the greeting of the other server");
        await greeting;
        client.Dispose();
        await proxy.UntilIdleAsync();
    }

    [Fact]
    public async Task A_client_for_whom_nobody_is_left_is_told_421()
    {
        await using var bad = ScriptedServer.Start(static c => c.SendAsync("421 Full."));
        await using var proxy = await StartAsync([Nobody, bad.EndPoint]);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);

        await client.ExpectAsync(421);
        await client.ExpectEndAsync();
        Assert.Single(client.Wire.Lines);
        await proxy.UntilIdleAsync();
        Assert.All(proxy.Proxy.GetStatus().Upstreams[0].Servers, static s => Assert.Equal(0, s.Sessions));
    }

    [Theory]
    [InlineData("proxy_next_upstream off;", 1)]
    [InlineData("proxy_next_upstream_tries 2;", 2)]
    [InlineData("", 3)]
    public async Task As_many_servers_are_tried_as_the_operator_allows(string directives, int tried)
    {
        await using var bad = ScriptedServer.Start(static c => c.SendAsync("421 Full."));
        await using var proxy = await StartAsync([bad.EndPoint, bad.EndPoint, bad.EndPoint], directives);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await client.ExpectAsync(421);
        await client.ExpectEndAsync();
        Assert.Equal(tried, bad.Connections.Count);
    }

    [Fact]
    public async Task A_client_that_leaves_while_a_server_is_sought_leaves_nothing_behind()
    {
        var clock = new ManualTimeProvider();
        await using var silent = ScriptedServer.Start(static c => c.ExpectEndAsync());
        await using var proxy = await StartAsync([silent.EndPoint], "ftp_banner_timeout 7s;", clock);
        using (var client = await ScriptedClient.ConnectAsync(proxy.EndPoint))
            await silent.ConnectedAsync();
        await Wait.Until(() => Moved(clock, null) || proxy.Proxy.GetStatus().Sessions == 0, "the session to end");
        await proxy.UntilIdleAsync();
    }

    private static bool Moved(ManualTimeProvider clock, Task? awaited)
    {
        if (awaited is { IsCompleted: true })
            return true;
        clock.Advance(TimeSpan.FromSeconds(1));
        return false;
    }

    private static Task<TestProxy> StartAsync(IPEndPoint[] servers, string directives = "", TimeProvider? time = null)
    {
        var ports = FreePorts.Range(11);
        return TestProxy.StartAsync(
            string.Create(CultureInfo.InvariantCulture, $$"""
                events { worker_connections 100; }
                stream {
                    upstream several { {{string.Join(' ', servers.Select(static s => $"server {s};"))}} }
                    server {
                        listen 127.0.0.1:{{FreePorts.One()}};
                        ftp_ctrl zone=ports:1M proxy_ip=127.0.0.1 min_port={{ports}} max_port={{ports + 10}};
                        proxy_pass several;
                        {{directives}}
                    }
                }
                """),
            time);
    }
}
