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
    [InlineData("proxy_starttls on;", false, "TLSv1.3")]
    [InlineData("proxy_starttls match;", false, "TLSv1.3")]
    [InlineData("proxy_ssl on;", true, "TLSv1.2")]
    [InlineData("proxy_starttls on;", false, "TLSv1.2")]
    public async Task A_control_connection_resumes_the_last_one_in_TLS_1_3_and_data_connections_always_their_own(string directives, bool isImplicit, string protocol)
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
        var goesOn = protocol == "TLSv1.3";
        Assert.Equal([false, goesOn, goesOn], server.Handshakes.Select(static h => h.IsResumed));
        Assert.All(server.Handshakes, h => Assert.Equal(protocol, h.Protocol));
        Assert.Equal(Enumerable.Repeat<bool?>(true, 6), server.Resumed);
        Assert.Equal([false, goesOn, goesOn], proxy.Said(461).Select(static r => (bool)r.Values["Resumed"]!));
    }

    [Fact]
    public async Task Any_number_of_connections_resume_what_one_has_left_and_none_what_another_still_uses()
    {
        await using var server = new SmallTlsServer(_made.Server()) { RequiresReuse = true, CountsOffers = true };
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "proxy_starttls on;");
        await UseAsync(proxy);
        Assert.Equal(0, server.Offers);
        var clients = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => ScriptedClient.LogInAsync(proxy.Plain)));
        try
        {
            Assert.Equal(8, server.Offers);
            foreach (var client in clients)
            {
                Assert.Equal(SmallServer.Payload(3000), await client.DownloadAsync("3000"));
                await client.QuitAsync();
            }
        }
        finally
        {
            foreach (var client in clients)
                client.Dispose();
        }
        Assert.Equal(8, server.Handshakes.Count(static h => h.IsResumed));
        Assert.Equal(Enumerable.Repeat<bool?>(true, 9), server.Resumed);
    }

    [Fact]
    public async Task Nothing_is_resumed_where_that_is_off()
    {
        await using var server = new SmallTlsServer(_made.Server()) { CountsOffers = true };
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "proxy_starttls on; proxy_ssl_session_reuse off;");
        await UseAsync(proxy);
        await UseAsync(proxy);
        Assert.Equal(0, server.Offers);
        Assert.Equal([false, false], server.Resumed);
    }

    [Fact]
    public async Task A_reload_begins_with_no_session_because_what_is_to_be_verified_may_have_changed()
    {
        await using var server = new SmallTlsServer(_made.Server()) { CountsOffers = true };
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "proxy_starttls on;");
        await UseAsync(proxy);
        await UseAsync(proxy);
        Assert.Equal(1, server.Offers);

        await proxy.Ferry.ReloadAsync(proxy.Configuration);

        await UseAsync(proxy);
        Assert.Equal(1, server.Offers);
        await UseAsync(proxy);
        Assert.Equal(2, server.Offers);
    }

    [Fact]
    public async Task A_server_that_cannot_resume_costs_two_sessions_and_is_asked_no_more()
    {
        await using var server = new SmallTlsServer(_made.Server(), isImplicit: true) { CountsOffers = true, CannotResume = true };
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "proxy_ssl on;");
        for (var i = 0; i < 7; i++)
        {
            if (i is 1 or 3)
            {
                using var client = await ScriptedClient.ConnectAsync(proxy.Plain);
                await client.ExpectAsync(421);
                await client.ExpectEndAsync();
                await proxy.Ferry.UntilIdleAsync();
            }
            else
            {
                await UseAsync(proxy);
            }
        }
        Assert.Equal(2, server.Offers);
        Assert.Equal(5, server.Handshakes.Count);
        var said = await proxy.SaidOnceAsync(466);
        Assert.Contains($"{server.EndPoint}", said.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_handshake_that_failed_once_is_forgiven()
    {
        await using var server = new SmallTlsServer(_made.Server(), isImplicit: true) { CountsOffers = true };
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "proxy_ssl on;");
        for (var i = 0; i < 3; i++)
        {
            await UseAsync(proxy); // in full at first
            server.CannotResume = true;
            using (var client = await ScriptedClient.ConnectAsync(proxy.Plain))
                await client.ExpectAsync(421);
            await proxy.Ferry.UntilIdleAsync();
            server.CannotResume = false;
            await UseAsync(proxy); // in full
            await UseAsync(proxy);
        }
        Assert.Equal(8, server.Offers);
        Assert.Equal(5, server.Handshakes.Count(static h => h.IsResumed));
        Assert.Empty(proxy.Said(466));
    }

    [Fact]
    public async Task A_server_that_has_forgotten_the_session_shakes_hands_in_full()
    {
        var port = FreePorts.One();
        await using var proxy = await TlsProxy.BeforeAsync(_made, new(System.Net.IPAddress.Loopback, port), "proxy_starttls on;");
        for (var i = 0; i < 2; i++)
        {
            // Another context has other keys.
            await using var server = new SmallTlsServer(_made.Server(), port: port) { RequiresReuse = true, CountsOffers = true };
            await UseAsync(proxy);
            Assert.Equal(i, server.Offers);
            Assert.False(Assert.Single(server.Handshakes).IsResumed);
            Assert.Equal([true], server.Resumed);
        }
        Assert.Empty(proxy.Said(466));
    }

    /// <summary>A session with a download, from its beginning to its end.</summary>
    private static async Task UseAsync(TlsProxy proxy)
    {
        using (var client = await ScriptedClient.LogInAsync(proxy.Plain))
        {
            Assert.Equal(SmallServer.Payload(100), await client.DownloadAsync("100"));
            await client.QuitAsync();
        }
        await proxy.Ferry.UntilIdleAsync();
    }
}
