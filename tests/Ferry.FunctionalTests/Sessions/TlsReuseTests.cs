using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Sessions;

/// <summary><c>ftp_tls_session_reuse</c>: a data connection proves that it is its control connection's by going on with its session.</summary>
public sealed class TlsReuseTests : IDisposable
{
    private readonly TlsContexts _made = new();

    public void Dispose() => _made.Dispose();

    public static TheoryData<TlsProtocols, string> Kinds => new()
    {
        { TlsProtocols.Tls13, "on" },
        { TlsProtocols.Tls13, "off" },
        { TlsProtocols.Tls12, "on" },
        { TlsProtocols.Tls12, "off" },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_client_that_resumes_its_own_session_is_served_where_that_is_required(TlsProtocols protocol, string tickets)
    {
        await using var server = new SmallServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, $"starttls on; ftp_tls_session_reuse required; ssl_session_tickets {tickets};");
        foreach (var isImplicit in (bool[])[false, true])
        {
            using var client = await NativeClient.LogInAsync(isImplicit ? proxy.Implicit : proxy.Plain, Client(protocol), isImplicit);
            for (var i = 0; i < 3; i++)
            {
                using var session = client.Session();
                Assert.True(await client.DownloadAsync(50000, session));
                await client.UploadAsync("up", SmallServer.Payload(50_000, i), session);
                Assert.Equal(SmallServer.Payload(50_000, i), server.Stored["up"]);
            }
            await client.CommandAsync("QUIT", 221);
        }
        await proxy.Ferry.UntilIdleAsync();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_client_that_resumes_nothing_or_anothers_session_gets_522_and_no_byte(TlsProtocols protocol, string tickets)
    {
        await using var server = new SmallServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, $"starttls on; ftp_tls_session_reuse required; ssl_session_tickets {tickets};");
        var context = Client(protocol);
        using var victim = await NativeClient.LogInAsync(proxy.Plain, context);
        using var thief = await NativeClient.LogInAsync(proxy.Plain, context);
        using var anothers = thief.Session();
        foreach (var resume in (TlsSession?[])[null, anothers])
        {
            foreach (var command in (string[])["RETR 1000", "STOR file"])
            {
                using var socket = await victim.OpenDataAsync();
                await victim.CommandAsync(command, 150);
                using var tls = victim.Secure(socket, resume);
                if (await Wait.For(tls.HandshakeAsync().AsTask(), "a handshake on data"))
                {
                    Assert.Equal(resume is not null, tls.Info!.IsResumed);
                    var (bytes, end) = await TlsConnectionPair.ReadToEndAsync(tls, socket);
                    Assert.Empty(bytes);
                    Assert.Equal(TlsReadStatus.CloseNotify, end); // in order, so that the client reads the reply
                }
                Assert.Contains("session reuse required", await victim.ExpectAsync(522), StringComparison.Ordinal);
            }
        }
        Assert.Empty(server.Stored);
        using (var own = victim.Session())
            Assert.True(await victim.DownloadAsync(10, own));
        await victim.CommandAsync("QUIT", 221);
        await thief.CommandAsync("QUIT", 221);
        await proxy.Ferry.UntilIdleAsync();
        await Wait.Until(() => proxy.Said(452).Length == 4, "all four to be logged");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Where_reuse_is_off_nothing_is_ever_resumed(TlsProtocols protocol, string tickets)
    {
        await using var server = new SmallServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, $"starttls on; ftp_tls_session_reuse off; ssl_session_tickets {tickets};");
        var context = Client(protocol);
        using var client = await NativeClient.LogInAsync(proxy.Plain, context);
        using var session = client.Session();
        Assert.False(await client.DownloadAsync(1000, session));
        using var again = await NativeClient.LogInAsync(proxy.Plain, context, resume: session);
        Assert.False(again.Info.IsResumed);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Where_reuse_is_optional_data_may_resume_and_need_not(TlsProtocols protocol, string tickets)
    {
        await using var server = new SmallServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, $"starttls on; ssl_session_tickets {tickets};");
        var context = Client(protocol);
        using var client = await NativeClient.LogInAsync(proxy.Plain, context);
        using var session = client.Session();
        Assert.True(await client.DownloadAsync(1000, session));
        Assert.False(await client.DownloadAsync(1000, null));
        using var again = await NativeClient.LogInAsync(proxy.Plain, context, resume: session);
        Assert.True(again.Info.IsResumed);
        using var newer = again.Session();
        Assert.True(await again.DownloadAsync(1000, newer));
    }

    [Theory]
    [InlineData(TlsProtocols.Tls12)]
    [InlineData(TlsProtocols.Tls13)]
    public async Task A_server_is_never_offered_a_session_where_proxy_ssl_session_reuse_is_off(TlsProtocols protocol)
    {
        await using var server = new SmallTlsServer(_made.Server(c => c with { Protocols = protocol }));
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "proxy_starttls on; proxy_ssl_session_reuse off;");
        using var client = await ScriptedClient.LogInAsync(proxy.Plain);
        await client.DownloadAsync("10");
        await client.QuitAsync();
        Assert.Equal([false], server.Resumed);
    }

    [Theory]
    [InlineData(TlsProtocols.Tls12, true)]
    [InlineData(TlsProtocols.Tls12, false)]
    [InlineData(TlsProtocols.Tls13, true)]
    [InlineData(TlsProtocols.Tls13, false)]
    public async Task The_servers_session_goes_on_through_many_transfers(TlsProtocols protocol, bool tickets)
    {
        await using var server = new SmallTlsServer(_made.Server(c => c with { Protocols = protocol, SessionTickets = tickets })) { RequiresReuse = true };
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "proxy_starttls on;");
        using var client = await ScriptedClient.LogInAsync(proxy.Plain);
        for (var i = 0; i < 40; i++)
        {
            if (i % 2 == 0)
                Assert.Equal(SmallServer.Payload(2000), await client.DownloadAsync("2000"));
            else
                await client.UploadAsync($"file{i}", SmallServer.Payload(2000));
        }
        await client.QuitAsync();
        Assert.Equal(40, server.Resumed.Count);
        Assert.DoesNotContain(server.Resumed, static r => r != true);
    }

    private TlsContext Client(TlsProtocols protocol) => _made.Client(c => c with { Protocols = protocol });
}
