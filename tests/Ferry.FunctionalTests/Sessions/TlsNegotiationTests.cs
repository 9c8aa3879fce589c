using System.Linq;
using System.Security.Authentication;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>What a client and Ferry agree on: AUTH, PBSZ, PROT, CCC (RFC 2228, RFC 4217).</summary>
public sealed class TlsNegotiationTests : IDisposable
{
    private readonly TlsContexts _made = new();

    public void Dispose() => _made.Dispose();

    [Fact]
    public async Task TLS_from_the_first_byte_with_AUTH_and_none_at_all_reach_the_same_server_block()
    {
        await using var server = new SmallServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls on;");
        using var clear = await ScriptedClient.LogInAsync(proxy.Plain);
        using var explicitly = await ScriptedClient.LogInTlsAsync(proxy.Plain);
        using var implicitly = await ScriptedClient.LogInTlsAsync(proxy.Implicit, isImplicit: true);
        var i = 0;
        foreach (var client in (ScriptedClient[])[clear, explicitly, implicitly])
        {
            Assert.Equal(SmallServer.Payload(100_000), await client.DownloadAsync("100000"));
            await client.UploadAsync($"file{i}", SmallServer.Payload(70_000, i));
            Assert.Equal(SmallServer.Payload(70_000, i), server.Stored[$"file{i++}"]);
            await client.QuitAsync();
        }
        await proxy.Ferry.UntilIdleAsync();
        // Nothing of the client's TLS is the server's affair.
        Assert.DoesNotContain(server.Script.Connections.SelectMany(static c => c.Lines), static l => l.Split(' ')[0] is "AUTH" or "PBSZ" or "PROT");
    }

    [Fact]
    public async Task Without_starttls_AUTH_is_refused_and_the_session_goes_on()
    {
        await using var server = new SmallServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "");
        using var client = await ScriptedClient.ConnectAsync(proxy.Plain);
        await client.ExpectAsync(220);
        await client.CommandAsync("AUTH TLS", 502);
        await client.CommandAsync("PBSZ 0", 503);
        await client.CommandAsync("PROT P", 503);
        await client.CommandAsync("USER x", 331);
        await client.CommandAsync("PASS x", 230);
        await client.QuitAsync();
        Assert.DoesNotContain(server.Script.Connections[0].Lines, static l => l.StartsWith("AUTH", StringComparison.Ordinal));
    }

    [Fact]
    public async Task With_starttls_only_nobody_logs_in_in_clear_and_no_password_is_passed_on()
    {
        await using var server = new SmallServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls only;");
        using var client = await ScriptedClient.ConnectAsync(proxy.Plain);
        await client.ExpectAsync(220);
        await client.CommandAsync("USER alice", 530);
        await client.CommandAsync("PASS hunter2", 530);
        await client.CommandAsync("PASV", 530);
        await client.CommandAsync("SYST", 200);
        await client.AuthAsync();
        await client.CommandAsync("USER alice", 331);
        await client.CommandAsync("PASS correct", 230);
        await client.CommandAsync("CCC", 534);
        await client.QuitAsync();
        Assert.Equal(["SYST", "USER alice", "PASS correct", "QUIT"], server.Script.Connections[0].Lines);
        Assert.DoesNotContain("hunter2", proxy.Logs.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("correct", proxy.Logs.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("AUTH TLS", false)]
    [InlineData("auth tls-c", false)]
    [InlineData("AUTH SSL", true)]
    [InlineData("AUTH TLS-P", true)]
    public async Task The_word_behind_AUTH_says_whether_data_is_protected_before_any_PROT(string command, bool isPrivate)
    {
        await using var server = new SmallServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls on;");
        using var client = await ScriptedClient.ConnectAsync(proxy.Plain);
        await client.ExpectAsync(220);
        await client.AuthAsync(command: command);
        await client.CommandAsync("AUTH TLS", 503);
        await client.CommandAsync("USER x", 331);
        await client.CommandAsync("PASS x", 230);
        client.DataTls = isPrivate ? TlsEnd.Client : null;
        Assert.Equal(SmallServer.Payload(5000), await client.DownloadAsync("5000"));
        await client.QuitAsync();
    }

    [Fact]
    public async Task PROT_and_PBSZ_are_answered_as_RFC_4217_has_it()
    {
        await using var server = new SmallServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls on;");
        using var client = await ScriptedClient.ConnectAsync(proxy.Plain);
        await client.ExpectAsync(220);
        await client.CommandAsync("AUTH KERBEROS_V4", 504);
        await client.AuthAsync();
        await client.CommandAsync("PBSZ 4096", 200);
        await client.CommandAsync("PBSZ x", 501);
        await client.CommandAsync("PROT S", 536);
        await client.CommandAsync("PROT E", 536);
        await client.CommandAsync("PROT X", 504);
        await client.CommandAsync("PROT", 501);
        await client.CommandAsync("prot p", 200);
        await client.QuitAsync();
    }

    [Fact]
    public async Task PROT_may_change_between_transfers_and_not_beneath_one()
    {
        await using var server = new SmallServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls on;");
        using var client = await ScriptedClient.LogInTlsAsync(proxy.Plain);
        foreach (var isPrivate in (bool[])[true, false, true, true, false])
        {
            await client.CommandAsync(isPrivate ? "PROT P" : "PROT C", 200);
            client.DataTls = isPrivate ? TlsEnd.Client : null;
            Assert.Equal(SmallServer.Payload(3000), await client.DownloadAsync("3000"));
        }
        await client.CommandAsync("PROT P", 200);
        using var data = await client.ConnectDataAsync(await client.PasvAsync());
        await client.SendAsync("RETR 20000", "PROT C");
        await client.ExpectAsync(150);
        await data.StartTlsAsync(TlsEnd.Client);
        Assert.Equal(SmallServer.Payload(20000), (await data.ReceiveToEndAsync()).Bytes);
        await data.EndSendAsync();
        await client.ExpectAsync(226);
        await client.ExpectAsync(200);
        client.DataTls = null;
        Assert.Equal(SmallServer.Payload(10), await client.DownloadAsync("10"));
        await client.QuitAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_CCC_the_control_connection_is_clear_and_data_stays_protected(bool isImplicit)
    {
        await using var server = new SmallServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls on;");
        using var client = await ScriptedClient.LogInTlsAsync(isImplicit ? proxy.Implicit : proxy.Plain, isImplicit: isImplicit);
        await client.CommandAsync("CCC", 200);
        await client.Wire.StopTlsAsync();
        await client.CommandAsync("NOOP", 200);
        await client.CommandAsync("PROT C", 503);
        await client.CommandAsync("AUTH TLS", 503);
        for (var i = 0; i < 2; i++)
            Assert.Equal(SmallServer.Payload(5000), await client.DownloadAsync("5000"));
        await client.QuitAsync();
        await proxy.Ferry.UntilIdleAsync();
        Assert.Equal("client_quit", await proxy.EndReasonAsync());
    }

    [Fact]
    public async Task A_client_that_goes_on_in_clear_after_CCC_without_close_notify_is_understood()
    {
        await using var server = new SmallServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls on;");
        using var client = await NativeClient.LogInAsync(proxy.Plain, _made.Client());
        await client.CommandAsync("CCC", 200);
        await client.Wire.StopTlsAsync(notify: false);
        await client.CommandAsync("NOOP", 200);
        await client.CommandAsync("QUIT", 221);
    }

    [Fact]
    public async Task A_client_in_clear_on_a_port_of_implicit_TLS_is_hung_up_on()
    {
        await using var server = new SmallServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls on;");
        using var client = await ScriptedClient.ConnectAsync(proxy.Implicit);
        await client.SendAsync("USER alice");
        await Assert.ThrowsAnyAsync<Exception>(() => client.ExpectAsync(220));
        Assert.Equal("client_tls_failed", await proxy.EndReasonAsync());
        Assert.Contains("speaks no TLS", Assert.Single(proxy.Said(462)).Message, StringComparison.Ordinal);
        Assert.Empty(server.Script.Connections);
        await proxy.Ferry.UntilIdleAsync();
    }

    [Fact]
    public async Task A_client_of_implicit_TLS_on_a_port_in_clear_fails_at_once()
    {
        await using var server = new SmallServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls on;");
        using (var client = await ScriptedClient.ConnectAsync(proxy.Plain))
            await Assert.ThrowsAsync<AuthenticationException>(() => client.StartTlsAsync());
        Assert.StartsWith("client_", await proxy.EndReasonAsync(), StringComparison.Ordinal);
        await proxy.Ferry.UntilIdleAsync();
    }

    [Theory]
    [InlineData("", false, " SIZE| EPRT| EPSV")]
    [InlineData("starttls on;", false, " SIZE| AUTH TLS| PBSZ| PROT| CCC| EPRT| EPSV")]
    [InlineData("starttls only;", false, " SIZE| AUTH TLS| PBSZ| PROT| EPRT| EPSV")]
    [InlineData("", true, " SIZE| PBSZ| PROT| CCC| EPRT| EPSV")]
    public async Task FEAT_names_the_TLS_that_Ferry_offers_and_not_the_servers(string directives, bool isImplicit, string features)
    {
        await using var server = new SmallTlsServer(_made.Server());
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, directives);
        using var client = await ScriptedClient.ConnectAsync(isImplicit ? proxy.Implicit : proxy.Plain);
        if (isImplicit)
            await client.StartTlsAsync();
        await client.ExpectAsync(220);
        Assert.Equal(features.Split('|'), (await client.CommandAsync("FEAT", 211)).Lines.Skip(1).SkipLast(1));
        if (directives.Length == 0)
            return;
        await client.AuthAsync();
        Assert.Equal(features.Split('|').Where(static f => f != " AUTH TLS"), (await client.CommandAsync("FEAT", 211)).Lines.Skip(1).SkipLast(1));
    }
}
