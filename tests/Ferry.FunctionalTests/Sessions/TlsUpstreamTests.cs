using System.Linq;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>What Ferry and a server agree on (<c>proxy_ssl</c>, <c>proxy_starttls</c>, <c>proxy_ftp_prot</c>), whatever the client speaks.</summary>
public sealed class TlsUpstreamTests : IDisposable
{
    private readonly TlsContexts _made = new();

    public void Dispose() => _made.Dispose();

    public static TheoryData<string, bool, string> Combinations
    {
        get
        {
            var all = new TheoryData<string, bool, string>();
            foreach (var client in (string[])["plain", "explicit", "implicit"])
            {
                all.Add("proxy_ssl on;", true, client);
                all.Add("proxy_starttls on;", false, client);
                all.Add("proxy_starttls match;", false, client);
            }
            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public async Task Any_client_reaches_a_server_that_requires_TLS_sessions_to_go_on(string directives, bool isImplicitServer, string kind)
    {
        await using var server = new SmallTlsServer(_made.Server(), isImplicitServer) { RequiresReuse = true };
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, $"starttls on; {directives}");
        using var client = kind switch
        {
            "plain" => await ScriptedClient.LogInAsync(proxy.Plain),
            "explicit" => await ScriptedClient.LogInTlsAsync(proxy.Plain),
            _ => await ScriptedClient.LogInTlsAsync(proxy.Implicit, isImplicit: true),
        };
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(SmallServer.Payload(200_000), await client.DownloadAsync("200000"));
            await client.UploadAsync($"file{i}", SmallServer.Payload(150_000, i));
            Assert.Equal(SmallServer.Payload(150_000, i), server.Stored[$"file{i}"].Bytes);
        }
        await client.QuitAsync();
        await proxy.Ferry.UntilIdleAsync();
        // A client in clear has asked for nothing, and "match" gives it just that.
        var isTls = kind != "plain" || !directives.Contains("match", StringComparison.Ordinal);
        Assert.Equal(Enumerable.Repeat<bool?>(isTls ? true : null, 4), server.Resumed);
        Assert.Equal(isTls && !isImplicitServer ? 1 : 0, server.Count("AUTH TLS"));
    }

    [Fact]
    public async Task A_server_that_refuses_AUTH_is_not_used_and_its_greeting_never_seen()
    {
        await using var refusing = new SmallTlsServer(_made.Server(), answer: static l => l.StartsWith("AUTH", StringComparison.Ordinal) ? "502 No." : null);
        await using var good = new SmallTlsServer(_made.Server());
        await using (var proxy = await TlsProxy.BeforeAsync(_made, refusing.EndPoint, "proxy_starttls on;"))
        {
            using var client = await ScriptedClient.ConnectAsync(proxy.Plain);
            await client.ExpectAsync(421);
            await client.ExpectEndAsync();
            Assert.Contains("refuses TLS", Assert.Single(proxy.Said(411)).Message, StringComparison.Ordinal);
        }
        Assert.Equal(["AUTH TLS", "AUTH SSL"], refusing.Lines);
        await using (var proxy = await TlsProxy.BeforeAsync(_made, refusing.EndPoint, "proxy_starttls on;", null, good.EndPoint))
        {
            using var client = await ScriptedClient.LogInAsync(proxy.Plain);
            Assert.Equal(SmallServer.Payload(100), await client.DownloadAsync("100"));
            await client.QuitAsync();
        }
        Assert.Equal([true], good.Resumed);
    }

    [Theory]
    [InlineData("on")]
    [InlineData("match")]
    public async Task A_server_that_knows_only_AUTH_SSL_is_spoken_to_in_TLS(string mode)
    {
        await using var server = new SmallTlsServer(_made.Server(), answer: static l => l == "AUTH TLS" ? "504 Unknown." : null) { RequiresReuse = true };
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, $"starttls on; proxy_starttls {mode};");
        using var client = await ScriptedClient.LogInTlsAsync(proxy.Plain);
        Assert.Equal(SmallServer.Payload(100), await client.DownloadAsync("100"));
        await client.QuitAsync();
        Assert.Equal(["AUTH TLS", "AUTH SSL"], server.Lines.Take(2));
        Assert.Equal([true], server.Resumed);
    }

    [Fact]
    public async Task A_client_whose_server_has_no_TLS_is_told_431_where_both_are_to_match_and_may_go_on_in_clear()
    {
        await using var server = new SmallTlsServer(_made.Server(), answer: static l => l.StartsWith("AUTH", StringComparison.Ordinal) ? "500 What?" : null);
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls on; proxy_starttls match;");
        using var client = await ScriptedClient.ConnectAsync(proxy.Plain);
        await client.ExpectAsync(220);
        await client.CommandAsync("AUTH TLS", 431);
        await client.CommandAsync("USER x", 331);
        await client.CommandAsync("PASS x", 230);
        Assert.Equal(SmallServer.Payload(100), await client.DownloadAsync("100"));
        await client.QuitAsync();
        Assert.Equal([(bool?)null], server.Resumed);
    }

    [Theory]
    [InlineData("match", false, true)]
    [InlineData("private", true, true)]
    [InlineData("clear", false, false)]
    public async Task The_servers_data_is_protected_as_proxy_ftp_prot_says(string rule, bool withClearClient, bool withPrivateClient)
    {
        await using var server = new SmallTlsServer(_made.Server());
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, $"starttls on; proxy_starttls on; proxy_ftp_prot {rule};");
        using var client = await ScriptedClient.LogInTlsAsync(proxy.Plain);
        foreach (var isPrivate in (bool[])[false, true, false])
        {
            await client.CommandAsync(isPrivate ? "PROT P" : "PROT C", 200);
            client.DataTls = isPrivate ? TlsEnd.Client : null;
            Assert.Equal(SmallServer.Payload(9000), await client.DownloadAsync("9000"));
        }
        await client.QuitAsync();
        Assert.Equal(((bool[])[withClearClient, withPrivateClient, withClearClient]).Select(static p => p ? true : (bool?)null), server.Resumed);
    }

    [Theory]
    [InlineData("proxy_ftp_prot private;", false)]
    [InlineData("", true)]
    public async Task Data_that_the_server_refuses_to_protect_is_not_sent_in_clear(string directives, bool isTlsClient)
    {
        await using var server = new SmallTlsServer(_made.Server(), answer: static l => l == "PROT P" ? "536 No." : null);
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, $"starttls on; proxy_starttls on; {directives}");
        using var client = isTlsClient ? await NewTlsAsync(proxy) : await ScriptedClient.LogInAsync(proxy.Plain);
        if (isTlsClient)
        {
            await client.CommandAsync("PROT P", 536);
        }
        else
        {
            await client.CommandAsync("PASV", 521);
            await client.CommandAsync("RETR 10", 521);
        }
        await client.QuitAsync();
        Assert.DoesNotContain("PASV", server.Lines);
        Assert.Empty(server.Resumed);
    }

    [Fact]
    public async Task CCC_goes_to_the_server_too_where_both_are_to_match_and_data_resumes_what_was_before_it()
    {
        await using var server = new SmallTlsServer(_made.Server()) { RequiresReuse = true };
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls on; proxy_starttls match; ftp_tls_session_reuse required;");
        var context = _made.Client();
        using var client = await NativeClient.LogInAsync(proxy.Plain, context);
        using var session = client.Session();
        await client.CommandAsync("CCC", 200);
        await client.Wire.StopTlsAsync();
        await client.CommandAsync("NOOP", 200);
        for (var i = 0; i < 3; i++)
        {
            Assert.True(await client.DownloadAsync(5000, session));
            await client.UploadAsync($"file{i}", SmallServer.Payload(5000, i), session);
            Assert.Equal(SmallServer.Payload(5000, i), server.Stored[$"file{i}"].Bytes);
        }
        await client.CommandAsync("QUIT", 221);
        Assert.Equal(1, server.Count("CCC"));
        Assert.Equal(Enumerable.Repeat<bool?>(true, 6), server.Resumed);
        await proxy.Ferry.UntilIdleAsync();
    }

    [Fact]
    public async Task A_server_whose_421_answers_AUTH_ends_the_session()
    {
        await using var server = new SmallTlsServer(_made.Server(), answer: static l => l.StartsWith("AUTH", StringComparison.Ordinal) ? "421 Busy." : null);
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls on; proxy_starttls match;");
        using var client = await ScriptedClient.ConnectAsync(proxy.Plain);
        await client.ExpectAsync(220);
        Assert.Equal("421 Busy.", (await client.CommandAsync("AUTH TLS", 421)).Text);
        await client.ExpectEndAsync();
        Assert.Equal("upstream_closed", await proxy.EndReasonAsync());
    }

    [Fact]
    public async Task A_failed_data_connection_costs_the_next_ones_nothing()
    {
        await using var server = new SmallTlsServer(_made.Server()) { RequiresReuse = true };
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls on; proxy_starttls on;");
        using var client = await ScriptedClient.LogInTlsAsync(proxy.Plain);
        for (var i = 0; i < 3; i++)
        {
            var data = await client.ConnectDataAsync(await client.PasvAsync());
            await client.SendAsync($"STOR broken{i}");
            await client.ExpectAsync(150);
            if (i > 0)
                await data.StartTlsAsync(TlsEnd.Client);
            if (i > 1)
                await data.SendAsync(SmallServer.Payload(1000));
            data.Reset();
            Assert.Contains((await client.ReadReplyAsync()).Code, (int[])[425, 426]);
            await client.UploadAsync($"whole{i}", SmallServer.Payload(5000, i));
            Assert.Equal((SmallServer.Payload(5000, i).Length, TlsReadStatus.CloseNotify), (server.Stored[$"whole{i}"].Bytes.Length, server.Stored[$"whole{i}"].End));
        }
        await client.QuitAsync();
        Assert.DoesNotContain(false, server.Resumed);
        await proxy.Ferry.UntilIdleAsync();
    }

    [Fact]
    public async Task Many_sessions_at_once_resume_each_its_own()
    {
        await using var server = new SmallTlsServer(_made.Server()) { RequiresReuse = true };
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls on; proxy_starttls on;");
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async n =>
        {
            using var client = await ScriptedClient.LogInTlsAsync(proxy.Plain);
            for (var i = 0; i < 6; i++)
            {
                Assert.Equal(SmallServer.Payload(3000), await client.DownloadAsync("3000"));
                await client.UploadAsync($"{n}/{i}", SmallServer.Payload(3000, n));
            }
            await client.QuitAsync();
        }));
        Assert.Equal(Enumerable.Repeat<bool?>(true, 96), server.Resumed);
        Assert.All(server.Stored.Values, static s => Assert.Equal(TlsReadStatus.CloseNotify, s.End));
        await proxy.Ferry.UntilIdleAsync();
    }

    private static async Task<ScriptedClient> NewTlsAsync(TlsProxy proxy)
    {
        var client = await ScriptedClient.ConnectAsync(proxy.Plain);
        await client.ExpectAsync(220);
        await client.AuthAsync();
        await client.CommandAsync("USER x", 331);
        await client.CommandAsync("PASS x", 230);
        return client;
    }
}
