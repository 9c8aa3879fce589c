using System.Globalization;
using System.Linq;
using System.Net;
using Ferry.FunctionalTests.Harness;
using Ferry.Tests;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>Connections to servers come from what <c>proxy_bind</c> says for each client. Every address of 127.0.0.0/8 is one of this machine, so that most needs no rights.</summary>
public sealed class ProxyBindTests
{
    // UpstreamServer: it counts towards max_fails.
    private const int FailedSession = 340;

    private static readonly IPAddress Nine = IPAddress.Parse("127.0.0.9");
    private static readonly IPAddress Ten = IPAddress.Parse("127.0.0.10");

    [Fact]
    public async Task A_server_sees_the_address_of_each_client_on_control_and_on_data()
    {
        await using var server = ScriptedServer.Start(ServeAsync);
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: "proxy_bind $remote_addr;");
        using var nine = await ScriptedClient.LogInAsync(proxy.EndPoint, Nine);
        using var ten = await ScriptedClient.LogInAsync(proxy.EndPoint, Ten);
        // Its second session has a port of its own.
        using var again = await ScriptedClient.LogInAsync(proxy.EndPoint, Nine);

        foreach (var client in (ScriptedClient[])[nine, ten, again])
        {
            Assert.Equal(client.Wire.LocalEndPoint.Address.ToString(), await SeenAsync(client));
            await client.QuitAsync();
        }

        Assert.Equal([Nine, Ten, Nine], server.Connections.Select(c => c.RemoteEndPoint.Address));
        Assert.NotEqual(server.Connections[0].RemoteEndPoint.Port, server.Connections[2].RemoteEndPoint.Port);
        await server.DoneAsync();
    }

    [RootFact]
    public async Task Transparent_does_the_same_for_a_server_that_connects_to_the_client_s_address()
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            var numbers = (await c.AnswerAsync("PORT", "200 PORT."))[5..].Split(',').Select(n => int.Parse(n, CultureInfo.InvariantCulture)).ToArray();
            await c.AnswerAsync("RETR", "150 Here it comes.");
            var named = new IPEndPoint(IPAddress.Parse(string.Join('.', numbers[..4])), numbers[4] * 256 + numbers[5]);
            using (var data = await DataEnd.ConnectAsync(named))
            {
                await data.SendAsync(System.Text.Encoding.ASCII.GetBytes($"{c.RemoteEndPoint.Address} {named.Address}"));
                await data.EndSendAsync();
            }
            await c.SendAsync("226 Sent.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: "proxy_bind $remote_addr transparent; proxy_ftp_data active;");
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint, Nine);

        Assert.Equal("127.0.0.9 127.0.0.9", System.Text.Encoding.ASCII.GetString(await client.DownloadAsync("x")));
        await client.QuitAsync();
        await server.DoneAsync();
        // There is a port on as many addresses as there are clients, and none is kept open for the next transfer.
        await proxy.UntilAsync(s => s.Zones[1].OpenPorts == 0, "the port to be closed");
    }

    [Fact]
    public async Task A_variable_that_is_empty_leaves_the_choice_to_the_kernel()
    {
        await using var server = ScriptedServer.Start(ServeAsync);
        await using var proxy = await StartAsync($"proxy_pass {server.EndPoint};", "127.0.0.9 \"\"; default 127.0.0.7;");
        using var nine = await ScriptedClient.LogInAsync(proxy.EndPoint, Nine);
        using var ten = await ScriptedClient.LogInAsync(proxy.EndPoint, Ten);

        Assert.Equal("127.0.0.1", await SeenAsync(nine));
        Assert.Equal("127.0.0.7", await SeenAsync(ten));
        await nine.QuitAsync();
        await ten.QuitAsync();
        Assert.Equal(["127.0.0.1", "127.0.0.7"], server.Connections.Select(c => c.RemoteEndPoint.Address.ToString()));
    }

    [Theory]
    [InlineData("127.0.0.300", 486, "no server can be connected to: \"proxy_bind\" is 127.0.0.300 for this client, which is no address")]
    [InlineData("198.51.100.7", 411, "connecting from 198.51.100.7 failed: it is no address of this machine")]
    [InlineData("::1", 487, "and others of its family, are passed over: connections are to come from ::1")]
    public async Task An_address_that_cannot_be_used_turns_its_client_away_and_does_not_count_against_servers(string address, int logged, string reason)
    {
        await using var server = new SmallServer();
        await using var proxy = await StartAsync("proxy_pass two;", $"127.0.0.9 {address}; default \"\";", $"upstream two {{ server {server.EndPoint}; server 127.0.0.2:{server.EndPoint.Port} backup; }}");
        using (var client = await ScriptedClient.ConnectAsync(proxy.EndPoint, Nine))
            await client.ExpectAsync(421);

        Assert.Contains(reason, (await proxy.Logs.EventAsync(logged)).Message, StringComparison.Ordinal);
        // Nobody is asked a second time what no server can change.
        Assert.Single(proxy.Logs.Records, r => r.Event.Id == logged);
        // One failure would be enough to leave it alone for ten seconds.
        using var other = await ScriptedClient.LogInAsync(proxy.EndPoint, Ten);
        await other.QuitAsync();
        Assert.DoesNotContain(proxy.Logs.Records, r => r.Event.Id == FailedSession);
    }

    [Fact]
    public async Task A_server_of_the_other_family_is_passed_over()
    {
        await using var six = new SmallServer(IPAddress.IPv6Loopback);
        await using var four = new SmallServer();
        await using var proxy = await StartAsync("proxy_pass both; proxy_next_upstream_tries 1;", "default 127.0.0.9;", $"upstream both {{ server {six.EndPoint} weight=100; server {four.EndPoint}; }}");
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        await client.QuitAsync();

        Assert.Equal(Nine, Assert.Single(four.Script.Connections).RemoteEndPoint.Address);
        Assert.Empty(six.Script.Connections);
    }

    [Fact]
    public async Task An_address_that_is_written_out_is_meant_for_servers_of_its_family_only()
    {
        await using var six = new SmallServer(IPAddress.IPv6Loopback);
        await using var proxy = await TestProxy.BeforeAsync(six.EndPoint, directives: "proxy_bind 127.0.0.9; proxy_ftp_data epsv;");
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        Assert.Equal(SmallServer.Payload(10), await client.DownloadAsync("10"));
        await client.QuitAsync();
        Assert.Equal(IPAddress.IPv6Loopback, Assert.Single(six.Script.Connections).RemoteEndPoint.Address);
    }

    [RootFact]
    public async Task Silence_of_a_data_port_towards_the_client_s_own_address_does_not_count_against_the_server()
    {
        var clock = new ManualTimeProvider();
        using var deaf = new Upstreams.DeafPort();
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            await c.AnswerAsync("PASV", $"227 Entering Passive Mode ({DataPort.HostPortOf(deaf.EndPoint)}).");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await StartAsync($"proxy_pass {server.EndPoint}; ftp_data_connect_timeout 9s;", "default \"\";", bind: "$remote_addr transparent", time: clock);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint, Nine);
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
        await client.QuitAsync();

        Assert.Equal("connecting from 127.0.0.9 timed out; do the answers to it come back to this machine?", (await proxy.Logs.EventAsync(485)).Values["Reason"]);
        Assert.DoesNotContain(proxy.Logs.Records, r => r.Event.Id == FailedSession);
        await server.DoneAsync();
    }

    [Fact]
    public async Task An_address_may_depend_on_the_user()
    {
        await using var server = new SmallServer();
        await using var proxy = await StartAsync($"proxy_pass {server.EndPoint};", "anna 127.0.0.9; default 127.0.0.10;", key: "$ftp_user");
        using (var anna = await ScriptedClient.LogInAsync(proxy.EndPoint, user: "anna"))
            await anna.QuitAsync();
        using (var bert = await ScriptedClient.LogInAsync(proxy.EndPoint, user: "bert"))
            await bert.QuitAsync();
        Assert.Equal([Nine, Ten], server.Script.Connections.Select(c => c.RemoteEndPoint.Address));
    }

    /// <summary>A session whose RETR tells where its data connection comes from.</summary>
    private static async Task ServeAsync(ScriptedConnection c)
    {
        await c.LogInAsync();
        var port = await c.AnswerPasvAsync();
        await c.ExpectAsync("RETR x");
        await c.SendAsync("150 Here it comes.");
        using (var data = await c.AcceptAsync(port))
        {
            await data.SendAsync(System.Text.Encoding.ASCII.GetBytes(data.RemoteEndPoint.Address.ToString()));
            await data.EndSendAsync();
        }
        await c.SendAsync("226 Sent.");
        await c.AnswerQuitAsync();
    }

    private static async Task<string> SeenAsync(ScriptedClient client) => System.Text.Encoding.ASCII.GetString(await client.DownloadAsync("x"));

    private static Task<TestProxy> StartAsync(string directives, string map, string stream = "", string key = "$remote_addr", string bind = "$from", TimeProvider? time = null)
    {
        var (port, first) = (FreePorts.One(), FreePorts.Range(8));
        return TestProxy.StartAsync(string.Create(CultureInfo.InvariantCulture, $$"""
            stream {
                map {{key}} $from { {{map}} }
                {{stream}}
                server {
                    listen 127.0.0.1:{{port}};
                    ftp_ctrl zone=ports:1M proxy_ip=127.0.0.1 min_port={{first}} max_port={{first + 7}};
                    proxy_bind {{bind}};
                    {{directives}}
                }
            }
            """), time);
    }
}
