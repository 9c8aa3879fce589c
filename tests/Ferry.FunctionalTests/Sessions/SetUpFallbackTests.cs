using System.Linq;
using System.Net;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>Servers that do not know one of the four commands: another one is asked, the client sees nothing of it, and it is remembered for the session.</summary>
public sealed class SetUpFallbackTests
{
    /// <summary>Asks three times in a session, and in a second session once more.</summary>
    [Theory]
    [InlineData(DataVerb.Epsv, "EPSV", "client", "PASV", "500 Unknown command.")]
    [InlineData(DataVerb.Epsv, "EPSV", "client", "PASV", "502 Not implemented.")]
    [InlineData(DataVerb.Pasv, "PASV", "client", "EPSV", "501 No.")]
    [InlineData(DataVerb.Eprt, "EPRT", "client", "PORT", "500 Unknown command.")]
    [InlineData(DataVerb.Eprt, "EPRT", "client", "PORT", "522 Protocol not supported, use (2)")]
    [InlineData(DataVerb.Port, "PORT", "client", "EPRT", "504 No.")]
    [InlineData(DataVerb.Port, "PASV", "passive", "EPSV", "500 Unknown command.")]
    [InlineData(DataVerb.Pasv, "PORT", "active", "EPRT", "500 Unknown command.")]
    [InlineData(DataVerb.Eprt, "EPRT", "active", "PORT", "500-Unknown\r\n500 command.")]
    public async Task What_a_server_does_not_know_is_asked_once_a_session_and_never_seen_by_the_client(DataVerb verb, string unknown, string mode, string known, string refusal)
    {
        await using var server = ScriptedServer.Start(c => PlayAsync(c, unknown, refusal));
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: $"proxy_ftp_data {mode};");

        foreach (var times in (int[])[3, 1])
        {
            using var client = new ModeClient(await ScriptedClient.LogInAsync(proxy.EndPoint), verb);
            for (var i = 0; i < times; i++)
                Assert.Equal("data"u8.ToArray(), await client.ReceiveAsync("RETR x"));
            await client.Control.CommandAsync("NOOP", 200);
            await client.QuitAsync();
            Assert.DoesNotContain(client.Control.Wire.Lines, l => l.StartsWith('5'));
            var asked = server.Connections[^1].Lines.Select(l => l.Split(' ')[0]).Where(w => w is "PASV" or "EPSV" or "PORT" or "EPRT");
            Assert.Equal([unknown, .. Enumerable.Repeat(known, times)], asked);
        }
        await server.DoneAsync();
        await proxy.UntilIdleAsync();
    }

    [Theory]
    [InlineData(DataVerb.Pasv, "client", "PASV EPSV")]
    [InlineData(DataVerb.Eprt, "client", "EPRT PORT PASV EPSV")]
    [InlineData(DataVerb.Eprt, "passive", "PASV EPSV")]
    [InlineData(DataVerb.Epsv, "port", "PORT")]
    public async Task A_server_that_knows_none_of_them_is_not_asked_for_ever(DataVerb verb, string mode, string expected)
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            for (var line = await c.ReadLineAsync(); line is not null && line != "QUIT"; line = await c.ReadLineAsync())
                await c.SendAsync(line == "NOOP" ? "200 OK." : "500 Unknown command.");
            await c.SendAsync("221 Goodbye.");
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: $"proxy_ftp_data {mode};");
        using var client = new ModeClient(await ScriptedClient.LogInAsync(proxy.EndPoint), verb);

        for (var i = 0; i < 3; i++)
        {
            var refusal = await client.TrySetUpAsync();
            Assert.True(refusal.Code is 500 or 502, refusal.Text);
            await client.Control.CommandAsync("NOOP", 200);
        }
        await client.QuitAsync();
        var asked = server.Connections[0].Lines.Select(l => l.Split(' ')[0]).Where(w => w is "PASV" or "EPSV" or "PORT" or "EPRT");
        Assert.Equal(expected.Split(' '), asked);
        await server.DoneAsync();
        await proxy.UntilIdleAsync();
    }

    [Theory]
    [InlineData(DataVerb.Port, "PORT EPRT", "502 No.")]
    [InlineData(DataVerb.Eprt, "EPRT PORT", "500 No.")]
    [InlineData(DataVerb.Port, "PORT EPRT", "550 Permission denied.")] // vsftpd with port_enable=NO
    public async Task A_client_in_active_mode_is_served_by_a_server_that_knows_passive_mode_only(DataVerb verb, string unknown, string refusal)
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            foreach (var word in unknown.Split(' '))
            {
                var line = await c.ReadLineAsync();
                Assert.StartsWith(word + " ", line, StringComparison.Ordinal);
                await c.SendAsync(refusal);
            }
            for (var i = 0; i < 2; i++)
                await c.ServeRetrAsync(await c.AnswerPasvAsync(), "data"u8.ToArray());
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = new ModeClient(await ScriptedClient.LogInAsync(proxy.EndPoint), verb);
        for (var i = 0; i < 2; i++)
            Assert.Equal("data"u8.ToArray(), await client.ReceiveAsync("RETR x"));
        await client.QuitAsync();
        await server.DoneAsync();
        await proxy.UntilAsync(static s => s.Zones.All(static z => z.Used == 0), "both tables of ports to be whole");
    }

    [Theory]
    [InlineData(DataVerb.Pasv, "425 Can't open.")]
    [InlineData(DataVerb.Port, "530 Not now.")]
    [InlineData(DataVerb.Epsv, "421 Too many.")]
    public async Task Another_refusal_is_the_clients_to_read_and_nothing_to_remember(DataVerb verb, string refusal)
    {
        var word = verb.ToString().ToUpperInvariant();
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            await c.AnswerAsync(word, refusal);
            if (!refusal.StartsWith("421", StringComparison.Ordinal))
                await PlayOnAsync(c, "none", "");
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = new ModeClient(await ScriptedClient.LogInAsync(proxy.EndPoint), verb);

        Assert.Equal(refusal, (await client.TrySetUpAsync()).Text);
        if (refusal.StartsWith("421", StringComparison.Ordinal))
        {
            await client.Control.ExpectEndAsync();
        }
        else
        {
            Assert.Equal("data"u8.ToArray(), await client.ReceiveAsync("RETR x"));
            await client.QuitAsync();
        }
        await server.DoneAsync();
        await proxy.UntilIdleAsync();
    }

    private static async Task PlayAsync(ScriptedConnection c, string unknown, string refusal)
    {
        await c.LogInAsync();
        await PlayOnAsync(c, unknown, refusal);
    }

    /// <summary>A server that knows all but one of the four.</summary>
    private static async Task PlayOnAsync(ScriptedConnection c, string unknown, string refusal)
    {
        DataPort? port = null;
        IPEndPoint? peer = null;
        while (await c.ReadLineAsync() is { } line)
        {
            switch (line.Split(' ')[0])
            {
                case var word when word == unknown:
                    await c.SendAsync(refusal);
                    break;
                case "PASV":
                    port = c.OpenDataPort();
                    await c.SendAsync(port.PasvReply);
                    break;
                case "EPSV":
                    port = c.OpenDataPort();
                    await c.SendAsync(port.EpsvReply);
                    break;
                case "PORT":
                    var numbers = line[5..].Split(',').Select(int.Parse).ToArray();
                    peer = new IPEndPoint(new IPAddress(numbers[..4].Select(n => (byte)n).ToArray()), numbers[4] * 256 + numbers[5]);
                    await c.SendAsync("200 PORT.");
                    break;
                case "EPRT":
                    var fields = line[5..].Split('|');
                    peer = new IPEndPoint(IPAddress.Parse(fields[2]), int.Parse(fields[3], System.Globalization.CultureInfo.InvariantCulture));
                    await c.SendAsync("200 EPRT.");
                    break;
                case "RETR":
                    await c.SendAsync("150 Here it comes.");
                    using (var data = port is not null ? await c.AcceptAsync(port) : await DataEnd.ConnectAsync(peer!))
                    {
                        await data.SendAsync("data"u8.ToArray());
                        await data.EndSendAsync();
                    }
                    (port, peer) = (null, null);
                    await c.SendAsync("226 Sent.");
                    break;
                case "QUIT":
                    await c.SendAsync("221 Goodbye.");
                    return;
                default:
                    await c.SendAsync("200 OK.");
                    break;
            }
        }
    }
}
