using System.Globalization;
using System.Linq;
using System.Text;
using Ferry.FunctionalTests.Harness;
using Ferry.Tests;
using Ferry.Upstreams;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>Clients that wait for a place on a full server, and those for whom there is none.</summary>
public sealed class QueueTests
{
    private static Task<TestProxy> StartAsync(SmallServer server, string upstream, string directives = "", TimeProvider? time = null)
    {
        var ports = FreePorts.Range(11);
        return TestProxy.StartAsync(
            string.Create(CultureInfo.InvariantCulture, $$"""
                events { worker_connections 1000; }
                stream {
                    upstream few { server {{server.EndPoint}} max_conns=2; {{upstream}} }
                    server {
                        listen 127.0.0.1:{{FreePorts.One()}};
                        ftp_ctrl zone=ports:1M proxy_ip=127.0.0.1 min_port={{ports}} max_port={{ports + 10}};
                        proxy_pass few;
                        {{directives}}
                    }
                }
                """),
            time);
    }

    private static Task UntilWaitingAsync(TestProxy proxy, int count) =>
        proxy.UntilAsync(s => s.Upstreams[0].Waiting == count, $"{count} sessions to wait");

    [Fact]
    public async Task Clients_wait_for_places_in_the_order_in_which_they_came()
    {
        await using var server = new SmallServer();
        await using var proxy = await StartAsync(server, "queue 10;");
        var inside = new List<ScriptedClient> { await ScriptedClient.LogInAsync(proxy.EndPoint), await ScriptedClient.LogInAsync(proxy.EndPoint) };
        var outside = new List<ScriptedClient>();
        for (var i = 1; i <= 3; i++)
        {
            outside.Add(await ScriptedClient.ConnectAsync(proxy.EndPoint));
            await UntilWaitingAsync(proxy, i);
        }

        for (var i = 0; i < 3; i++)
        {
            await inside[0].QuitAsync();
            inside[0].Dispose();
            inside.RemoveAt(0);
            await outside[i].ExpectAsync(220);
            Assert.All(outside.Skip(i + 1), c => Assert.Empty(c.Wire.Lines));
            inside.Add(outside[i]);
        }
        Assert.Equal(2, proxy.Proxy.GetStatus().Upstreams[0].Servers[0].Sessions);
        inside.ForEach(c => c.Dispose());
        await proxy.UntilIdleAsync();
        Assert.Equal(0, proxy.Proxy.GetStatus().Upstreams[0].Servers[0].Sessions);
    }

    [Fact]
    public async Task Under_load_every_client_is_served_and_the_server_never_has_more_than_its_share()
    {
        await using var server = new SmallServer();
        await using var proxy = await StartAsync(server, "queue 100;");
        var most = 0;

        await Wait.For(
            Task.WhenAll(Enumerable.Range(0, 60).Select(async _ =>
            {
                using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
                most = Math.Max(most, proxy.Proxy.GetStatus().Upstreams[0].Servers[0].Sessions);
                await client.QuitAsync();
            })),
            "60 clients to be served two at a time");

        Assert.InRange(most, 1, 2);
        await proxy.UntilIdleAsync();
        Assert.Equal(60, proxy.Proxy.GetStatus().Upstreams[0].Servers[0].TotalSessions);
    }

    [Fact]
    public async Task A_client_that_finds_the_queue_full_is_told_what_the_operator_wrote()
    {
        await using var server = new SmallServer();
        await using var proxy = await StartAsync(server, "queue 1; ftp_sorry \"450 Größer kommt später.\";", "ftp_sorry \"421 Not this one.\";");
        using var first = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var second = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var third = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await UntilWaitingAsync(proxy, 1);

        using var fourth = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await fourth.ExpectAsync(450);
        await fourth.ExpectEndAsync();

        Assert.Equal("450 Größer kommt später.", Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(Assert.Single(fourth.Wire.Lines))));
        Assert.Empty(third.Wire.Lines);
    }

    [Fact]
    public async Task A_client_whose_time_is_up_is_told_so()
    {
        var clock = new ManualTimeProvider();
        await using var server = new SmallServer();
        await using var proxy = await StartAsync(server, "queue 9 timeout=30s;", "ftp_sorry \"421 Nothing left.\";", clock);
        using var first = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var second = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var third = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await UntilWaitingAsync(proxy, 1);

        clock.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(1, proxy.Proxy.GetStatus().Upstreams[0].Waiting);
        clock.Advance(TimeSpan.FromSeconds(2));

        await third.ExpectAsync(421);
        Assert.Equal(["421 Nothing left."], third.Wire.Lines);
        Assert.Equal(0, proxy.Proxy.GetStatus().Upstreams[0].Waiting);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_goes_away_gives_up_its_place(bool speaksFirst)
    {
        var clock = new ManualTimeProvider();
        await using var server = new SmallServer();
        await using var proxy = await StartAsync(server, "queue 9;", "", clock);
        using var first = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var second = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using (var third = await ScriptedClient.ConnectAsync(proxy.EndPoint))
        {
            await UntilWaitingAsync(proxy, 1);
            if (speaksFirst)
                await third.SendAsync("USER early");
        }

        await Wait.Until(
            () =>
            {
                clock.Advance(TimeSpan.FromSeconds(1));
                return proxy.Proxy.GetStatus() is { Sessions: 2, Upstreams: [{ Waiting: 0 }] };
            },
            "the session to end");
        Assert.Contains("client_closed", (await proxy.Logs.EventAsync(401)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clients_that_wait_are_sent_away_when_Ferry_drains()
    {
        await using var server = new SmallServer();
        await using var proxy = await StartAsync(server, "queue 9;");
        using var first = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var second = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var third = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await UntilWaitingAsync(proxy, 1);

        await Wait.For(proxy.Proxy.DrainAsync(), "the drain");

        await third.ExpectAsync(421);
        Assert.Equal(0, proxy.Proxy.GetStatus().Sessions);
    }

    [Fact]
    public async Task A_reload_drains_a_server_which_keeps_its_transfer_and_is_empty_in_the_end()
    {
        await using var server = new SmallServer();
        await using var other = new SmallServer();
        var (port, ports) = (FreePorts.One(), FreePorts.Range(11));
        string With(string word) => string.Create(CultureInfo.InvariantCulture, $$"""
            stream {
                upstream two { server {{server.EndPoint}} {{word}}; server {{other.EndPoint}} backup; }
                server { listen 127.0.0.1:{{port}}; ftp_ctrl zone=ports:1M proxy_ip=127.0.0.1 min_port={{ports}} max_port={{ports + 10}}; proxy_pass two; }
            }
            """);
        await using var proxy = await TestProxy.StartAsync(With(""));
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);

        Assert.Empty(await proxy.ReloadAsync(With("drain")));
        using var later = await ScriptedClient.LogInAsync(proxy.EndPoint);

        Assert.Single(other.Script.Connections);
        Assert.Equal(100_000, (await client.DownloadAsync("100000")).Length);
        Assert.Equal((UpstreamServerState.Draining, 1), (Drained().State, Drained().Sessions));
        await client.QuitAsync();
        Assert.Contains($"{server.EndPoint} is empty", (await proxy.Logs.EventAsync(320)).Message, StringComparison.Ordinal);
        Assert.Equal((UpstreamServerState.Draining, 0), (Drained().State, Drained().Sessions));

        Ferry.Hosting.UpstreamServerStatus Drained() => proxy.Proxy.GetStatus().Upstreams[0].Servers[0];
    }
}
