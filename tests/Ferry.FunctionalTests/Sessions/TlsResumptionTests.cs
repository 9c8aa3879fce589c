using System.Linq;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>Control connections with a server go on with the session of those before (<c>proxy_ssl_session_reuse</c>).</summary>
public sealed class TlsResumptionTests : IDisposable
{
    private readonly TlsContexts _made = new();

    public void Dispose() => _made.Dispose();

    [Theory]
    [InlineData("proxy_ssl on;", true, "TLSv1.3")]
    [InlineData("proxy_ssl on;", true, "TLSv1.2")]
    [InlineData("proxy_starttls on;", false, "TLSv1.3")]
    [InlineData("proxy_starttls on;", false, "TLSv1.2")]
    [InlineData("proxy_starttls match;", false, "TLSv1.3")]
    public async Task A_control_connection_resumes_the_last_one_and_its_data_connections_resume_itself(string directives, bool isImplicit, string protocol)
    {
        await using var server = new SmallTlsServer(_made.Server(), isImplicit) { RequiresReuse = true };
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, $"starttls on; {directives} proxy_ssl_protocols {protocol};");
        for (var i = 0; i < 3; i++)
        {
            using var client = await ScriptedClient.LogInTlsAsync(proxy.Plain);
            Assert.Equal(SmallServer.Payload(50_000), await client.DownloadAsync("50000"));
            await client.UploadAsync($"file{i}", SmallServer.Payload(40_000, i));
            Assert.Equal(SmallServer.Payload(40_000, i), server.Stored[$"file{i}"].Bytes);
            await client.QuitAsync();
            await proxy.Ferry.UntilIdleAsync();
        }
        Assert.Equal([false, true, true], server.Handshakes.Select(static h => h.IsResumed));
        Assert.All(server.Handshakes, h => Assert.Equal(protocol, h.Protocol));
        Assert.Equal(Enumerable.Repeat<bool?>(true, 6), server.Resumed);
        Assert.Equal([false, true, true], proxy.Said(461).Select(static r => (bool)r.Values["Resumed"]!));
    }

    [Fact]
    public async Task A_session_is_known_from_its_login_on_and_any_number_of_connections_resume_it()
    {
        await using var server = new SmallTlsServer(_made.Server()) { RequiresReuse = true };
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "proxy_starttls on;");
        var clients = new List<ScriptedClient>();
        try
        {
            clients.Add(await ScriptedClient.LogInAsync(proxy.Plain));
            clients.AddRange(await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => ScriptedClient.LogInAsync(proxy.Plain))));
            foreach (var client in Enumerable.Reverse(clients))
            {
                Assert.Equal(SmallServer.Payload(3000), await client.DownloadAsync("3000"));
                await client.QuitAsync();
            }
        }
        finally
        {
            clients.ForEach(static c => c.Dispose());
        }
        Assert.Equal(8, server.Handshakes.Count(static h => h.IsResumed));
        Assert.Equal(Enumerable.Repeat<bool?>(true, 9), server.Resumed);
    }

    [Fact]
    public async Task Nothing_is_resumed_where_that_is_off()
    {
        await using var server = new SmallTlsServer(_made.Server());
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "proxy_starttls on; proxy_ssl_session_reuse off;");
        for (var i = 0; i < 2; i++)
        {
            using var client = await ScriptedClient.LogInAsync(proxy.Plain);
            Assert.Equal(SmallServer.Payload(100), await client.DownloadAsync("100"));
            await client.QuitAsync();
            await proxy.Ferry.UntilIdleAsync();
        }
        Assert.Equal([false, false], server.Handshakes.Select(static h => h.IsResumed));
        Assert.Equal([false, false], server.Resumed);
    }

    [Fact]
    public async Task A_server_that_cannot_resume_costs_one_session_and_is_asked_no_more()
    {
        await using var server = new SmallTlsServer(_made.Server(), isImplicit: true) { CannotResume = true };
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "proxy_ssl on;");
        for (var i = 0; i < 4; i++)
        {
            using var client = await ScriptedClient.ConnectAsync(proxy.Plain);
            if (i == 1)
            {
                await client.ExpectAsync(421);
                await client.ExpectEndAsync();
            }
            else
            {
                await client.ExpectAsync(220);
                await client.CommandAsync("USER x", 331);
                await client.CommandAsync("PASS x", 230);
                await client.QuitAsync();
            }
            await proxy.Ferry.UntilIdleAsync();
        }
        Assert.Equal(3, server.Handshakes.Count);
        var said = await proxy.SaidOnceAsync(466);
        Assert.Contains($"{server.EndPoint}", said.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_has_forgotten_the_session_shakes_hands_in_full()
    {
        var port = FreePorts.One();
        await using var proxy = await TlsProxy.BeforeAsync(_made, new(System.Net.IPAddress.Loopback, port), "proxy_starttls on;");
        for (var i = 0; i < 2; i++)
        {
            // Another context has other keys.
            await using var server = new SmallTlsServer(_made.Server(), port: port) { RequiresReuse = true };
            using var client = await ScriptedClient.LogInAsync(proxy.Plain);
            Assert.Equal(SmallServer.Payload(100), await client.DownloadAsync("100"));
            await client.QuitAsync();
            await proxy.Ferry.UntilIdleAsync();
            Assert.False(Assert.Single(server.Handshakes).IsResumed);
        }
        Assert.Empty(proxy.Said(466));
    }
}
