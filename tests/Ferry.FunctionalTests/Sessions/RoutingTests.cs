using System.IO;
using System.Linq;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>A session is led to a server by what its client says with USER and HOST.</summary>
public sealed class RoutingTests
{
    [Fact]
    public async Task A_server_is_told_what_the_client_has_said_and_nothing_before_USER()
    {
        await using var one = ScriptedServer.Start(async c =>
        {
            await c.SendAsync("220-Welcome", "to one", "220 ready");
            await c.AnswerAsync("HOST ftp.example.com", "220-fine", "220 host");
            await c.AnswerAsync("CLNT x 2", "500 what?");
            await c.AnswerAsync("opts utf8 on", "200 on");
            await c.AnswerAsync("USER anna", "331 Password of one");
            await c.AnswerAsync("PASS secret", "230-In", "230 one");
            await c.AnswerAsync("PWD", "257 \"/\"");
            await c.AnswerQuitAsync();
        });
        await using var two = new SmallServer();
        await using var proxy = await RoutingProxy.StartAsync(one.EndPoint, two.EndPoint, "ftp_greeting \"Example's FTP\";");
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        Assert.Equal("220 Example's FTP", (await client.ExpectAsync(220)).ToString());
        await client.CommandAsync("CLNT x 1", 200);
        await client.CommandAsync("HOST ftp.example.com", 220);
        await client.CommandAsync("CLNT x 2", 200);
        await client.CommandAsync("opts utf8 on", 200);
        await client.CommandAsync("PWD", 530);
        Assert.Empty(one.Connections);
        await client.CommandAsync("USER anna", 331);
        Assert.Equal(["230-In", "230 one"], (await client.CommandAsync("PASS secret", 230)).Lines);
        await client.CommandAsync("PWD", 257);
        await client.QuitAsync();
        await one.DoneAsync();
        Assert.Empty(two.Script.Connections);
    }

    [Theory]
    [InlineData("anna", 100)]
    [InlineData("bob", 200)]
    public async Task Users_live_on_servers_of_their_own_and_may_send_all_in_one_segment(string user, int bytes)
    {
        await using var one = new SmallServer();
        await using var two = new SmallServer();
        await using var proxy = await RoutingProxy.StartAsync(one.EndPoint, two.EndPoint);
        using (var client = await ScriptedClient.ConnectAsync(proxy.EndPoint))
        {
            await client.SendAsync($"USER {user}", "PASS secret", "NOOP");
            foreach (var code in new[] { 220, 331, 230, 200 })
                await client.ExpectAsync(code);
            Assert.Equal(SmallServer.Payload(bytes), await client.DownloadAsync($"{bytes}"));
            await client.QuitAsync();
        }
        await proxy.UntilIdleAsync();
        Assert.Equal(user == "anna" ? (1, 0) : (0, 1), (one.Script.Connections.Count, two.Script.Connections.Count));
    }

    [Fact]
    public async Task Another_user_before_the_login_goes_to_another_server()
    {
        await using var one = ScriptedServer.Start(static async c =>
        {
            await c.SendAsync("220 one");
            await c.AnswerAsync("USER anna", "331 one");
            await c.AnswerAsync("PASS wrong", "530 no");
            await c.ReadLineAsync();
            await c.ExpectEndAsync();
        });
        await using var two = new SmallServer();
        await using var proxy = await RoutingProxy.StartAsync(one.EndPoint, two.EndPoint);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await client.ExpectAsync(220);
        await client.CommandAsync("USER anna", 331);
        await client.CommandAsync("PASS wrong", 530);
        await client.CommandAsync("USER bob", 331);
        await client.CommandAsync("PASS secret", 230);
        await one.DoneAsync();
        await client.CommandAsync("USER anna", 530);
        await client.QuitAsync();
        await proxy.UntilIdleAsync();
        Assert.All(proxy.Proxy.GetStatus().Upstreams.SelectMany(static u => u.Servers), static s => Assert.Equal(0, s.Sessions));
    }

    [Fact]
    public async Task After_REIN_the_client_is_greeted_anew_and_may_be_led_elsewhere()
    {
        await using var one = new SmallServer();
        await using var two = new SmallServer();
        await using var proxy = await RoutingProxy.StartAsync(one.EndPoint, two.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint, user: "anna");
        Assert.Equal(50, (await client.DownloadAsync("50")).Length);
        await client.CommandAsync("REIN", 220);
        await client.CommandAsync("PWD", 530);
        await client.CommandAsync("USER bob", 331);
        await client.CommandAsync("PASS secret", 230);
        Assert.Equal(60, (await client.DownloadAsync("60", extended: true)).Length);
        await client.QuitAsync();
        await proxy.UntilIdleAsync();
        Assert.Equal((1, 1), (one.Script.Connections.Count, two.Script.Connections.Count));
        await Wait.Until(() => one.Script.Connections[0].Lines.Contains("QUIT"), "the server that was left to be told so");
    }

    [Fact]
    public async Task A_reload_leads_new_sessions_elsewhere_and_leaves_the_others_alone()
    {
        await using var one = new SmallServer();
        await using var two = new SmallServer();
        var port = FreePorts.One();
        await using var proxy = await TestProxy.StartAsync(RoutingProxy.Text(port, one.EndPoint, two.EndPoint));
        using var waiting = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await waiting.ExpectAsync(220);
        using var old = await ScriptedClient.LogInAsync(proxy.EndPoint, user: "anna");

        Assert.Empty(await proxy.ReloadAsync(RoutingProxy.Text(port, one.EndPoint, two.EndPoint, maps: "map $ftp_user $pool { default two; }")));

        await waiting.CommandAsync("USER anna", 331);
        await waiting.CommandAsync("PASS secret", 230);
        using var fresh = await ScriptedClient.LogInAsync(proxy.EndPoint, user: "anna");
        await old.CommandAsync("NOOP", 200);
        Assert.Equal((2, 1), (one.Connections(), two.Connections()));
    }

    [Fact]
    public async Task The_part_behind_the_at_sign_leads_and_the_part_before_it_is_told()
    {
        const string maps = """
            map $ftp_user $where { ~^[^@]+@(?<host>.+)$ $host; default one; }
            map $where $pool { one one; two two; default ""; }
            map $ftp_user $name { ~^(?<user>[^@]+)@ $user; default $ftp_user; }
            """;
        await using var one = new SmallServer();
        await using var two = new SmallServer();
        await using var proxy = await RoutingProxy.StartAsync(one.EndPoint, two.EndPoint, "ftp_user $name; access_log access.log own;", maps + "log_format own '$ftp_user $name $pool $upstream_addr';");
        using (var client = await ScriptedClient.LogInAsync(proxy.EndPoint, user: "carl@two"))
            await client.QuitAsync();
        await proxy.UntilIdleAsync();
        Assert.Equal(["USER carl", "PASS secret", "QUIT"], Assert.Single(two.Script.Connections).Lines);
        await Wait.For(proxy.Proxy.StopAsync(), "Ferry to stop");
        Assert.Equal($"carl@two carl two {two.EndPoint}", Assert.Single(File.ReadAllLines(Path.Combine(proxy.Prefix, "access.log"))));
    }

    [Fact]
    public async Task A_host_leads_too()
    {
        await using var one = new SmallServer();
        await using var two = new SmallServer();
        await using var proxy = await RoutingProxy.StartAsync(one.EndPoint, two.EndPoint, maps: "map $ftp_host $pool { hostnames; default one; *.two.example two; }");
        using (var client = await ScriptedClient.ConnectAsync(proxy.EndPoint))
        {
            await client.ExpectAsync(220);
            await client.CommandAsync("HOST ftp.two.example", 220);
            await client.CommandAsync("USER x", 331);
        }
        Assert.Equal((0, 1), (one.Connections(), two.Connections()));
    }

    [Theory]
    [InlineData("127.0.0.1", 1, 0)]
    [InlineData("127.0.0.9", 0, 1)]
    public async Task What_is_known_at_once_leads_at_once(string client, int ones, int twos)
    {
        await using var one = new SmallServer();
        await using var two = new SmallServer();
        await using var proxy = await RoutingProxy.StartAsync(one.EndPoint, two.EndPoint, maps: "geo $pool { default one; 127.0.0.8/29 two; }");
        using var connected = await ScriptedClient.ConnectAsync(proxy.EndPoint, System.Net.IPAddress.Parse(client));
        Assert.Equal("220 small", (await connected.ExpectAsync(220)).ToString());
        Assert.Equal((ones, twos), (one.Connections(), two.Connections()));
    }

    [Fact]
    public async Task A_client_that_is_led_nowhere_at_once_is_told_421()
    {
        await using var one = new SmallServer();
        await using var two = new SmallServer();
        await using var proxy = await RoutingProxy.StartAsync(one.EndPoint, two.EndPoint, maps: "geo $pool { default \"\"; 192.0.2.1 one; }");
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await client.ExpectAsync(421);
        await client.ExpectEndAsync();
    }

    [Theory]
    [InlineData("hash $ftp_user;")]
    [InlineData("hash $letter consistent;")]
    [InlineData("sticky $letter;")]
    public async Task A_key_that_needs_the_user_makes_the_choice_wait_for_it(string method)
    {
        await using var one = new SmallServer();
        await using var two = new SmallServer();
        var ports = FreePorts.Range(11);
        await using var proxy = await TestProxy.StartAsync(string.Create(System.Globalization.CultureInfo.InvariantCulture, $$"""
            stream {
                map $ftp_user $letter { ~^(.) $1; }
                upstream both { {{method}} server {{one.EndPoint}}; server {{two.EndPoint}}; }
                server {
                    listen 127.0.0.1:{{FreePorts.One()}};
                    ftp_ctrl zone=ports:1M proxy_ip=127.0.0.1 min_port={{ports}} max_port={{ports + 10}};
                    proxy_pass both;
                }
            }
            """));
        for (var i = 0; i < 4; i++)
        {
            using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
            Assert.Equal("220 FTP server ready", (await client.ExpectAsync(220)).ToString());
            await client.CommandAsync("USER anna", 331);
        }
        Assert.Contains(0, new[] { one.Connections(), two.Connections() });
        Assert.Equal(4, one.Connections() + two.Connections());
    }

    [Fact]
    public async Task What_a_server_is_can_be_hidden()
    {
        await using var one = ScriptedServer.Start(static async c =>
        {
            await c.SendAsync("220-ExampleFTPd", "220 ready");
            await c.AnswerAsync("SYST", "215 UNIX Type: ExampleOS");
            await c.AnswerAsync("HELP", "214-ExampleFTPd", "214 End");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(one.EndPoint, directives: "ftp_hide_server on;");
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        await client.ExpectAsync(220);
        await client.CommandAsync("SYST", 215);
        await client.CommandAsync("HELP", 214);
        await client.QuitAsync();
        Assert.DoesNotContain(client.Wire.Lines, static l => l.Contains("Example", StringComparison.Ordinal));
    }
}

internal static class SmallServerExtensions
{
    /// <summary>How often somebody has connected so far.</summary>
    public static int Connections(this SmallServer server) => server.Script.Connections.Count;
}
