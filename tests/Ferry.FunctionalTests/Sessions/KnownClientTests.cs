using System.Globalization;
using System.Net;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>A server that knows its clients may have had enough of one of them. That must not take it from the others.</summary>
public sealed class KnownClientTests
{
    // UpstreamServer: it counts towards max_fails, of which one is enough.
    private const int FailedSession = 340;

    private static readonly IPAddress Nine = IPAddress.Parse("127.0.0.9");
    private static readonly IPAddress Ten = IPAddress.Parse("127.0.0.10");

    [RootTheory]
    [InlineData("proxy_bind $remote_addr transparent;", false)]
    [InlineData("proxy_protocol on;", false)]
    [InlineData("proxy_bind $remote_addr transparent;", true)]
    [InlineData("proxy_protocol on;", true)]
    public async Task A_client_that_all_servers_turn_away_takes_them_from_nobody_else(string directives, bool atLogin)
    {
        await using var one = ScriptedServer.Start(ServeAsync);
        await using var two = ScriptedServer.Start(ServeAsync);
        await using var proxy = await StartAsync(directives, $"server {one.EndPoint}; server {two.EndPoint};");
        for (var i = 0; i < 2; i++)
        {
            using var nine = await ScriptedClient.ConnectAsync(proxy.EndPoint, Nine);
            await nine.ExpectAsync(atLogin ? 220 : 421);
            if (atLogin)
            {
                await nine.CommandAsync("USER nine", 421);
                await nine.ExpectEndAsync();
            }
        }
        await proxy.UntilIdleAsync();

        for (var i = 0; i < 2; i++)
        {
            using var ten = await ScriptedClient.LogInAsync(proxy.EndPoint, Ten);
            await ten.QuitAsync();
        }
        Assert.DoesNotContain(proxy.Logs.Records, static r => r.Event.Id == FailedSession);

        async Task ServeAsync(ScriptedConnection c)
        {
            var isNine = c.RemoteEndPoint.Address.Equals(Nine);
            if (directives.StartsWith("proxy_protocol", StringComparison.Ordinal))
                isNine = (await c.ExpectAsync("PROXY TCP4")).StartsWith("PROXY TCP4 127.0.0.9 ", StringComparison.Ordinal);
            if (!isNine)
            {
                await c.LogInAsync();
                await c.AnswerQuitAsync();
            }
            else if (atLogin)
            {
                await c.SendAsync("220 scripted");
                await c.AnswerAsync("USER nine", "421 There are too many connections from your address.");
            }
            else
            {
                await c.SendAsync("421 There are too many connections from your address.");
            }
        }
    }

    [Fact]
    public async Task A_client_whose_address_leads_to_no_server_takes_them_from_nobody_else()
    {
        await using var server = new SmallServer();
        // The kernel lets nothing out of 127.0.0.0/8 to another machine (EINVAL, or ENETUNREACH where it knows no way).
        await using var proxy = await StartAsync("proxy_bind $remote_addr;", "server 100.64.77.1; server 100.64.77.2;");
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint, Nine);
        await client.ExpectAsync(421);

        Assert.StartsWith("connecting from 127.0.0.9 failed", (string)(await proxy.Logs.EventAsync(411)).Values["Failure"]!, StringComparison.Ordinal);
        Assert.DoesNotContain(proxy.Logs.Records, static r => r.Event.Id == FailedSession);
    }

    private static Task<TestProxy> StartAsync(string directives, string servers)
    {
        var (port, first) = (FreePorts.One(), FreePorts.Range(8));
        return TestProxy.StartAsync(string.Create(CultureInfo.InvariantCulture, $$"""
            stream {
                upstream two { {{servers}} }
                server {
                    listen 127.0.0.1:{{port}};
                    ftp_ctrl zone=ports:1M proxy_ip=127.0.0.1 min_port={{first}} max_port={{first + 7}};
                    proxy_pass two;
                    {{directives}}
                }
            }
            """));
    }
}
