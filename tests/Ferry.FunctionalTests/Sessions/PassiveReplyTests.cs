using System.Linq;
using System.Net;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>Rows 2, 3 and 8: what a server may write into its 227 and 229, and what becomes of it.</summary>
public sealed class PassiveReplyTests
{
    public static TheoryData<string> Useless => new(
        "227 Entering Passive Mode.",
        "227 Entering Passive Mode (10,66,77,88,4)",
        "227 Entering Passive Mode (10,66,77,88,256,1)",
        "227 Entering Passive Mode (10,66,77,88,0,0)",
        "227 Entering Passive Mode (10.66.77.88:1025)",
        "227 " + new string('x', 9000) + " (10,66,77,88,4,1)",
        "227 " + string.Join(',', Enumerable.Repeat("10,66,77,88", 5000)),
        "227",
        "228 Entering Long Passive Mode (4,4,10,66,77,88,2,4,1)",
        "229 Entering Extended Passive Mode (|1|10.66.77.88|1025|)",
        "229 Entering Extended Passive Mode (|||65536|) 10,66,77,88",
        "227-10,66,77,88\r\n10.66.77.88\r\n227 done");

    [Theory]
    [InlineData("227 Entering Passive Mode {0}")]
    [InlineData("227 entering passive mode ({0})")]
    [InlineData("227 =({0})")]
    [InlineData("227 Voie passive : {0}.")]
    [InlineData("227 At 2026 the port is ({0}), 17 seconds.")]
    public async Task A_227_is_known_by_its_code_and_numbers_whatever_the_text(string reply)
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            await c.ExpectAsync("pasv");
            var port = c.OpenDataPort();
            await c.SendAsync(reply.Replace("{0}", port.HostPort, StringComparison.Ordinal));
            await c.ServeRetrAsync(port, "data"u8.ToArray());
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);

        using var data = await client.ConnectDataAsync((await client.CommandAsync("pasv", 227)).PasvEndPoint);
        await client.SendAsync("RETR x");
        await client.ExpectAsync(150);
        Assert.Equal("data"u8.ToArray(), (await data.ReceiveToEndAsync()).Bytes);
        await client.ExpectAsync(226);
        await client.QuitAsync();
        await server.DoneAsync();
    }

    [Fact]
    public async Task A_227_inside_a_status_text_is_text_and_the_real_one_behind_it_is_not()
    {
        string[] status = ["211-Status:", "227 Entering Passive Mode (1,2,3,4,5,6).", "211 End"];
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            await c.AnswerAsync("STAT", status);
            var port = await c.AnswerPasvAsync();
            await c.ServeRetrAsync(port, "data"u8.ToArray());
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);

        Assert.Equal(status, (await client.CommandAsync("STAT")).Lines);
        Assert.Equal(0, proxy.Proxy.GetStatus().Zones[0].Used);
        Assert.Equal("data"u8.ToArray(), await client.DownloadAsync("x"));
        await client.QuitAsync();
        await server.DoneAsync();
    }

    [Fact]
    public async Task A_file_whose_150_speaks_of_passive_mode_is_no_227()
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            await c.AnswerAsync("PWD", "257 \"/Entering Passive Mode (127,0,0,1,9,9)\" is the folder.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);

        Assert.Equal("257 \"/Entering Passive Mode (127,0,0,1,9,9)\" is the folder.", (await client.CommandAsync("PWD")).Text);
        await client.QuitAsync();
        await server.DoneAsync();
    }

    [Theory]
    [MemberData(nameof(Useless))]
    public async Task A_useless_answer_gives_425_and_its_address_reaches_nobody(string reply)
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            if (c.Number == 0)
                await c.AnswerAsync(reply[..3] == "229" ? "EPSV" : "PASV", reply);
            await c.ServeRetrAsync(await c.AnswerPasvAsync(), "data"u8.ToArray());
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var other = await ScriptedClient.LogInAsync(proxy.EndPoint);

        await client.CommandAsync(reply[..3] == "229" ? "EPSV" : "PASV", 425);
        Assert.Equal(0, proxy.Proxy.GetStatus().Zones[0].Used);
        Assert.Equal("data"u8.ToArray(), await other.DownloadAsync("x"));
        Assert.Equal("data"u8.ToArray(), await client.DownloadAsync("x"));
        await client.QuitAsync();
        await other.QuitAsync();
        Assert.DoesNotContain(client.Wire.Lines.Concat(other.Wire.Lines), l => l.Contains("10,66", StringComparison.Ordinal) || l.Contains("10.66", StringComparison.Ordinal));
        await server.DoneAsync();
    }

    [Fact]
    public async Task A_227_that_nobody_asked_for_reaches_nobody()
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            await c.SendAsync("227 Entering Passive Mode (10,66,77,88,4,1)", "200 behind it");
            await c.AnswerAsync("NOOP", "200 OK.");
            await c.AnswerAsync("XPASV", "227 Entering Passive Mode (10,66,77,88,4,1)");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);

        Assert.Equal("200 behind it", (await client.ReadReplyAsync()).Text);
        Assert.Equal("200 OK.", (await client.CommandAsync("NOOP")).Text);
        await client.CommandAsync("XPASV", 502);
        await client.QuitAsync();
        Assert.DoesNotContain(client.Wire.Lines, l => l.Contains("10,66", StringComparison.Ordinal));
        await server.DoneAsync();
    }

    [Fact]
    public async Task The_address_of_a_227_is_not_dialled()
    {
        Assert.Equal("127.0.0.1", await DialledAsync(announced: "127.0.0.9", ""));
    }

    [Theory]
    [InlineData("trust")]
    [InlineData("127.0.0.8/29")]
    [InlineData("10.0.0.0/8 127.0.0.9")]
    public async Task The_address_of_a_227_is_dialled_where_the_operator_trusts_it(string policy)
    {
        Assert.Equal("127.0.0.9", await DialledAsync(announced: "127.0.0.9", $"ftp_pasv_address {policy};"));
    }

    [Fact]
    public async Task An_address_outside_the_listed_networks_is_not_dialled()
    {
        Assert.Equal("127.0.0.1", await DialledAsync(announced: "127.0.0.9", "ftp_pasv_address 127.0.0.16/28 10.0.0.0/8;"));
    }

    /// <summary>The server says an address, and listens on it and on its own with the same port. Which of them is dialled?</summary>
    private static async Task<string> DialledAsync(string announced, string directives)
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            await c.ExpectAsync("PASV");
            using var port = new DataPort(IPAddress.Any);
            await c.SendAsync($"227 Entering Passive Mode ({DataPort.HostPortOf(new IPEndPoint(IPAddress.Parse(announced), port.EndPoint.Port))}).");
            await c.ExpectAsync("RETR");
            using var data = await port.AcceptAsync();
            await c.SendAsync("150 Here it comes.");
            await data.SendAsync(System.Text.Encoding.ASCII.GetBytes(((IPEndPoint)data.Socket.LocalEndPoint!).Address.ToString()));
            data.Dispose();
            await c.SendAsync("226 Sent.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: directives);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        var dialled = System.Text.Encoding.ASCII.GetString(await client.DownloadAsync("x"));
        await client.QuitAsync();
        await server.DoneAsync();
        return dialled;
    }
}
