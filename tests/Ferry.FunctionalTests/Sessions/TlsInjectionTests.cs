using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>What stands in clear where TLS is to begin was put there by whoever can write into the connection (RFC 4217 §15; CVE-2011-0411, CVE-2011-1575).</summary>
public sealed class TlsInjectionTests : IDisposable
{
    private readonly TlsContexts _made = new();

    public void Dispose() => _made.Dispose();

    [Theory]
    [InlineData("AUTH TLS\r\nUSER mallory\r\n")]
    [InlineData("AUTH TLS\r\nUSER mal")]
    [InlineData("AUTH TLS\r\n\r\n")]
    [InlineData("AUTH SSL\nPASS stolen\r\nSTOR x\r\n")]
    public async Task Commands_in_the_segment_of_an_AUTH_are_never_read(string segment)
    {
        await using var server = new SmallServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls on;");
        using var client = await ScriptedClient.ConnectAsync(proxy.Plain);
        await client.ExpectAsync(220);

        await client.Wire.SendRawAsync(segment);
        await client.ExpectEndAsync();
        Assert.Equal("tls_injection", await proxy.EndReasonAsync());
        await proxy.Ferry.UntilIdleAsync();
        Assert.Empty(server.Script.Connections[0].Lines);
        Assert.Single(proxy.Said(464));
    }

    [Fact]
    public async Task A_command_in_clear_behind_the_234_is_never_read()
    {
        await using var server = new SmallServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls on;");
        using var client = await ScriptedClient.ConnectAsync(proxy.Plain);
        await client.ExpectAsync(220);

        await client.CommandAsync("AUTH TLS", 234);
        await client.SendAsync("USER mallory");
        await Wait.For(DrainAsync(client), "the connection to end");
        Assert.Equal("tls_injection", await proxy.EndReasonAsync());
        await proxy.Ferry.UntilIdleAsync();
        Assert.Empty(server.Script.Connections[0].Lines);
        Assert.Single(proxy.Said(464));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_server_at_connect_that_goes_on_in_clear_behind_its_234_is_not_used(bool isSplit)
    {
        await using var hostile = ScriptedServer.Start(c => InjectAsync(c, isSplit));
        await using var honest = new SmallTlsServer(_made.Server());
        await using (var proxy = await TlsProxy.BeforeAsync(_made, hostile.EndPoint, "proxy_starttls on;", null, honest.EndPoint))
        {
            using var client = await ScriptedClient.ConnectAsync(proxy.Plain);
            Assert.Equal("220 small", (await client.ExpectAsync(220)).Text);
            await client.CommandAsync("NOOP", 200);
            Assert.Contains("in clear behind its 234", Assert.Single(proxy.Said(411)).Message, StringComparison.Ordinal);
        }
        await using (var proxy = await TlsProxy.BeforeAsync(_made, hostile.EndPoint, "proxy_starttls on;"))
        {
            using var client = await ScriptedClient.ConnectAsync(proxy.Plain);
            await client.ExpectAsync(421);
            await client.ExpectEndAsync();
            Assert.Equal("no_upstream", await proxy.EndReasonAsync());
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_server_asked_for_the_clients_sake_that_goes_on_in_clear_ends_the_session(bool isSplit)
    {
        await using var hostile = ScriptedServer.Start(c => InjectAsync(c, isSplit));
        await using var proxy = await TlsProxy.BeforeAsync(_made, hostile.EndPoint, "starttls on; proxy_starttls match;");
        using var client = await ScriptedClient.ConnectAsync(proxy.Plain);
        await client.ExpectAsync(220);

        await client.SendAsync("AUTH TLS");
        Assert.DoesNotContain("230", (await client.ExpectAsync(421)).Text, StringComparison.Ordinal);
        await client.ExpectEndAsync();
        Assert.Equal("tls_injection", await proxy.EndReasonAsync());
        Assert.DoesNotContain(client.Wire.Lines, static l => l.StartsWith("230", StringComparison.Ordinal));
    }

    private static async Task InjectAsync(ScriptedConnection c, bool isSplit)
    {
        await c.SendAsync("220 hostile");
        await c.ExpectAsync("AUTH TLS");
        if (isSplit)
        {
            await c.SendAsync("234 Go on.");
            await c.Wire.ReadByPeerAsync();
            await c.SendAsync("230 You are in.");
        }
        else
        {
            await c.SendAsync("234 Go on.", "230 You are in.");
        }
        await DrainAsync(c.Wire);
    }

    private static Task DrainAsync(ScriptedClient client) => DrainAsync(client.Wire);

    private static async Task DrainAsync(LineWire wire)
    {
        try
        {
            while (await wire.ReadLineAsync() is not null)
            {
            }
        }
        catch (System.Net.Sockets.SocketException)
        {
            // A reset is an end too.
        }
    }
}
