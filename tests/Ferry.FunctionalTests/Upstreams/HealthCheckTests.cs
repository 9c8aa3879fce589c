using System.Globalization;
using System.Linq;
using System.Net;
using Ferry.FunctionalTests.Harness;
using Ferry.Hosting;
using Ferry.Tests;

namespace Ferry.FunctionalTests.Upstreams;

/// <summary>Servers that are ill in all the ways that servers are: each is avoided, and comes back when it is well.</summary>
public sealed class HealthCheckTests
{
    public enum Illness
    {
        Silent,
        Full,
        WithoutTls,
        WithFilteredData,
        Gone,
    }

    [Theory]
    [InlineData(Illness.Silent, "type=banner", "no greeting within 5 s")]
    [InlineData(Illness.Full, "type=banner", "it greeted with 421")]
    [InlineData(Illness.WithoutTls, "type=banner tls=explicit", "it answered AUTH TLS with 502")]
    [InlineData(Illness.WithFilteredData, "type=list", "no data connection within 5 s")]
    [InlineData(Illness.Gone, "type=connect", "connecting failed (ConnectionRefused)")]
    public async Task A_server_that_is_ill_is_avoided_and_comes_back(Illness illness, string check, string reason)
    {
        var clock = new ManualTimeProvider();
        await using var ill = new ChangingServer(illness);
        await using var well = new ChangingServer(null);
        var other = illness == Illness.Gone ? "max_fails=0" : ""; // sessions alone would never give it up
        await using var proxy = await TestProxy.StartAsync(Configuration([ill.EndPoint, well.EndPoint], $"health_check interval=30s fall=1 {check};", other), clock);
        await UntilAsync(proxy, clock, 0, ServerCheckStatus.Down);
        await UntilAsync(proxy, clock, 1, ServerCheckStatus.Up);
        Assert.Equal(reason, proxy.Proxy.GetStatus().Upstreams[0].Servers[0].CheckFailure);
        Assert.Contains(reason, (await proxy.Logs.EventAsync(341)).Message, StringComparison.Ordinal);
        Assert.Equal(["220 well", "220 well", "220 well"], await GreetingsAsync(proxy, 3));

        ill.Heal();
        await UntilAsync(proxy, clock, 0, ServerCheckStatus.Up);

        var greetings = await GreetingsAsync(proxy, 2);
        Assert.Contains("220 healed", greetings);
        Assert.Contains("220 well", greetings);
        Assert.Equal(0, proxy.Proxy.GetStatus().Upstreams[0].Servers[0].Failures); // no client has met it
    }

    [Fact]
    public async Task Over_a_reload_the_checks_go_on_and_the_old_ones_stop()
    {
        var clock = new ManualTimeProvider();
        await using var server = new ChangingServer(null);
        var configuration = Configuration([server.EndPoint], "health_check interval=10s;");
        var began = clock.GetUtcNow();
        await using var proxy = await TestProxy.StartAsync(configuration, clock);
        await UntilAsync(proxy, clock, 0, ServerCheckStatus.Up);

        for (var i = 0; i < 5; i++)
            Assert.Empty(await proxy.ReloadAsync(configuration));
        Assert.Equal(ServerCheckStatus.Up, proxy.Proxy.GetStatus().Upstreams[0].Servers[0].Checks);
        await Wait.Until(
            () =>
            {
                if (server.Connections < 3)
                    clock.Advance(TimeSpan.FromMilliseconds(100));
                return server.Connections >= 3;
            },
            "two more checks");

        // Had each generation checks of its own, they would have come long before.
        Assert.True(clock.GetUtcNow() - began >= TimeSpan.FromSeconds(19), $"{clock.GetUtcNow() - began}");
        Assert.Equal(3, server.Connections);
    }

    [Fact]
    public async Task Checks_end_with_the_proxy()
    {
        await using var silent = new ChangingServer(Illness.Silent);
        await using (var proxy = await TestProxy.StartAsync(Configuration([silent.EndPoint], "health_check;")))
            await silent.ConnectedAsync();
        await silent.AnsweredAsync();
    }

    [Fact]
    public async Task A_password_file_that_cannot_be_read_stops_the_start()
    {
        var e = await Assert.ThrowsAsync<FerryStartException>(() => TestProxy.StartAsync(
            Configuration([new IPEndPoint(IPAddress.Loopback, FreePorts.One())], "health_check type=login user=a password_file=/nowhere/at/all;")));
        Assert.Contains("/nowhere/at/all", e.Message, StringComparison.Ordinal);
    }

    /// <summary>Lets the clock run until checks say so of a server.</summary>
    private static Task UntilAsync(TestProxy proxy, ManualTimeProvider clock, int server, ServerCheckStatus status) => Wait.Until(
        () =>
        {
            if (proxy.Proxy.GetStatus().Upstreams[0].Servers[server].Checks == status)
                return true;
            clock.Advance(TimeSpan.FromMilliseconds(100));
            return false;
        },
        $"checks to say {status} of server {server}");

    private static async Task<string[]> GreetingsAsync(TestProxy proxy, int count)
    {
        var greetings = new List<string>();
        for (var i = 0; i < count; i++)
        {
            using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
            greetings.Add((await client.ExpectAsync(220)).Lines[0]);
            await client.QuitAsync();
        }
        return [.. greetings];
    }

    private static string Configuration(IPEndPoint[] servers, string check, string parameters = "")
    {
        var ports = FreePorts.Range(11);
        return string.Create(CultureInfo.InvariantCulture, $$"""
            stream {
                upstream several { {{string.Join(' ', servers.Select(s => $"server {s} {parameters};"))}} {{check}} }
                server {
                    listen 127.0.0.1:{{FreePorts.One()}};
                    ftp_ctrl zone=ports:1M proxy_ip=127.0.0.1 min_port={{ports}} max_port={{ports + 10}};
                    proxy_pass several;
                }
            }
            """);
    }

    /// <summary>A server that is ill until it is healed.</summary>
    private sealed class ChangingServer : IAsyncDisposable
    {
        private readonly IPEndPoint _endPoint;
        private readonly DeafPort _deaf = new();
        private volatile ScriptedServer? _server;
        private volatile string _greeting = "220 well";
        private Illness? _illness;

        public ChangingServer(Illness? illness)
        {
            _illness = illness;
            _endPoint = new IPEndPoint(IPAddress.Loopback, FreePorts.One());
            if (illness != Illness.Gone)
                Start();
        }

        public IPEndPoint EndPoint => _endPoint;

        public int Connections => _server!.Connections.Count;

        public Task ConnectedAsync() => _server!.ConnectedAsync();

        /// <summary>Ends when it has done with all that came so far.</summary>
        public Task AnsweredAsync() => _server!.DoneAsync();

        public void Heal()
        {
            var wasGone = _illness == Illness.Gone;
            _illness = null;
            _greeting = "220 healed";
            if (wasGone)
                Start();
        }

        public async ValueTask DisposeAsync()
        {
            if (_server is not null)
                await _server.DisposeAsync();
            _deaf.Dispose();
        }

        private void Start() => _server = ScriptedServer.Start(PlayAsync, port: _endPoint.Port);

        private async Task PlayAsync(ScriptedConnection c)
        {
            try
            {
                if (_illness == Illness.Silent)
                {
                    await c.ReadLineAsync();
                    return;
                }
                await c.SendAsync(_illness == Illness.Full ? "421 Full." : _greeting);
                while (await c.ReadLineAsync() is { } line)
                {
                    switch (line.Split(' ')[0])
                    {
                        case "AUTH" when _illness == Illness.WithoutTls:
                            await c.SendAsync("502 No TLS today.");
                            break;
                        case "AUTH":
                            await c.SendAsync("234 Go.");
                            await c.StartTlsAsync();
                            break;
                        case "EPSV" when _illness == Illness.WithFilteredData:
                            await c.SendAsync($"229 Entering Extended Passive Mode (|||{_deaf.EndPoint.Port}|)");
                            break;
                        case "EPSV":
                            await ListAsync(c);
                            break;
                        case "QUIT":
                            await c.SendAsync("221 Goodbye.");
                            return;
                        default:
                            await c.SendAsync(line.StartsWith("PASS", StringComparison.Ordinal) ? "230 Logged in." : "331 Password please.");
                            break;
                    }
                }
            }
            catch (Exception e) when (e is System.Net.Sockets.SocketException or System.IO.IOException)
            {
                // A check that has given up resets, in the middle of its handshake too.
            }
        }

        private static async Task ListAsync(ScriptedConnection c)
        {
            using var port = c.OpenDataPort();
            await c.SendAsync(port.EpsvReply);
            await c.ExpectAsync("LIST");
            using var data = await c.AcceptAsync(port);
            await c.SendAsync("150 Here.");
            data.Dispose();
            await c.SendAsync("226 Done.");
        }
    }
}
