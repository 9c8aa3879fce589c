using System.Text;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>Row 1: TCP cuts and joins as it likes, and nothing is lost, leaked or repeated.</summary>
public sealed class SplitTests
{
    private const int Whole = -1;
    private const int Bytewise = 0;

    // Longer than every line of the conversation, so that each of their bytes is once the first of a segment.
    private const int Longest = 62;

    [Fact]
    public async Task The_conversation_cut_at_every_byte_in_both_directions_gives_the_same_result_as_uncut()
    {
        await using var server = ScriptedServer.Start(PlayAsync);
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, ports: 200);
        var expected = await TalkAsync(proxy, Whole, Whole);
        Assert.Contains("226 joined", expected, StringComparison.Ordinal);

        var cuts = new List<(int Client, int Server)> { (Bytewise, Whole), (Whole, Bytewise), (Bytewise, Bytewise) };
        for (var at = 1; at < Longest; at++)
            cuts.AddRange([(at, Whole), (Whole, at)]);
        await Parallel.ForEachAsync(cuts, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (cut, _) =>
            Assert.Equal(expected, await TalkAsync(proxy, cut.Client, cut.Server)));

        await server.DoneAsync();
        await proxy.UntilIdleAsync();
    }

    [Theory]
    [InlineData("200 first\r\n200 second\r\n227 Entering Passive Mode ({0}).\r\n")]
    [InlineData("200 first\r\n200 second\r\n227-Entering\r\n227-Passive Mode\r\n227 ({0})\r\n")]
    [InlineData("200-first\r\n227 ({0})\r\n200 first\r\n200 second\r\n227-({0})\r\n 227 not the end\r\n227 End\r\n")]
    [InlineData("200 first\n200 second\n227 Entering Passive Mode ({0})\n")]
    public async Task Replies_that_come_in_one_segment_with_the_227_are_all_told_apart(string segment)
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            await c.ExpectAsync("NOOP");
            await c.ExpectAsync("NOOP");
            await c.ExpectAsync("PASV");
            var port = c.OpenDataPort();
            await c.Wire.SendRawAsync(segment.Replace("{0}", port.HostPort, StringComparison.Ordinal));
            await c.AnswerAsync("NOOP", "200 third");
            await c.ServeRetrAsync(port, "data"u8.ToArray());
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);

        await client.SendAsync("NOOP", "NOOP", "PASV", "NOOP");
        Assert.EndsWith("200 first", (await client.ReadReplyAsync()).Text, StringComparison.Ordinal);
        Assert.Equal("200 second", (await client.ReadReplyAsync()).Text);
        var passive = (await client.ExpectAsync(227)).PasvEndPoint;
        Assert.Equal("200 third", (await client.ReadReplyAsync()).Text);
        using var data = await client.ConnectDataAsync(passive);
        await client.SendAsync("RETR x");
        await client.ExpectAsync(150);
        Assert.Equal("data"u8.ToArray(), (await data.ReceiveToEndAsync()).Bytes);
        await client.ExpectAsync(226);
        await client.QuitAsync();
        await server.DoneAsync();
    }

    [Theory]
    [InlineData("227 Entering Passive Mode ({0}).\r\n", 227)]
    [InlineData("227 Entering Passive Mode ({0}).", 227)]
    [InlineData("227 Entering Passive Mode (127,0,0,", 425)]
    [InlineData("227-Entering Passive Mode ({0}).\r\n", 421)]
    public async Task A_server_that_closes_right_after_its_227_leaks_neither_address_nor_port(string reply, int code)
    {
        var told = "";
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            await c.ExpectAsync("PASV");
            told = c.OpenDataPort().HostPort;
            await c.Wire.SendRawAsync(reply.Replace("{0}", told, StringComparison.Ordinal));
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);

        await client.CommandAsync("PASV", code);
        if (code != 421)
            await client.ExpectAsync(421);
        await client.ExpectEndAsync();
        Assert.DoesNotContain(client.Wire.Lines, l => l.Contains(told, StringComparison.Ordinal));
        await proxy.UntilIdleAsync();
    }

    private static async Task<string> TalkAsync(TestProxy proxy, int cut, int serverCut)
    {
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
        var peer = await PeerSocket.FindAsync(client.Wire.Socket);
        var said = new StringBuilder();
        async Task<Reply> Hear()
        {
            var reply = await client.ReadReplyAsync();
            said.AppendLine(reply.Code is 227 or 229 ? $"{reply.Code}" : reply.Text);
            return reply;
        }
        async Task Say(string line) => await SendCutAsync(client.Wire, peer, line + "\r\n", cut);

        await Hear();
        await Say($"USER cut{serverCut}");
        await Hear();
        await Say("PASS secret");
        await Hear();
        await Say("PASV");
        using (var down = await client.ConnectDataAsync((await Hear()).PasvEndPoint))
        {
            await Say("RETR some/file of mine");
            await Hear();
            said.AppendLine(Encoding.Latin1.GetString((await down.ReceiveToEndAsync()).Bytes));
            await Hear();
        }
        await Say("EPSV");
        using (var up = await client.ConnectDataAsync(new(client.ControlEndPoint.Address, (await Hear()).EpsvPort)))
        {
            await Say("STOR other");
            await Hear();
            await up.SendAsync("upload"u8.ToArray());
            up.ShutdownSend();
            await Hear();
        }
        await Say("PASV");
        using (var list = await client.ConnectDataAsync((await Hear()).PasvEndPoint))
        {
            await Say("LIST");
            said.AppendLine(Encoding.Latin1.GetString((await list.ReceiveToEndAsync()).Bytes));
            await Hear();
            await Hear();
        }
        // Two commands that share a segment, or are cut together.
        await Say("NOOP\r\nSTAT");
        await Hear();
        await Hear();
        await Say("QUIT");
        await Hear();
        Assert.Null(await client.TryReadReplyAsync());
        return said.ToString();
    }

    private static async Task PlayAsync(ScriptedConnection c)
    {
        var cut = Whole;
        var peer = await PeerSocket.FindAsync(c.Wire.Socket);
        async Task Say(string text) => await SendCutAsync(c.Wire, peer, text, cut);
        await Say("220-Hello\r\n 220 not the end\r\n220 ready\r\n");
        var user = await c.ExpectAsync("USER");
        cut = int.Parse(user.AsSpan(user.IndexOf("cut", StringComparison.Ordinal) + 3), System.Globalization.CultureInfo.InvariantCulture);
        await Say("331 Password please.\r\n");
        Require(await c.ExpectAsync("PASS"), "PASS secret");
        await Say("230-Welcome\r\n230 Logged in.\r\n");

        await c.ExpectAsync("PASV");
        var port = c.OpenDataPort();
        await Say(port.PasvReply + "\r\n");
        Require(await c.ExpectAsync("RETR"), "RETR some/file of mine");
        using (var data = await c.AcceptAsync(port))
        {
            await Say("150 Here it comes.\r\n");
            await data.SendAsync("download"u8.ToArray());
        }
        await Say("226 Transfer complete.\r\n");

        await c.ExpectAsync("EPSV");
        port = c.OpenDataPort();
        await Say(port.EpsvReply + "\r\n");
        Require(await c.ExpectAsync("STOR"), "STOR other");
        using (var data = await c.AcceptAsync(port))
        {
            await Say("150 Give it to me.\r\n");
            Require(Encoding.Latin1.GetString((await data.ReceiveToEndAsync()).Bytes), "upload");
        }
        await Say("226 Transfer complete.\r\n");

        await c.ExpectAsync("PASV");
        port = c.OpenDataPort();
        await Say(port.PasvReply + "\r\n");
        await c.ExpectAsync("LIST");
        using (var data = await c.AcceptAsync(port))
            await data.SendAsync("listing"u8.ToArray());
        await Say("150 soon\r\n226 joined\r\n");

        await c.ExpectAsync("NOOP");
        await c.ExpectAsync("STAT");
        await Say("200 OK.\r\n211-Status\r\n 227 Entering Passive Mode\r\n211 End\r\n");
        await c.ExpectAsync("QUIT");
        await Say("221 Goodbye.\r\n");
    }

    private static Task SendCutAsync(LineWire wire, PeerSocket peer, string text, int at) =>
        at == Bytewise ? peer.SendBytewiseAsync(wire, text)
        : at > 0 && at < text.Length ? peer.SendSplitAsync(wire, text, at)
        : wire.SendRawAsync(text);

    private static void Require(string actual, string expected)
    {
        if (actual != expected)
            throw new ScriptException($"expected {expected}, and got {actual}");
    }
}
