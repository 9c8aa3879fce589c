using System.Linq;
using System.Net.Sockets;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport.Linux;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>ABOR in the three ways in which clients send it.</summary>
public sealed class AbortTests
{
    private const int Large = 96 << 20; // more than the sockets on the way take (net.ipv4.tcp_wmem and tcp_rmem)
    private const string Interrupt = "\u00ff\u00f4\u00ff"; // IAC IP IAC, the last of them urgent
    private const string DataMark = "\u00f2ABOR\r\n";

    public enum Way
    {
        /// <summary>As any other command.</summary>
        Plain,

        /// <summary>RFC 959 §4.1.3: IAC IP, then the Synch, whose DM stands behind the urgent byte (lftp, curl and every BSD client).</summary>
        Synch,

        /// <summary>Python's ftplib: the whole line in one send with MSG_OOB, so its LF is urgent.</summary>
        AllUrgent,
    }

    [Theory]
    [InlineData(Way.Plain)]
    [InlineData(Way.Synch)]
    [InlineData(Way.AllUrgent)]
    public async Task A_download_is_aborted(Way way)
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            var port = await c.AnswerPasvAsync();
            await c.ExpectAsync("RETR");
            using var data = await c.AcceptAsync(port);
            await c.SendAsync("150 Here it comes.");
            var sending = data.SendAsync(SmallServer.Payload(Large));
            Require(await c.ReadLineAsync(), Line(way));
            data.Reset();
            await Assert.ThrowsAnyAsync<Exception>(() => sending);
            await c.SendAsync("426 Aborted.", "226 ABOR done.");
            await c.AnswerAsync("NOOP", "200 OK.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var data = await client.ConnectDataAsync(await client.PasvAsync());

        await client.SendAsync("RETR x");
        await client.ExpectAsync(150);
        await data.ReceiveAsync(1000);
        await AbortAsync(client, way);
        await client.ExpectAsync(426);
        await client.ExpectAsync(226);
        Assert.Equal(DataEnding.Reset, (await data.ReceiveToEndAsync()).Ending);
        await client.CommandAsync("NOOP", 200);
        await client.QuitAsync();
        await server.DoneAsync();
        await proxy.UntilIdleAsync();
    }

    [Theory]
    [InlineData(Way.Plain)]
    [InlineData(Way.Synch)]
    [InlineData(Way.AllUrgent)]
    public async Task An_upload_is_aborted(Way way)
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            var port = await c.AnswerPasvAsync();
            await c.ExpectAsync("STOR");
            using var data = await c.AcceptAsync(port);
            await c.SendAsync("150 Give it to me.");
            await data.ReceiveAsync(1000);
            Require(await c.ReadLineAsync(), Line(way));
            data.Dispose();
            await c.SendAsync("426 Aborted.", "226 ABOR done.");
            await c.AnswerAsync("NOOP", "200 OK.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var data = await client.ConnectDataAsync(await client.PasvAsync());

        await client.SendAsync("STOR x");
        await client.ExpectAsync(150);
        await data.SendAsync(SmallServer.Payload(1000));
        await AbortAsync(client, way);
        await client.ExpectAsync(426);
        await client.ExpectAsync(226);
        data.Dispose();
        await client.CommandAsync("NOOP", 200);
        await client.QuitAsync();
        await server.DoneAsync();
        await proxy.UntilIdleAsync();
    }

    [Theory]
    [InlineData(Way.Plain)]
    [InlineData(Way.Synch)]
    [InlineData(Way.AllUrgent)]
    public async Task An_ABOR_that_races_the_226_of_a_whole_file_gets_its_own_answer(Way way)
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            for (var i = 0; i < 2; i++)
            {
                await c.ServeRetrAsync(await c.AnswerPasvAsync(), SmallServer.Payload(1000));
                Require(await c.ReadLineAsync(), Line(way));
                await c.SendAsync("225 Nothing to abort.");
            }
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        for (var i = 0; i < 2; i++)
        {
            using var data = await client.ConnectDataAsync(await client.PasvAsync());
            await client.SendAsync("RETR x");
            Assert.Equal(SmallServer.Payload(1000), (await data.ReceiveToEndAsync()).Bytes);
            await AbortAsync(client, way);
            await client.ExpectAsync(150);
            await client.ExpectAsync(226);
            await client.ExpectAsync(225);
        }
        await client.QuitAsync();
        await server.DoneAsync();
        await proxy.UntilIdleAsync();
    }

    [Fact]
    public async Task An_ABOR_ends_the_wait_for_a_client_that_no_longer_reads()
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            var port = await c.AnswerPasvAsync();
            await c.ExpectAsync("RETR");
            using var data = await c.AcceptAsync(port);
            // It has said 226 and cannot take that back; the data stands in the proxy's way.
            await c.SendAsync("150 Here it comes.", "226 Sent.");
            var sending = data.SendAsync(SmallServer.Payload(Large));
            await c.AnswerAsync("ABOR", "225 Nothing to abort.");
            await Assert.ThrowsAnyAsync<Exception>(() => sending);
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var data = await client.ConnectDataAsync(await client.PasvAsync());

        await client.SendAsync("RETR x");
        await client.ExpectAsync(150);
        await client.SendAsync("ABOR");
        await client.ExpectAsync(426);
        await client.ExpectAsync(225);
        await client.QuitAsync();
        await server.DoneAsync();
        await proxy.UntilIdleAsync();
    }

    [Theory]
    [InlineData(Way.Synch)]
    [InlineData(Way.AllUrgent)]
    public async Task The_urgent_mark_reaches_the_server_where_the_client_set_it(Way way)
    {
        var before = "";
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            await c.AnswerAsync("NOOP", "200 OK.");
            before = await ReadToMarkAsync(c.Wire.Socket);
            Require(await c.ReadLineAsync(), Line(way)[Math.Min(before.Length, Line(way).Length)..]);
            await c.SendAsync("225 Nothing to abort.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);

        await client.CommandAsync("NOOP", 200);
        await AbortAsync(client, way);
        await client.ExpectAsync(225);
        Assert.Equal(way == Way.Synch ? Interrupt[..2] : "ABOR\r", before);
        await client.QuitAsync();
        await server.DoneAsync();
    }

    private static string Line(Way way) => way == Way.Synch ? Interrupt + DataMark[..^2] : "ABOR";

    private static async Task AbortAsync(ScriptedClient client, Way way)
    {
        switch (way)
        {
            case Way.Plain:
                await client.SendAsync("ABOR");
                break;
            case Way.Synch:
                await client.Wire.SendUrgentAsync(Interrupt);
                await client.Wire.SendRawAsync(DataMark);
                break;
            case Way.AllUrgent:
                await client.Wire.SendUrgentAsync("ABOR\r\n");
                break;
        }
    }

    /// <summary>Reads byte by byte until the next one is urgent.</summary>
    private static async Task<string> ReadToMarkAsync(Socket socket)
    {
        var read = "";
        var one = new byte[1];
        while (read.Length < 100)
        {
            await Wait.For(socket.ReceiveAsync(Array.Empty<byte>(), SocketFlags.None), "a byte");
            if (Libc.IsAtUrgentMark(socket.SafeHandle))
                return read;
            Assert.Equal(1, await socket.ReceiveAsync(one, SocketFlags.None));
            read += (char)one[0];
        }
        throw new ScriptException($"no byte was urgent in {read}");
    }

    private static void Require(string? actual, string expected)
    {
        if (actual != expected)
            throw new ScriptException($"expected {expected}, and got {string.Join(' ', (actual ?? "the end").Select(static c => $"{(int)c:x2}"))}");
    }
}
