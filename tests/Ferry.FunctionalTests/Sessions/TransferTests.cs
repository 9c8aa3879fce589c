using System.Net.Sockets;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>What the two control connections say of a transfer, and when.</summary>
public sealed class TransferTests
{
    // More than the kernel's buffers of two connections hold.
    private const int Large = 96 << 20; // more than the sockets on the way take (net.ipv4.tcp_wmem and tcp_rmem)

    [Fact]
    public async Task The_226_comes_only_after_the_last_byte_has_been_delivered()
    {
        var begun = new TaskCompletionSource();
        var said = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            var port = await c.AnswerPasvAsync();
            await c.ExpectAsync("RETR");
            using var data = await c.AcceptAsync(port);
            await c.SendAsync("150 Here it comes.");
            await Wait.For(begun.Task, "the client to read the 150");
            // The server speaks of the end before it has begun.
            await c.SendAsync("226 Transfer complete.");
            await c.Wire.ReadByPeerAsync();
            said.SetResult();
            await data.SendAsync(SmallServer.Payload(Large));
            data.Dispose();
            await c.AnswerAsync("NOOP", "200 OK.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var data = await client.ConnectDataAsync(await client.PasvAsync());

        await client.SendAsync("RETR x");
        await client.ExpectAsync(150);
        begun.SetResult();
        await Wait.For(said.Task, "the server to say 226");
        await client.SendAsync("NOOP");
        var have = new byte[Large];
        var got = 0;
        var random = new Random(1);
        while (got < Large)
        {
            var piece = await data.ReceiveAsync(Math.Min(Large - got, random.Next(1, 3 << 20)));
            piece.CopyTo(have, got);
            got += piece.Length;
            // What the proxy cannot yet have given to the kernel is enough to know that no 226 may be here.
            if (got < Large - (16 << 20))
                Assert.False(client.Wire.Socket.Poll(0, SelectMode.SelectRead), $"a reply came {Large - got} bytes before the end");
        }
        Assert.Equal(SmallServer.Payload(Large), have);
        Assert.Equal(DataEnding.Closed, (await data.ReceiveToEndAsync()).Ending);
        await client.ExpectAsync(226);
        await client.ExpectAsync(200);
        await client.QuitAsync();
        await server.DoneAsync();
    }

    [Fact]
    public async Task No_byte_comes_before_the_150()
    {
        var go = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            var port = await c.AnswerPasvAsync();
            await c.ExpectAsync("RETR");
            using var data = await c.AcceptAsync(port);
            await data.SendAsync("early"u8.ToArray());
            data.Dispose();
            await c.SendAsync("110 Marker.");
            await Wait.For(go.Task, "the client to have looked");
            await c.SendAsync("150 Here it comes.", "226 Sent.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var data = await client.ConnectDataAsync(await client.PasvAsync());

        await client.SendAsync("RETR x");
        await client.ExpectAsync(110);
        Assert.False(data.Socket.Poll(0, SelectMode.SelectRead), "data came before the 150");
        go.SetResult();
        await client.ExpectAsync(150);
        Assert.Equal("early"u8.ToArray(), (await data.ReceiveToEndAsync()).Bytes);
        await client.ExpectAsync(226);
        await client.QuitAsync();
        await server.DoneAsync();
    }

    [Fact]
    public async Task A_download_whose_client_has_gone_is_426_whatever_the_server_says()
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            var port = await c.AnswerPasvAsync();
            await c.ExpectAsync("RETR");
            using var data = await c.AcceptAsync(port);
            await c.SendAsync("150 Here it comes.", "226-Transfer complete,", " says this server.", "226 Really.");
            await Assert.ThrowsAsync<SocketException>(() => data.SendAsync(SmallServer.Payload(Large)));
            await c.AnswerAsync("NOOP", "200 OK.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        var data = await client.ConnectDataAsync(await client.PasvAsync());

        await client.SendAsync("RETR x");
        await client.ExpectAsync(150);
        await data.ReceiveAsync(1000);
        data.Reset();
        await client.ExpectAsync(426);
        await client.CommandAsync("NOOP", 200);
        await client.QuitAsync();
        await proxy.UntilIdleAsync();
        await server.DoneAsync();
    }

    [Fact]
    public async Task A_cut_upload_reaches_the_server_as_RST_and_never_as_a_whole_file()
    {
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        var data = await client.ConnectDataAsync(await client.PasvAsync());

        await client.SendAsync("STOR half");
        await client.ExpectAsync(150);
        await data.SendAsync(SmallServer.Payload(100_000));
        data.Reset();
        await client.ExpectAsync(426);
        Assert.True(server.Broken.ContainsKey("half"));
        Assert.Empty(server.Stored);

        await client.UploadAsync("whole", SmallServer.Payload(100_000));
        Assert.Equal(SmallServer.Payload(100_000), server.Stored["whole"]);
        await client.QuitAsync();
        await proxy.UntilIdleAsync();
    }

    [Fact]
    public async Task A_download_that_the_server_cuts_reaches_the_client_as_RST()
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            var port = await c.AnswerPasvAsync();
            await c.ExpectAsync("RETR");
            var data = await c.AcceptAsync(port);
            await c.SendAsync("150 Here it comes.");
            await data.SendAsync(SmallServer.Payload(1000));
            data.Reset();
            await c.SendAsync("426 The disk is broken.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var data = await client.ConnectDataAsync(await client.PasvAsync());

        await client.SendAsync("RETR x");
        await client.ExpectAsync(150);
        Assert.Equal(DataEnding.Reset, (await data.ReceiveToEndAsync()).Ending);
        Assert.Equal("426 The disk is broken.", (await client.ExpectAsync(426)).Text);
        await client.QuitAsync();
        await server.DoneAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_NOOP_during_a_transfer_is_answered_when_and_as_the_server_answers_it(bool atOnce)
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            var port = await c.AnswerPasvAsync();
            await c.ExpectAsync("RETR");
            using var data = await c.AcceptAsync(port);
            await c.SendAsync("150 Here it comes.");
            await c.ExpectAsync("NOOP");
            if (atOnce)
                await c.SendAsync("200 NOOP.");
            await data.SendAsync("data"u8.ToArray());
            data.Dispose();
            await c.SendAsync("226 Sent.");
            if (!atOnce)
                await c.SendAsync("200 NOOP.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var data = await client.ConnectDataAsync(await client.PasvAsync());

        await client.SendAsync("RETR x");
        await client.ExpectAsync(150);
        await client.SendAsync("NOOP");
        if (atOnce)
            await client.ExpectAsync(200);
        Assert.Equal("data"u8.ToArray(), (await data.ReceiveToEndAsync()).Bytes);
        await client.ExpectAsync(226);
        if (!atOnce)
            await client.ExpectAsync(200);
        await client.QuitAsync();
        await server.DoneAsync();
    }
}
