using System.Globalization;
using System.Linq;
using System.Net;
using Ferry.FunctionalTests.Harness;
using Ferry.Tests;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>What sessions themselves tell of a server: what counts as its failure (<c>max_fails</c>), and what does not.</summary>
public sealed class PassiveHealthTests
{
    [Fact]
    public async Task A_421_to_the_login_counts_and_the_next_client_goes_elsewhere()
    {
        await using var full = ScriptedServer.Start(static async c =>
        {
            await c.SendAsync("220 scripted");
            await c.AnswerAsync("USER", "331 Password please.");
            await c.AnswerAsync("PASS", "421 Too many users.");
        });
        await using var good = new SmallServer();
        await using var proxy = await StartAsync([full.EndPoint, good.EndPoint]);
        using (var client = await ScriptedClient.ConnectAsync(proxy.EndPoint))
        {
            await client.ExpectAsync(220);
            await client.CommandAsync("USER ferry", 331);
            await client.CommandAsync("PASS secret", 421);
        }

        Assert.Contains("(1 of 1): it answered the login with 421", (await proxy.Logs.EventAsync(340)).Message, StringComparison.Ordinal);
        Assert.Equal([1, 0], Failures(proxy));
        await UseSmallAsync(proxy, 2);
    }

    [Theory]
    [InlineData("530 Too many users.")]
    [InlineData("530 Login incorrect.|421 Too many wrong passwords.")]
    public async Task A_wrong_password_and_the_421_that_follows_too_many_do_not_count(string answers)
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.SendAsync("220 scripted");
            foreach (var answer in answers.Split('|'))
            {
                await c.AnswerAsync("USER", "331 Password please.");
                await c.AnswerAsync("PASS", answer);
            }
        });
        await using var good = new SmallServer();
        await using var proxy = await StartAsync([server.EndPoint, good.EndPoint]);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await client.ExpectAsync(220);
        foreach (var answer in answers.Split('|'))
        {
            await client.CommandAsync("USER ferry", 331);
            await client.CommandAsync("PASS wrong", int.Parse(answer.AsSpan(0, 3), CultureInfo.InvariantCulture));
        }

        await proxy.UntilIdleAsync();
        Assert.Equal([0, 0], Failures(proxy));
    }

    [Fact]
    public async Task A_closed_data_port_counts_and_the_server_is_back_once_its_data_flows_again()
    {
        var clock = new ManualTimeProvider();
        var isClosed = true;
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            await c.ExpectAsync("PASV");
            var port = c.OpenDataPort();
            if (isClosed)
                port.Refuse(); // before anybody knows of it
            await c.SendAsync(port.PasvReply);
            if (isClosed)
                await c.ExpectEndAsync();
            else
                await c.ServeRetrAsync(port, new byte[5]);
        });
        await using var other = new SmallServer();
        await using var proxy = await StartAsync([server.EndPoint, other.EndPoint], clock);
        using (var client = await ScriptedClient.LogInAsync(proxy.EndPoint))
        {
            await client.PasvAsync();
            await client.CommandAsync("RETR 5", 425);
            Assert.Equal([1, 0], Failures(proxy));
        }
        Assert.Contains("connecting to its data port failed (ConnectionRefused)", (await proxy.Logs.EventAsync(340)).Message, StringComparison.Ordinal);
        await UseSmallAsync(proxy, 3);

        isClosed = false;
        clock.Advance(TimeSpan.FromSeconds(11));
        using (var first = await ScriptedClient.LogInAsync(proxy.EndPoint))
        {
            Assert.Equal("220 scripted", first.Wire.Lines[0]);
            await UseSmallAsync(proxy, 2); // the one that tries it has not proved anything yet
            await first.DownloadAsync("5");
        }
        await proxy.Logs.EventAsync(302);
    }

    [Fact]
    public async Task A_data_port_that_the_client_came_to_late_does_not_count()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.Start(static async c =>
        {
            await c.LogInAsync();
            await c.ExpectAsync("PASV");
            var port = c.OpenDataPort();
            port.Refuse();
            await c.SendAsync(port.PasvReply);
            await c.ExpectEndAsync();
        });
        await using var other = new SmallServer();
        await using var proxy = await StartAsync([server.EndPoint, other.EndPoint], clock);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        await client.PasvAsync();
        clock.Advance(TimeSpan.FromSeconds(6));

        await client.CommandAsync("RETR 5", 425);

        Assert.Equal([0, 0], Failures(proxy));
    }

    [Fact]
    public async Task A_data_port_that_the_client_has_had_closed_by_ABOR_does_not_count()
    {
        await using var server = ScriptedServer.Start(static async c =>
        {
            await c.LogInAsync();
            var port = await c.AnswerPasvAsync();
            await c.ExpectAsync("ABOR");
            port.Refuse();
            await c.SendAsync("225 Nothing to abort.");
            await c.ExpectEndAsync();
        });
        await using var other = new SmallServer();
        await using var proxy = await StartAsync([server.EndPoint, other.EndPoint]);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        await client.PasvAsync();
        await client.CommandAsync("ABOR", 225);

        await client.CommandAsync("RETR 5", 425);

        Assert.Equal([0, 0], Failures(proxy));
    }

    [Fact]
    public async Task A_data_port_that_is_filtered_counts_when_its_time_is_up()
    {
        var clock = new ManualTimeProvider();
        using var deaf = new Upstreams.DeafPort();
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            await c.AnswerAsync("PASV", $"227 Entering Passive Mode ({DataPort.HostPortOf(deaf.EndPoint)}).");
            await c.ExpectEndAsync();
        });
        await using var other = new SmallServer();
        await using var proxy = await StartAsync([server.EndPoint, other.EndPoint], clock, "ftp_data_connect_timeout 9s;");
        using (var client = await ScriptedClient.LogInAsync(proxy.EndPoint))
        {
            await client.PasvAsync();
            var refused = client.CommandAsync("LIST", 425);
            await Wait.Until(
                () =>
                {
                    // Not before the attempt has begun, or it would begin late.
                    if (!refused.IsCompleted && proxy.Logs.Records.Any(static r => r.Event.Id == 420 && r.Message.Contains("LIST", StringComparison.Ordinal)))
                        clock.Advance(TimeSpan.FromMilliseconds(100));
                    return refused.IsCompleted;
                },
                "the 425");
            await refused;
        }

        Assert.Contains("connecting to its data port timed out", (await proxy.Logs.EventAsync(340)).Message, StringComparison.Ordinal);
        await UseSmallAsync(proxy, 2);
    }

    [Theory]
    [InlineData("proxy_starttls on;", "it refuses TLS (AUTH TLS was answered 502)")]
    [InlineData("proxy_ssl on;", "TLS failed (the peer speaks no TLS)")]
    public async Task A_server_whose_TLS_is_broken_counts(string directive, string reason)
    {
        await using var server = ScriptedServer.Start(static async c =>
        {
            await c.SendAsync("220 scripted");
            try
            {
                while (await c.ReadLineAsync() is not null)
                    await c.SendAsync("502 No.");
            }
            catch (Exception e) when (e is System.Net.Sockets.SocketException or InvalidOperationException)
            {
                // A ClientHello is no line.
            }
        });
        await using var proxy = await StartAsync([server.EndPoint, server.EndPoint], directives: directive);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);

        await client.ExpectAsync(421);

        Assert.Contains(reason, (await proxy.Logs.EventAsync(340)).Message, StringComparison.Ordinal);
        Assert.Equal(1, Failures(proxy)[0]);
    }

    [Fact]
    public async Task A_server_in_active_mode_that_does_not_come_counts_once_a_session()
    {
        await using var server = ScriptedServer.Start(static async c =>
        {
            await c.LogInAsync();
            while (await c.ReadLineAsync() is { } line)
                await c.SendAsync(line.StartsWith("PORT", StringComparison.Ordinal) ? "200 PORT command successful." : "425 Can't build data connection.");
        });
        await using var other = new SmallServer();
        await using var proxy = await StartAsync([server.EndPoint, other.EndPoint], directives: "proxy_ftp_data port;", maxFails: 2);
        using (var client = await ScriptedClient.LogInAsync(proxy.EndPoint))
        {
            for (var i = 0; i < 3; i++)
            {
                await client.PasvAsync();
                await client.CommandAsync("RETR 5", 425);
            }
        }

        await proxy.UntilIdleAsync();
        Assert.Equal([1, 0], Failures(proxy));
        Assert.Contains("it did not connect for its data", (await proxy.Logs.EventAsync(340)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_time_of_all_attempts_bounds_the_one_that_runs()
    {
        var clock = new ManualTimeProvider();
        await using var silent = ScriptedServer.Start(static c => c.ExpectEndAsync());
        await using var proxy = await StartAsync([silent.EndPoint, silent.EndPoint], clock, "ftp_banner_timeout 60s; proxy_next_upstream_timeout 3s;");
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await silent.ConnectedAsync();
        var began = clock.GetUtcNow();
        var turnedAway = client.ExpectAsync(421);

        await Wait.Until(
            () =>
            {
                if (!turnedAway.IsCompleted && clock.GetUtcNow() - began < TimeSpan.FromSeconds(50))
                    clock.Advance(TimeSpan.FromSeconds(1));
                return turnedAway.IsCompleted;
            },
            "the client to be turned away before the banner's own time is over");
        await turnedAway;
        Assert.Single(silent.Connections);
        // It had all the time there was, so its silence is its own.
        Assert.Equal([1, 0], Failures(proxy));
    }

    private static long[] Failures(TestProxy proxy) => [.. proxy.Proxy.GetStatus().Upstreams[0].Servers.Select(static s => s.Failures)];

    private static async Task UseSmallAsync(TestProxy proxy, int times)
    {
        for (var i = 0; i < times; i++)
        {
            using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
            Assert.Equal("220 small", client.Wire.Lines[0]);
            await client.QuitAsync();
        }
    }

    private static Task<TestProxy> StartAsync(IPEndPoint[] servers, TimeProvider? time = null, string directives = "", int maxFails = 1)
    {
        var ports = FreePorts.Range(11);
        return TestProxy.StartAsync(
            string.Create(CultureInfo.InvariantCulture, $$"""
                stream {
                    upstream several { server {{servers[0]}} max_fails={{maxFails}}; server {{servers[1]}} backup; }
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
