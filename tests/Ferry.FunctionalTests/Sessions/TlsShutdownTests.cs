using System.IO;
using System.Linq;
using System.Text.Json;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>Drain, stop and reload while TLS is spoken, what the logs then say of it, and old versions.</summary>
public sealed class TlsShutdownTests : IDisposable
{
    // OpenNJet's example of implicit FTPS.
    private const string OldList = "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_ciphers AES128-SHA:AES256-SHA:RC4-SHA:DES-CBC3-SHA:RC4-MD5;";

    private readonly TlsContexts _made = new();

    public void Dispose() => _made.Dispose();

    [Fact]
    public async Task A_drain_lets_transfers_in_TLS_finish_and_tells_idle_sessions_421_in_TLS()
    {
        var go = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(c => ServeAsync(c, go.Task));
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls on; proxy_starttls on;");
        using var busy = await NativeClient.LogInAsync(proxy.Plain, _made.Client());
        using var idle = await NativeClient.LogInAsync(proxy.Implicit, _made.Client(), isImplicit: true);
        using var socket = await busy.OpenDataAsync();
        await busy.CommandAsync("RETR x", 150);
        using var data = busy.Secure(socket, null);
        Assert.True(await Wait.For(data.HandshakeAsync().AsTask(), "a handshake on data"));
        Assert.Equal("before ", await TlsConnectionPair.ReadTextAsync(data, socket, 7));

        var drained = proxy.Ferry.Proxy.DrainAsync();
        await ExpectFarewellAsync(idle);
        Assert.False(drained.IsCompleted);
        go.SetResult();
        var (bytes, end) = await TlsConnectionPair.ReadToEndAsync(data, socket);
        Assert.Equal(("after", TlsReadStatus.CloseNotify), (System.Text.Encoding.ASCII.GetString(bytes), end));
        await data.EndSendAsync(notify: true);
        await busy.ExpectAsync(226);
        await ExpectFarewellAsync(busy);
        await Wait.For(drained, "the drain to end");
    }

    [Fact]
    public async Task A_stop_ends_transfers_in_TLS_as_aborts_and_sessions_with_421()
    {
        await using var server = ScriptedServer.Start(c => ServeAsync(c, Task.Delay(Timeout.Infinite)));
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls on; proxy_starttls on;");
        using var busy = await NativeClient.LogInAsync(proxy.Plain, _made.Client());
        using var shaking = await ScriptedClient.ConnectAsync(proxy.Implicit);
        using var socket = await busy.OpenDataAsync();
        await busy.CommandAsync("RETR x", 150);
        using var data = busy.Secure(socket, null);
        Assert.True(await Wait.For(data.HandshakeAsync().AsTask(), "a handshake on data"));
        Assert.Equal("before ", await TlsConnectionPair.ReadTextAsync(data, socket, 7));

        await Wait.For(proxy.Ferry.Proxy.StopAsync(), "the stop");
        Assert.Equal(TlsReadStatus.Failed, (await TlsConnectionPair.ReadToEndAsync(data, socket)).End);
        await ExpectFarewellAsync(busy);
        await shaking.ExpectEndAsync(); // and no word in clear
        Assert.Empty(shaking.Wire.Lines);
        var status = proxy.Ferry.Proxy.GetStatus();
        Assert.Equal((0, 0), (status.Sessions, status.Transfers));
    }

    [Theory]
    [InlineData(TlsProtocols.Tls12)]
    [InlineData(TlsProtocols.Tls13)]
    public async Task After_a_reload_running_sessions_go_on_with_theirs_and_new_ones_have_the_new_certificate(TlsProtocols protocol)
    {
        await using var server = new SmallTlsServer(_made.Server()) { RequiresReuse = true };
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls on; proxy_starttls on; ftp_tls_session_reuse required;");
        var context = _made.Client(c => c with { Protocols = protocol });
        using var running = await NativeClient.LogInAsync(proxy.Plain, context);
        using var session = running.Session();

        using var certificate = TestCertificate.SelfSigned(TestKey.Ecdsa, "renewed");
        var files = certificate.WriteTo(_made.Folder.Path, "renewed");
        var ferrys = Path.Combine(_made.Folder.Path, "ferry");
        Assert.Empty(await proxy.Ferry.ReloadAsync(proxy.Configuration
            .Replace($"{ferrys}.crt", files.Chain, StringComparison.Ordinal).Replace($"{ferrys}.key", files.Key, StringComparison.Ordinal)));
        using var fresh = await NativeClient.LogInAsync(proxy.Plain, context);
        Assert.Equal("CN=renewed", fresh.Info.PeerSubject);
        using var own = fresh.Session();
        for (var i = 0; i < 2; i++)
        {
            Assert.True(await running.DownloadAsync(1000, session));
            Assert.True(await fresh.DownloadAsync(1000, own));
        }
        await running.CommandAsync("QUIT", 221);
        await fresh.CommandAsync("QUIT", 221);
        Assert.DoesNotContain(server.Resumed, static r => r != true);
        await proxy.Ferry.UntilIdleAsync();
    }

    [Fact]
    public async Task A_reload_with_a_key_that_is_none_changes_nothing()
    {
        await using var server = new SmallServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls on;");
        var broken = _made.Folder.NewFile("broken.key", "none");
        var error = Assert.Single(await proxy.Ferry.ReloadAsync(proxy.Configuration.Replace(Path.Combine(_made.Folder.Path, "ferry.key"), broken, StringComparison.Ordinal)));
        Assert.StartsWith("test.conf:", error, StringComparison.Ordinal);
        using var client = await ScriptedClient.LogInTlsAsync(proxy.Plain);
        Assert.Equal(SmallServer.Payload(100), await client.DownloadAsync("100"));
    }

    [Fact]
    public async Task The_logs_tell_version_cipher_and_reuse_of_each_side_and_no_secret()
    {
        await using var server = new SmallTlsServer(_made.Server(c => c with { Protocols = TlsProtocols.Tls12 }));
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "starttls on; proxy_starttls on; access_log access.json json; ftp_transfer_log transfers.json json;");
        using (var client = await NativeClient.LogInAsync(proxy.Plain, _made.Client()))
        {
            using var session = client.Session();
            Assert.True(await client.DownloadAsync(100, session));
            Assert.False(await client.DownloadAsync(100, null));
            await client.CommandAsync("QUIT", 221);
        }
        var transfers = await proxy.StopAndReadAsync("transfers.json");
        var access = Assert.Single(File.ReadAllLines(Path.Combine(proxy.Ferry.Prefix, "access.json")));
        var line = JsonDocument.Parse(access).RootElement;
        Assert.Equal(("TLSv1.3", false), Tls(line, "client_tls"));
        Assert.Equal(("TLSv1.2", false), Tls(line, "upstream_tls"));
        Assert.StartsWith("TLS_", line.GetProperty("client_tls").GetProperty("cipher").GetString(), StringComparison.Ordinal);
        Assert.StartsWith("ECDHE-", line.GetProperty("upstream_tls").GetProperty("cipher").GetString(), StringComparison.Ordinal);
        Assert.Equal([("TLSv1.3", true), ("TLSv1.3", false)], transfers.Select(static t => Tls(t, "client_tls")));
        Assert.Equal([("TLSv1.2", true), ("TLSv1.2", true)], transfers.Select(static t => Tls(t, "upstream_tls")));
        foreach (var text in (string[])[access, proxy.Logs.ToString(), string.Join('\n', transfers)])
        {
            Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
            Assert.DoesNotContain("PRIVATE", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task TLS_1_0_and_its_ciphers_work_where_they_are_named_on_either_side()
    {
        var old = new PlacedText("AES128-SHA");
        await using var server = new SmallTlsServer(Rsa(TlsProtocols.Tls10, old), isImplicit: true) { RequiresReuse = true };
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, OldList + " proxy_ssl on; proxy_ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; proxy_ssl_ciphers AES128-SHA;");
        using var client = await NativeClient.LogInAsync(proxy.Implicit, _made.Client(c => c with { Protocols = TlsProtocols.Tls10, Ciphers = old }), isImplicit: true);
        Assert.Equal(("TLSv1", "AES128-SHA"), (client.Info.Protocol, client.Info.Cipher));
        using var session = client.Session();
        Assert.True(await client.DownloadAsync(50_000, session));
        await client.UploadAsync("old", SmallServer.Payload(50_000), session);
        Assert.Equal(SmallServer.Payload(50_000), server.Stored["old"].Bytes);
        await client.CommandAsync("QUIT", 221);
        Assert.Equal(("TLSv1", "AES128-SHA"), Assert.Single(server.Handshakes.Select(static h => (h.Protocol, h.Cipher))));
        Assert.Contains(proxy.Said(522), static r => r.Message.Contains("RC4-SHA", StringComparison.Ordinal));
    }

    [Fact]
    public async Task TLS_1_0_is_refused_on_either_side_where_nobody_has_named_it()
    {
        var old = new PlacedText("AES128-SHA");
        await using var server = new SmallTlsServer(Rsa(TlsProtocols.Tls10, old), isImplicit: true);
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, "proxy_ssl on;");
        using (var client = await ScriptedClient.ConnectAsync(proxy.Plain))
        {
            await client.ExpectAsync(421);
            Assert.Contains("protocol version", Assert.Single(proxy.Said(411)).Message, StringComparison.Ordinal);
        }
        using var wire = await NativeWire.ConnectAsync(proxy.Implicit);
        var tls = TlsConnection.Connect(_made.Client(c => c with { Protocols = TlsProtocols.Tls10, Ciphers = old }), wire.Socket.AsConnection(), isData: false, TlsPeerName.Any, resume: null);
        Assert.False(await wire.StartTlsAsync(tls));
        Assert.Contains("protocol version", tls.Failure, StringComparison.Ordinal);
        await proxy.Ferry.UntilIdleAsync();
        Assert.Contains("unsupported protocol", Assert.Single(proxy.Said(462)).Message, StringComparison.Ordinal);
    }

    private TlsContext Rsa(TlsProtocols protocol, PlacedText ciphers) => _made.Server(c => c with
    {
        Certificates = [_made.Write(TestCertificate.SelfSigned(), "rsa")],
        Protocols = protocol,
        Ciphers = ciphers,
    });

    private static (string?, bool) Tls(JsonElement line, string side)
    {
        var tls = line.GetProperty(side);
        return (tls.GetProperty("protocol").GetString(), tls.GetProperty("resumed").GetBoolean());
    }

    private static async Task ExpectFarewellAsync(NativeClient client)
    {
        await client.ExpectAsync(421);
        Assert.Null(await client.Wire.ReadLineAsync());
        Assert.Equal(TlsReadStatus.CloseNotify, client.Wire.End);
    }

    private static async Task ServeAsync(ScriptedConnection c, Task go)
    {
        await c.SendAsync("220 scripted");
        await c.AnswerAuthAsync();
        await c.AnswerAsync("USER", "331 Password please.");
        await c.AnswerAsync("PASS", "230 Logged in.");
        if (await c.ReadLineAsync() is not "PBSZ 0")
            return;
        await c.SendAsync("200 PBSZ set to 0.");
        await c.AnswerAsync("PROT P", "200 Agreed.");
        if (await c.ReadLineAsync() is not "PASV")
            return;
        var port = c.OpenDataPort();
        await c.SendAsync(port.PasvReply);
        await c.ExpectAsync("RETR");
        using var data = await c.AcceptAsync(port);
        await c.SendAsync("150 Here it comes.");
        await data.AcceptTlsAsync(TlsEnd.Server);
        await data.SendAsync("before "u8.ToArray());
        if (await Task.WhenAny(go, data.ReceiveToEndAsync()) != go)
            return;
        await data.SendAsync("after"u8.ToArray());
        await data.EndSendAsync();
        await c.SendAsync("226 Sent.");
        await c.ExpectEndAsync();
    }
}
