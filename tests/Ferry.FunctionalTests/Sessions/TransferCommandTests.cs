using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>Transfer commands that are refused, that come twice, that come early, and those that Ferry does not know.</summary>
public sealed class TransferCommandTests
{
    [Fact]
    public async Task A_refused_transfer_closes_the_clients_connection_and_gives_the_port_back()
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            await c.AnswerPasvAsync();
            await c.AnswerAsync("RETR", "550 No such file.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var data = await client.ConnectDataAsync(await client.PasvAsync());

        await client.CommandAsync("RETR x", 550);
        Assert.Empty((await data.ReceiveToEndAsync()).Bytes);
        await proxy.UntilAsync(s => s.Zones[0].Used == 0 && s.Transfers == 0, "the port to be back");
        await client.QuitAsync();
        await server.DoneAsync();
    }

    [Fact]
    public async Task A_server_whose_data_port_is_closed_gives_425_and_never_sees_the_command()
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            await c.ExpectAsync("PASV");
            var port = c.OpenDataPort();
            var reply = port.PasvReply;
            port.Refuse(); // before the answer, which the proxy may act on at once
            await c.SendAsync(reply);
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);

        await client.PasvAsync();
        await client.CommandAsync("RETR x", 425);
        await client.QuitAsync();
        await server.DoneAsync();
        await proxy.UntilIdleAsync();
    }

    [Fact]
    public async Task A_second_transfer_command_after_one_PASV_is_the_servers_to_answer()
    {
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var data = await client.ConnectDataAsync(await client.PasvAsync());

        await client.SendAsync("RETR 10", "RETR 20");
        await client.ExpectAsync(150);
        Assert.Equal(SmallServer.Payload(10), (await data.ReceiveToEndAsync()).Bytes);
        await client.ExpectAsync(226);
        await client.ExpectAsync(425);
        await client.QuitAsync();
        await proxy.UntilIdleAsync();
    }

    [Fact]
    public async Task A_command_that_Ferry_does_not_know_uses_the_passive_port_when_the_server_says_150()
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            var port = await c.AnswerPasvAsync();
            await c.ExpectAsync("XFETCH");
            await c.SendAsync("150 Here it comes.");
            using (var data = await c.AcceptAsync(port))
                await data.SendAsync("unknown"u8.ToArray());
            await c.SendAsync("226 Sent.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var data = await client.ConnectDataAsync(await client.PasvAsync());

        await client.SendAsync("XFETCH x");
        await client.ExpectAsync(150);
        Assert.Equal("unknown"u8.ToArray(), (await data.ReceiveToEndAsync()).Bytes);
        data.Dispose();
        await client.ExpectAsync(226);
        await client.QuitAsync();
        await server.DoneAsync();
        await proxy.UntilIdleAsync();
    }

    [Fact]
    public async Task The_client_may_connect_after_the_150()
    {
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        var passive = await client.PasvAsync();

        await client.SendAsync("RETR 1000");
        await client.ExpectAsync(150);
        using var data = await client.ConnectDataAsync(passive);
        Assert.Equal(SmallServer.Payload(1000), (await data.ReceiveToEndAsync()).Bytes);
        await client.ExpectAsync(226);
        await client.QuitAsync();
    }
}
