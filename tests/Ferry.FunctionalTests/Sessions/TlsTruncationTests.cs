using System.Linq;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>A stream that ends without close_notify was cut off, and is passed on so: no half file is ever stored as a whole one.</summary>
public sealed class TlsTruncationTests : IDisposable
{
    private readonly TlsContexts _made = new();

    public void Dispose() => _made.Dispose();

    public static TheoryData<TlsVersion, bool, bool> Ends
    {
        get
        {
            var all = new TheoryData<TlsVersion, bool, bool>();
            foreach (var version in (TlsVersion[])[TlsVersion.Tls12, TlsVersion.Tls13])
            {
                foreach (var isTlsServer in (bool[])[false, true])
                {
                    all.Add(version, isTlsServer, false);
                    all.Add(version, isTlsServer, true);
                }
            }
            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Ends))]
    public async Task An_upload_that_its_client_cuts_off_is_no_whole_file_on_the_server(TlsVersion version, bool isTlsServer, bool isReset)
    {
        await using var server = new SmallTlsServer(_made.Server());
        await using var proxy = await TlsProxy.BeforeAsync(
            _made, server.EndPoint, $"starttls on; {(isTlsServer ? "proxy_starttls on;" : "")} ftp_transfer_log transfers.json json;");
        using var client = await ScriptedClient.LogInTlsAsync(proxy.Plain, new TlsEnd { Version = version });
        using var data = await client.ConnectDataAsync(await client.PasvAsync());
        await client.SendAsync("STOR half");
        await client.ExpectAsync(150);
        await data.StartTlsAsync(new TlsEnd { Version = version });
        await data.SendAsync(SmallServer.Payload(100_000));
        if (isReset)
            data.Reset();
        else
            data.ShutdownSend();
        await client.ExpectAsync(426);

        var (bytes, end) = server.Stored["half"];
        Assert.Equal(isTlsServer && !isReset ? TlsReadStatus.Truncated : TlsReadStatus.Failed, end);
        if (isTlsServer && !isReset)
            Assert.Equal(SmallServer.Payload(100_000), bytes);
        await client.UploadAsync("whole", SmallServer.Payload(100_000));
        Assert.Equal(SmallServer.Payload(100_000), server.Stored["whole"].Bytes);
        Assert.Equal(isTlsServer ? TlsReadStatus.CloseNotify : null, server.Stored["whole"].End);
        await client.QuitAsync();

        var transfers = (await proxy.StopAndReadAsync("transfers.json")).ToDictionary(static t => t.GetProperty("path").GetString()!);
        Assert.Equal("client_aborted", transfers["half"].GetProperty("outcome").GetString());
        Assert.Equal("complete", transfers["whole"].GetProperty("outcome").GetString());
        if (!isReset)
            Assert.Equal("client_truncated", transfers["half"].GetProperty("relay_end").GetString());
    }

    [Theory]
    [InlineData(TlsVersion.Tls12, false)]
    [InlineData(TlsVersion.Tls12, true)]
    [InlineData(TlsVersion.Tls13, false)]
    [InlineData(TlsVersion.Tls13, true)]
    public async Task Where_it_is_allowed_an_end_without_close_notify_is_one(TlsVersion version, bool isTlsServer)
    {
        await using var server = new SmallTlsServer(_made.Server());
        await using var proxy = await TlsProxy.BeforeAsync(
            _made, server.EndPoint, $"starttls on; {(isTlsServer ? "proxy_starttls on;" : "")} ftp_tls_truncation allow; ftp_transfer_log transfers.json json;");
        using var client = await ScriptedClient.LogInTlsAsync(proxy.Plain, new TlsEnd { Version = version });
        using var data = await client.ConnectDataAsync(await client.PasvAsync());
        await client.SendAsync("STOR sloppy");
        await client.ExpectAsync(150);
        await data.StartTlsAsync(new TlsEnd { Version = version });
        await data.SendAsync(SmallServer.Payload(100_000));
        data.ShutdownSend();
        await client.ExpectAsync(226);
        await client.QuitAsync();
        Assert.Equal(SmallServer.Payload(100_000), server.Stored["sloppy"].Bytes);
        Assert.Equal(isTlsServer ? TlsReadStatus.CloseNotify : null, server.Stored["sloppy"].End);
        Assert.Equal("complete", Assert.Single(await proxy.StopAndReadAsync("transfers.json")).GetProperty("outcome").GetString());
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task A_download_that_its_server_cuts_off_is_426_and_no_whole_file_whatever_the_server_says(bool isTlsClient, bool isReset)
    {
        var read = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.SendAsync("220 scripted");
            await c.AnswerAuthAsync();
            await c.AnswerAsync("USER", "331 Password please.");
            await c.AnswerAsync("PASS", "230 Logged in.");
            await c.AnswerProtAsync();
            var port = await c.AnswerPasvAsync();
            await c.ExpectAsync("RETR");
            using var data = await c.AcceptAsync(port);
            await c.SendAsync("150 Here it comes.");
            await data.AcceptTlsAsync(TlsEnd.Server);
            await data.SendAsync(SmallServer.Payload(1000));
            await Wait.For(read.Task, "the client to have read");
            if (isReset)
                data.Reset();
            else
                data.ShutdownSend();
            await c.SendAsync("226 All is well.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls on; proxy_starttls on; ftp_transfer_log transfers.json json;");
        using var client = isTlsClient ? await ScriptedClient.LogInTlsAsync(proxy.Plain) : await ScriptedClient.LogInAsync(proxy.Plain);
        using var data = await client.ConnectDataAsync(await client.PasvAsync());
        await client.SendAsync("RETR x");
        await client.ExpectAsync(150);
        if (isTlsClient)
            await data.StartTlsAsync(TlsEnd.Client);
        Assert.Equal(SmallServer.Payload(1000), await data.ReceiveAsync(1000));
        read.SetResult();
        Assert.Equal(isTlsClient && !isReset ? DataEnding.Truncated : DataEnding.Reset, (await data.ReceiveToEndAsync()).Ending);
        await client.ExpectAsync(426);
        await client.QuitAsync();
        await server.DoneAsync();
        Assert.Equal("upstream_aborted", Assert.Single(await proxy.StopAndReadAsync("transfers.json")).GetProperty("outcome").GetString());
    }

    [Fact]
    public async Task An_empty_file_is_whole_in_TLS_both_ways()
    {
        await using var server = new SmallTlsServer(_made.Server());
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls on; proxy_starttls on;");
        using var client = await ScriptedClient.LogInTlsAsync(proxy.Plain);
        Assert.Empty(await client.DownloadAsync("0"));
        await client.UploadAsync("empty", Array.Empty<byte>());
        Assert.Equal(TlsReadStatus.CloseNotify, server.Stored["empty"].End);
        await client.QuitAsync();
    }
}
