using System.Linq;
using System.Net;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>What passes over the control connections beside transfers, and how sessions end by a word or an end of stream.</summary>
public sealed class ConversationTests
{
    [Fact]
    public async Task A_server_that_closes_without_a_word_is_told_as_421_and_FIN()
    {
        await using var server = ScriptedServer.Start(static c => c.LogInAsync());
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        await client.ExpectAsync(421);
        Assert.Null(await client.TryReadReplyAsync());
        await proxy.UntilIdleAsync();
    }

    [Fact]
    public async Task A_server_that_says_421_itself_is_not_spoken_for()
    {
        await using var server = ScriptedServer.Start(static async c =>
        {
            await c.LogInAsync();
            await c.SendAsync("421 I am tired.");
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        Assert.Equal("421 I am tired.", (await client.ExpectAsync(421)).Text);
        Assert.Null(await client.TryReadReplyAsync());
    }

    [Fact]
    public async Task A_server_that_resets_is_told_as_421()
    {
        await using var server = ScriptedServer.Start(static async c =>
        {
            await c.LogInAsync();
            await c.ExpectAsync("NOOP");
            c.Reset();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        await client.CommandAsync("NOOP", 421);
        await client.ExpectEndAsync();
        await proxy.UntilIdleAsync();
    }

    [Fact]
    public async Task A_last_line_without_an_end_of_line_still_comes()
    {
        await using var server = ScriptedServer.Start(static async c =>
        {
            await c.LogInAsync();
            await c.ExpectAsync("QUIT");
            await c.Wire.SendRawAsync("221 Goodbye");
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        Assert.Equal("221 Goodbye", (await client.CommandAsync("QUIT")).Text);
        await client.ExpectEndAsync();
    }

    [Fact]
    public async Task A_client_that_closes_its_direction_after_its_commands_still_gets_all_replies()
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            await c.ExpectAsync("NOOP");
            await c.ExpectAsync("STAT");
            Assert.Null(await c.ReadLineAsync());
            await c.SendAsync("200 OK.", "211-Status:", " fine", "211 End");
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        // As printf … | nc does.
        await client.SendAsync("USER u", "PASS p", "NOOP", "STAT");
        client.Wire.ShutdownSend();
        foreach (var code in (int[])[220, 331, 230, 200, 211])
            await client.ExpectAsync(code);
        Assert.Null(await client.TryReadReplyAsync());
        await server.DoneAsync();
        await proxy.UntilIdleAsync();
    }

    [Fact]
    public async Task A_command_that_was_cut_off_by_the_end_is_no_command()
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            if (await c.ReadLineAsync() is { } line)
                throw new ScriptException($"a command came: {line}");
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        await client.Wire.SendRawAsync("DELE all-my-files");
        client.Wire.ShutdownSend();
        await client.ExpectEndAsync();
        await server.DoneAsync();
    }

    [Fact]
    public async Task A_command_line_without_end_gets_500_and_the_session_goes_on()
    {
        await using var server = ScriptedServer.Start(static async c =>
        {
            await c.LogInAsync();
            await c.AnswerAsync("NOOP", "200 OK.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        await client.SendAsync("STAT " + new string('x', 100_000), "NOOP");
        await client.ExpectAsync(500);
        await client.ExpectAsync(200);
        await client.QuitAsync();
        await server.DoneAsync();
    }

    [Fact]
    public async Task A_reply_line_without_end_is_cut_and_the_session_goes_on()
    {
        await using var server = ScriptedServer.Start(static async c =>
        {
            await c.LogInAsync();
            await c.AnswerAsync("STAT", "211-" + new string('x', 100_000), " " + new string('y', 9000), "211 End");
            await c.AnswerAsync("SYST", "215 " + new string('z', 100_000));
            await c.ServeRetrAsync(await c.AnswerPasvAsync(), "data"u8.ToArray());
            await c.AnswerAsync("NOOP", "200 OK.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        var status = await client.CommandAsync("STAT", 211);
        Assert.Equal([8190, 8190, 7], status.Lines.Select(static l => l.Length));
        Assert.Equal(8190, (await client.CommandAsync("SYST", 215)).Text.Length);
        Assert.Equal("data"u8.ToArray(), await client.DownloadAsync("x"));
        await client.CommandAsync("NOOP", 200);
        await client.QuitAsync();
        await server.DoneAsync();
    }

    [Fact]
    public async Task A_long_last_reply_of_a_transfer_is_cut_like_any_other()
    {
        await using var server = ScriptedServer.Start(static async c =>
        {
            await c.LogInAsync();
            var port = await c.AnswerPasvAsync();
            await c.ExpectAsync("RETR");
            using (var data = await c.AcceptAsync(port))
                await c.SendAsync("150 Here it comes.");
            await c.SendAsync("226 " + new string('x', 20_000));
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        Assert.Empty(await client.DownloadAsync("x"));
        Assert.Equal(8190, client.Wire.Lines[^1].Length);
        await client.QuitAsync();
        await server.DoneAsync();
    }

    [Theory]
    [InlineData("PORT 127,0,0,1,3,255", 500)] // port 1023
    [InlineData("PORT 127,0,0,2,4,1", 500)] // another's address
    [InlineData("PORT 127,0,0,1,4", 500)]
    [InlineData("EPRT |1|127.0.0.1|1023|", 501)]
    [InlineData("EPRT |1|127.0.0.2|1025|", 501)]
    [InlineData("EPRT |2|::1|1025|", 522)]
    [InlineData("AUTH TLS", 502)]
    [InlineData("auth ssl", 502)]
    [InlineData("LPRT 4,127,0,0,1,2,4,1", 502)]
    [InlineData("CPSV", 502)]
    [InlineData("SPSV", 502)]
    [InlineData("EPSV 2", 522)]
    [InlineData("EPSV 7", 522)]
    [InlineData("MODE B", 504)]
    public async Task A_command_that_Ferry_answers_itself_never_reaches_the_server(string command, int code)
    {
        await using var server = ScriptedServer.Start(static async c =>
        {
            await c.LogInAsync();
            await c.AnswerAsync("NOOP", "200 OK.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        // In its turn, though the server has not answered what came before.
        await client.SendAsync("NOOP", command);
        await client.ExpectAsync(200);
        await client.ExpectAsync(code);
        await client.QuitAsync();
        await server.DoneAsync();
    }

    [Fact]
    public async Task After_EPSV_ALL_only_EPSV_is_taken()
    {
        await using var server = ScriptedServer.Start(static async c =>
        {
            await c.LogInAsync();
            await c.AnswerAsync("EPSV", "200 EPSV ALL it is.");
            await c.ExpectAsync("EPSV");
            var port = c.OpenDataPort();
            await c.SendAsync(port.EpsvReply);
            await c.ServeRetrAsync(port, "data"u8.ToArray());
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        await client.CommandAsync("EPSV ALL", 200);
        await client.CommandAsync("PASV", 501);
        await client.CommandAsync("PORT 127,0,0,1,4,1", 501);
        Assert.Equal("data"u8.ToArray(), await client.DownloadAsync("x", extended: true));
        await client.QuitAsync();
        await server.DoneAsync();
    }

    [Fact]
    public async Task FEAT_lists_what_is_true_through_the_proxy()
    {
        await using var server = ScriptedServer.Start(static async c =>
        {
            await c.LogInAsync();
            await c.AnswerAsync("FEAT", "211-Features:", " AUTH TLS", " EPRT", " EPSV", " MDTM", " PBSZ", " PROT", " REST STREAM", " SIZE", " UTF8", " SSCN", "211 End");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        Assert.Equal(["211-Features:", " EPRT", " EPSV", " MDTM", " REST STREAM", " SIZE", " UTF8", "211 End"], (await client.CommandAsync("FEAT", 211)).Lines);
        await client.QuitAsync();
        await server.DoneAsync();
    }

    [Fact]
    public async Task More_commands_than_may_be_in_flight_are_all_answered_in_order()
    {
        const int many = 500;
        await using var server = ScriptedServer.Start(static async c =>
        {
            await c.LogInAsync();
            for (var i = 0; i < many; i++)
                await c.AnswerAsync("STAT", $"211 {i}");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        await client.SendAsync([.. Enumerable.Range(0, many).Select(static i => $"STAT {i}")]);
        for (var i = 0; i < many; i++)
            Assert.Equal($"211 {i}", (await client.ReadReplyAsync()).Text);
        await client.QuitAsync();
        await server.DoneAsync();
    }

    [Fact]
    public async Task An_IPv6_client_is_served_from_an_IPv4_server_with_EPSV()
    {
        await using var server = new SmallServer();
        var ports = FreePorts.Range(3);
        await using var proxy = await TestProxy.StartAsync($$"""
            events { worker_connections 100; }
            stream {
                server {
                    listen [::1]:{{FreePorts.One()}};
                    ftp_ctrl zone=ports:1M proxy_ip=::1 min_port={{ports}} max_port={{ports + 2}};
                    proxy_pass {{server.EndPoint}};
                }
            }
            """);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        await client.CommandAsync("PASV", 425);
        await client.CommandAsync("EPSV 1", 522);
        Assert.Equal(SmallServer.Payload(1000), await client.DownloadAsync("1000", extended: true));
        await client.UploadAsync("up", "six"u8.ToArray(), extended: true);
        Assert.Equal("six"u8.ToArray(), server.Stored["up"]);
        var extended = await client.CommandAsync("EPSV 2", 229);
        using var data = await client.ConnectDataAsync(new IPEndPoint(IPAddress.IPv6Loopback, extended.EpsvPort));
        await client.SendAsync("RETR 5");
        await client.ExpectAsync(150);
        Assert.Equal(SmallServer.Payload(5), (await data.ReceiveToEndAsync()).Bytes);
        await client.ExpectAsync(226);
        await client.QuitAsync();
        await proxy.UntilIdleAsync();
    }
}
