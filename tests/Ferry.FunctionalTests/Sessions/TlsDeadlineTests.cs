using System.Linq;
using System.Net.Sockets;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;
using Ferry.Tests;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>Every wait for TLS has an end, by a clock that stands still until the test moves it; and there are waits that must not be.</summary>
public sealed class TlsDeadlineTests : IDisposable
{
    // What is not under test ends nothing.
    private const string Patient = "starttls on; proxy_timeout 10h; ftp_login_timeout 10h; ftp_data_timeout 10h; ";

    private readonly TlsContexts _made = new();
    private readonly ManualTimeProvider _clock = new(TimeProvider.System.GetUtcNow());

    public void Dispose() => _made.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_550_comes_at_once_and_no_handshake_is_waited_for(bool isTlsServer)
    {
        await using var server = new SmallTlsServer(_made.Server(), answer: static l => l == "RETR missing" ? "550 No such file." : null);
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, Patient + (isTlsServer ? "proxy_starttls on;" : ""), _clock);
        using var client = await ScriptedClient.LogInTlsAsync(proxy.Plain);
        for (var i = 0; i < 3; i++)
        {
            using var data = await client.ConnectDataAsync(await client.PasvAsync());
            await data.SendAsync(new byte[] { 22, 3, 1 }); // the beginning of a ClientHello, which some send before the command
            await client.CommandAsync("RETR missing", 550);
            // Left to the client to close, so that it meets no reset before it has read the 550; but not for ever.
            var ending = data.ReceiveToEndAsync();
            Assert.False(ending.IsCompleted);
            await MoveUntilAsync(ending, "the end of the data connection");
            Assert.Empty((await ending).Bytes);
        }
        Assert.Equal(SmallServer.Payload(10), await client.DownloadAsync("10"));
        await client.QuitAsync();
        await proxy.Ferry.UntilIdleAsync();
    }

    [Theory]
    [InlineData("RETR 1000", false)]
    [InlineData("RETR 1000", true)]
    [InlineData("STOR x", false)]
    [InlineData("STOR x", true)]
    public async Task A_client_that_does_not_shake_hands_on_data_gets_425_in_time_and_its_session_goes_on(string command, bool hasBegun)
    {
        await using var server = new SmallTlsServer(_made.Server());
        await using var proxy = await TlsProxy.BeforeAsync(
            _made, server.EndPoint, Patient + "proxy_starttls on; ftp_data_connect_timeout 20s; ftp_transfer_log transfers.json json;", _clock);
        using var client = await ScriptedClient.LogInTlsAsync(proxy.Plain);
        using var data = await client.ConnectDataAsync(await client.PasvAsync());
        await client.SendAsync(command);
        await client.ExpectAsync(150);
        if (hasBegun)
            await data.SendAsync(new byte[] { 22, 3, 1, 2, 0, 1, 0 }); // a ClientHello that stops after its first bytes
        var reply = client.ReadReplyAsync();
        await MoveUntilAsync(reply, "the reply");
        Assert.Equal("425 Can't open data connection: TLS failed.", (await reply).Text);
        Assert.Equal(DataEnding.Reset, (await data.ReceiveToEndAsync()).Ending);
        Assert.Contains("in time", (await proxy.SaidOnceAsync(452)).Message, StringComparison.Ordinal);
        Assert.Equal(SmallServer.Payload(10), await client.DownloadAsync("10"));
        await client.QuitAsync();
        Assert.Equal(["client_tls_failed", "complete"], (await proxy.StopAndReadAsync("transfers.json")).Select(static t => t.GetProperty("outcome").GetString()).Order());
        Assert.DoesNotContain("x", server.Stored.Where(static s => s.Value.End is null or TlsReadStatus.CloseNotify).Select(static s => s.Key));
    }

    [Fact]
    public async Task A_server_that_does_not_shake_hands_on_data_is_425_in_time()
    {
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
            Assert.Equal(DataEnding.Reset, (await data.ReceiveToEndAsync()).Ending);
            await c.SendAsync("426 Something is wrong.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, Patient + "proxy_starttls on; ftp_data_connect_timeout 20s;", _clock);
        using var client = await ScriptedClient.LogInTlsAsync(proxy.Plain);
        using var data = await client.ConnectDataAsync(await client.PasvAsync());
        await client.SendAsync("RETR x");
        await client.ExpectAsync(150);
        await data.StartTlsAsync(TlsEnd.Client);
        var reply = client.ReadReplyAsync();
        await MoveUntilAsync(reply, "the reply");
        Assert.Equal("425 Can't open data connection: TLS with the server failed.", (await reply).Text);
        await client.QuitAsync();
        await server.DoneAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_does_not_shake_hands_is_hung_up_on_in_time(bool isImplicit)
    {
        await using var server = new SmallServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, Patient + "ssl_handshake_timeout 10s;", _clock);
        using var client = await ScriptedClient.ConnectAsync(isImplicit ? proxy.Implicit : proxy.Plain);
        if (!isImplicit)
        {
            await client.ExpectAsync(220);
            await client.CommandAsync("AUTH TLS", 234);
        }
        var end = client.ExpectEndAsync();
        await MoveUntilAsync(end, "the end");
        await end;
        Assert.Equal("client_tls_failed", await proxy.EndReasonAsync());
        Assert.Contains("in time", (await proxy.SaidOnceAsync(462)).Message, StringComparison.Ordinal);
        await proxy.Ferry.UntilIdleAsync();
    }

    [Theory]
    [InlineData("proxy_ssl on;", "", "in time")]
    [InlineData("proxy_starttls on;", "220 silent", "AUTH TLS in time")]
    [InlineData("proxy_starttls on;", "234 silent", "in time")]
    public async Task A_server_that_falls_silent_before_TLS_costs_its_time_and_the_next_is_used(string directives, string last, string said)
    {
        await using var silent = ScriptedServer.Start(async c =>
        {
            if (last.Length > 0)
                await c.SendAsync("220 silent");
            if (last.StartsWith("234", StringComparison.Ordinal))
                await c.AnswerAsync("AUTH TLS", last);
            await HearToEndAsync(c);
        });
        await using var good = new SmallTlsServer(_made.Server(), isImplicit: directives.StartsWith("proxy_ssl", StringComparison.Ordinal));
        await using var proxy = await TlsProxy.BeforeAsync(_made, silent.EndPoint, Patient + "proxy_connect_timeout 15s; " + directives, _clock, good.EndPoint);
        using var client = await ScriptedClient.ConnectAsync(proxy.Plain);
        var greeting = client.ReadReplyAsync();
        await MoveUntilAsync(greeting, "the greeting");
        Assert.Equal("220 small", (await greeting).Text);
        Assert.Contains(said, (await proxy.SaidOnceAsync(411)).Message, StringComparison.Ordinal);
        await client.QuitAsync();
        await silent.DoneAsync();
    }

    [Fact]
    public async Task A_server_that_falls_silent_after_its_234_ends_a_session_in_which_both_are_to_match()
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.SendAsync("220 silent");
            await c.AnswerAsync("AUTH TLS", "234 Go on.");
            await HearToEndAsync(c);
        });
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, Patient + "proxy_connect_timeout 15s; proxy_starttls match;", _clock);
        using var client = await ScriptedClient.ConnectAsync(proxy.Plain);
        await client.ExpectAsync(220);
        await client.SendAsync("AUTH TLS");
        var reply = client.ReadReplyAsync();
        await MoveUntilAsync(reply, "the reply");
        Assert.Equal(421, (await reply).Code);
        await client.ExpectEndAsync();
        Assert.Equal("upstream_tls_failed", await proxy.EndReasonAsync());
        Assert.Contains("in time", (await proxy.SaidOnceAsync(463)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_never_leaves_TLS_after_CCC_ends_the_session_in_time()
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.SendAsync("220 scripted");
            await c.AnswerAuthAsync();
            await c.AnswerAsync("USER", "331 Password please.");
            await c.AnswerAsync("PASS", "230 Logged in.");
            await c.AnswerProtAsync();
            await c.AnswerAsync("CCC", "200 Clear.");
            await HearToEndAsync(c); // Ferry's close_notify, and no answer to it
        });
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, Patient + "proxy_connect_timeout 15s; proxy_starttls match;", _clock);
        using var client = await ScriptedClient.LogInTlsAsync(proxy.Plain);
        await client.SendAsync("CCC");
        var reply = client.ReadReplyAsync();
        await MoveUntilAsync(reply, "the reply");
        Assert.Equal(421, (await reply).Code);
        await client.ExpectEndAsync();
        Assert.Equal("upstream_closed", await proxy.EndReasonAsync());
    }

    [Theory]
    [InlineData("proxy_timeout 30s;", "idle_timeout")]
    [InlineData("ftp_login_timeout 30s;", "login_timeout")]
    public async Task The_421_of_a_time_out_comes_encrypted_and_with_close_notify(string directives, string reason)
    {
        await using var server = new SmallServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls on; " + directives, _clock);
        using var client = await NativeClient.ConnectAsync(proxy.Plain, _made.Client());
        var told = client.ExpectAsync(421);
        await MoveUntilAsync(told, "the 421");
        await told;
        Assert.Null(await client.Wire.ReadLineAsync());
        Assert.Equal(TlsReadStatus.CloseNotify, client.Wire.End);
        Assert.Equal(reason, await proxy.EndReasonAsync());
    }

    private static async Task HearToEndAsync(ScriptedConnection c)
    {
        try
        {
            while (await c.Wire.Socket.ReceiveAsync(new byte[4096], SocketFlags.None) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // A reset is an end too.
        }
    }

    /// <summary>Moves the clock until the task has ended; what ends it must be what is under test, as all else is set far off.</summary>
    private Task MoveUntilAsync(Task task, string what) => Wait.Until(
        () =>
        {
            if (task.IsCompleted)
                return true;
            _clock.Advance(TimeSpan.FromSeconds(1));
            return false;
        },
        what);
}
