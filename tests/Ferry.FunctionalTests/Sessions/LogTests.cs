using System.IO;
using System.Linq;
using System.Text.Json;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>What is written of a session and its transfers, and what never is.</summary>
public sealed class LogTests
{
    [Fact]
    public async Task A_session_is_one_line_a_transfer_is_one_line_and_one_id_binds_them_to_the_messages()
    {
        await using var server = new SmallServer();
        JsonElement session;
        JsonElement[] transfers;
        IReadOnlyList<LogRecord> records;
        await using (var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: "access_log access.json; ftp_transfer_log transfers.json json;"))
        {
            using var client = await ScriptedClient.LogInAsync(proxy.EndPoint, user: "alice");
            await client.CommandAsync("TYPE I", 200);
            await client.DownloadAsync("12345");
            await client.UploadAsync("dir/a file", SmallServer.Payload(777));
            using (var data = await client.ConnectDataAsync(await client.PasvAsync()))
            {
                await client.SendAsync("RETR 40000000");
                await client.ExpectAsync(150);
                await data.ReceiveAsync(1000);
                data.Reset();
                await client.ExpectAsync(426);
            }
            await client.QuitAsync();
            await proxy.UntilIdleAsync();
            await Wait.For(proxy.Proxy.StopAsync(), "the proxy to stop");
            session = Assert.Single(Read(Path.Combine(proxy.Prefix, "access.json")));
            transfers = Read(Path.Combine(proxy.Prefix, "transfers.json"));
            records = proxy.Logs.Records;
        }

        Assert.Equal("alice", session.GetProperty("user").GetString());
        Assert.Equal("client_quit", session.GetProperty("end").GetString());
        Assert.Equal(3, session.GetProperty("transfers").GetInt32());
        Assert.Equal(777, session.GetProperty("data_bytes_to_upstream").GetInt64());
        Assert.True(session.GetProperty("data_bytes_to_client").GetInt64() > 12345 + 1000);
        Assert.Equal(["complete", "complete", "client_aborted"], transfers.Select(static t => t.GetProperty("outcome").GetString()));
        Assert.Equal(["upstream_closed", "client_closed"], transfers[..2].Select(static t => t.GetProperty("relay_end").GetString()));
        Assert.StartsWith("client_", transfers[2].GetProperty("relay_end").GetString(), StringComparison.Ordinal);
        Assert.EndsWith("_failed", transfers[2].GetProperty("relay_end").GetString(), StringComparison.Ordinal);
        Assert.Equal(["download", "upload", "download"], transfers.Select(static t => t.GetProperty("direction").GetString()));
        Assert.Equal("dir/a file", transfers[1].GetProperty("path").GetString());
        Assert.Equal(777, transfers[1].GetProperty("bytes").GetInt64());

        var id = session.GetProperty("session").GetString();
        Assert.All(transfers, t => Assert.Equal(id, t.GetProperty("session").GetString()));
        // Client connected, connected to server, port given, matched, finished, given back, ended.
        foreach (var said in (int[])[400, 410, 440, 451, 450, 441, 401])
            Assert.All(records.Where(r => r.Event.Id == said), r => Assert.Equal(id, r.Values["Session"]));
        Assert.Equal([1, 1, 3, 3, 3, 3, 1], ((int[])[400, 410, 440, 451, 450, 441, 401]).Select(said => records.Count(r => r.Event.Id == said)));
    }

    [Fact]
    public async Task A_transfer_in_an_xferlog_is_one_line_and_a_listing_is_none()
    {
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: "ftp_transfer_log xferlog xferlog;");
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint, user: "bob");
        await client.CommandAsync("TYPE I", 200);
        using (var data = await client.ConnectDataAsync(await client.PasvAsync()))
        {
            await client.SendAsync("LIST");
            await data.ReceiveToEndAsync();
            await client.ExpectAsync(150);
            await client.ExpectAsync(226);
        }
        await client.DownloadAsync("99");
        await client.QuitAsync();
        await proxy.UntilIdleAsync();
        await Wait.For(proxy.Proxy.StopAsync(), "the proxy to stop");
        var line = Assert.Single(await File.ReadAllLinesAsync(Path.Combine(proxy.Prefix, "xferlog")));
        Assert.EndsWith(" 1 127.0.0.1 99 99 b _ o r bob ftp 0 * c", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_transfer_that_its_session_s_end_cuts_is_written_before_the_session()
    {
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: "access_log access.json; ftp_transfer_log transfers.json json;");
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var data = await client.ConnectDataAsync(await client.PasvAsync());
        await client.SendAsync("RETR 40000000");
        await client.ExpectAsync(150);
        await data.ReceiveAsync(5000);
        client.Reset();
        await proxy.UntilIdleAsync();
        await Wait.For(proxy.Proxy.StopAsync(), "the proxy to stop");
        var transfer = Assert.Single(Read(Path.Combine(proxy.Prefix, "transfers.json")));
        var session = Assert.Single(Read(Path.Combine(proxy.Prefix, "access.json")));
        Assert.Equal("session_ended", transfer.GetProperty("outcome").GetString());
        Assert.Equal("client_failed", session.GetProperty("end").GetString());
        Assert.Equal(transfer.GetProperty("bytes").GetInt64(), session.GetProperty("data_bytes_to_client").GetInt64());
    }

    [Fact]
    public async Task A_session_that_ends_with_an_unused_port_says_that_it_went_back()
    {
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        await client.PasvAsync();
        await client.QuitAsync();
        await proxy.UntilIdleAsync();
        Assert.Single(proxy.Logs.Records, static r => r.Event.Id == 440);
        Assert.Single(proxy.Logs.Records, static r => r.Event.Id == 441);
    }

    [Fact]
    public async Task No_password_gets_into_any_log_at_any_level()
    {
        const string secret = "hunter2secret";
        await using var server = ScriptedServer.Start(static async c =>
        {
            await c.SendAsync("220 scripted");
            while (await c.ReadLineAsync() is { } line)
            {
                // A server may repeat what it was told; that goes to the client and nowhere else.
                if (line.Contains(secret, StringComparison.Ordinal) || line.StartsWith("USER", StringComparison.Ordinal))
                    await c.SendAsync($"530 No: {line}");
                else
                    await c.SendAsync("221 Goodbye.");
            }
        });
        string[] files;
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: "access_log access.json; ftp_transfer_log transfers.json json;");
        using (var client = await ScriptedClient.ConnectAsync(proxy.EndPoint))
        {
            await client.ExpectAsync(220);
            await client.CommandAsync("USER alice", 530);
            foreach (var command in (string[])["PASS", "pass", "PaSs", "ACCT", "SITE PSWD old", "site chpass x", "\u00ff\u00f4PASS"])
                await client.CommandAsync($"{command} {secret}", 530);
            await client.CommandAsync($"PASS {secret}{new string('x', 9000)}", 500);
            await client.Wire.SendSplitAsync($"PASS {secret}\r\n", 9);
            await client.ExpectAsync(530);
            await client.SendAsync("QUIT");
            await client.ExpectAsync(221);
        }
        await Wait.For(proxy.Proxy.StopAsync(), "the proxy to stop");
        files = Directory.GetFiles(proxy.Prefix);
        Assert.Equal(2, files.Length);
        Assert.All(files, static f => Assert.DoesNotContain(secret, File.ReadAllText(f), StringComparison.OrdinalIgnoreCase));
        Assert.Contains(proxy.Logs.Records, static r => r.Event.Id == 420);
        Assert.All(proxy.Logs.Records, static r =>
        {
            Assert.DoesNotContain(secret, r.ToString(), StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(r.Values.Values, static v => v?.ToString()?.Contains(secret, StringComparison.OrdinalIgnoreCase) ?? false);
        });
    }

    private static JsonElement[] Read(string path) => [.. File.ReadAllLines(path).Select(static l => JsonDocument.Parse(l).RootElement)];
}
