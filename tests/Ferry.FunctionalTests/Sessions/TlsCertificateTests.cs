using System.IO;
using System.Linq;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;
using Ferry.Tests;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>Who is shown which certificate, who must show one, and who is believed.</summary>
public sealed class TlsCertificateTests : IDisposable
{
    private readonly TlsContexts _made = new();
    private readonly TestAuthority _trusted = new("Trusted Root");
    private readonly TestAuthority _other = new("Other Root");

    public void Dispose()
    {
        _trusted.Dispose();
        _other.Dispose();
        _made.Dispose();
    }

    [Theory]
    [InlineData("on", "none", false, "required", "NONE")]
    [InlineData("on", "trusted", true, "", "SUCCESS")]
    [InlineData("on", "other", false, "not trusted", "FAILED:")]
    [InlineData("optional", "none", true, "", "NONE")]
    [InlineData("optional", "trusted", true, "", "SUCCESS")]
    [InlineData("optional", "other", false, "not trusted", "FAILED:")]
    [InlineData("optional_no_ca", "none", true, "", "NONE")]
    [InlineData("optional_no_ca", "other", true, "", "FAILED:")]
    public async Task A_client_certificate_is_judged_as_ssl_verify_client_says(string mode, string shown, bool isLetIn, string reason, string verdict)
    {
        await using var server = new SmallServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint,
            $"starttls on; ssl_verify_client {mode}; ssl_client_certificate {_trusted.WriteTo(_made.Folder.Path)}; access_log access.txt verdict;", log: "log_format verdict '$ssl_client_verify $ftp_end';");
        foreach (var protocol in (TlsProtocols[])[TlsProtocols.Tls12, TlsProtocols.Tls13])
        {
            using var own = shown == "trusted" ? _trusted.IssueClient() : _other.IssueClient();
            var context = _made.Client(c => c with { Protocols = protocol, Certificate = shown == "none" ? null : _made.Write(own, $"client-{protocol}") });
            using var client = await NativeClient.ConnectAsync(proxy.Plain, context);
            if (isLetIn)
            {
                await client.CommandAsync("USER x", 331);
                await client.CommandAsync("PASS x", 230);
                await client.CommandAsync("PROT P", 200);
                using var session = client.Session();
                Assert.True(await client.DownloadAsync(1000, session));
                Assert.False(await client.DownloadAsync(1000, null));
                await client.CommandAsync("QUIT", 221);
            }
            else
            {
                Assert.Contains(reason, await client.ExpectAsync(421), StringComparison.Ordinal);
                Assert.Null(await client.Wire.ReadLineAsync());
                Assert.Equal(TlsReadStatus.CloseNotify, client.Wire.End);
            }
        }
        await proxy.StopAsync();
        Assert.All(File.ReadAllLines(Path.Combine(proxy.Ferry.Prefix, "access.txt")), l => Assert.Equal((true, isLetIn ? "client_quit" : "client_tls_failed"), (l.StartsWith(verdict, StringComparison.Ordinal), l.Split(' ')[^1])));
        Assert.Equal(isLetIn ? 0 : 2, proxy.Said(462).Length);
    }

    [Theory]
    [InlineData(TlsProtocols.Tls12)]
    [InlineData(TlsProtocols.Tls13)]
    public async Task A_data_connection_that_shows_no_certificate_is_refused_where_one_is_required(TlsProtocols protocol)
    {
        await using var server = new SmallServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, $"starttls on; ssl_verify_client on; ssl_client_certificate {_trusted.WriteTo(_made.Folder.Path)};");
        using var own = _trusted.IssueClient();
        using var client = await NativeClient.LogInAsync(proxy.Plain, _made.Client(c => c with { Protocols = protocol, Certificate = _made.Write(own, "client") }));
        using (var socket = await client.OpenDataAsync())
        {
            await client.CommandAsync("RETR 1000", 150);
            socket.Blocking = false;
            using var nameless = TlsConnection.Connect(_made.Client(c => c with { Protocols = protocol }), socket.AsConnection(), isData: true, TlsPeerName.Any, resume: null);
            if (await Wait.For(nameless.HandshakeAsync().AsTask(), "a handshake on data"))
                Assert.Empty((await TlsConnectionPair.ReadToEndAsync(nameless, socket)).Bytes);
            await client.ExpectAsync(425);
        }
        Assert.False(await client.DownloadAsync(1000, null));
        await client.CommandAsync("QUIT", 221);
    }

    [Fact]
    public async Task The_name_that_a_client_asks_for_chooses_the_certificate()
    {
        var directives = "starttls on;";
        foreach (var name in (string[])["one.example", "two.example"])
        {
            using var certificate = TestCertificate.SelfSigned(TestKey.Ecdsa, name);
            var files = certificate.WriteTo(_made.Folder.Path, name);
            directives += $" ssl_certificate {files.Chain}; ssl_certificate_key {files.Key};";
        }
        await using var server = new SmallServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, directives + " access_log access.json json;");
        var context = _made.Client();
        foreach (var (name, expected) in ((string?, string)[])[("one.example", "one"), ("two.example", "two"), ("three.example", "one"), (null, "one")])
        {
            using var client = await NativeClient.ConnectAsync(proxy.Implicit, context, isImplicit: true, name: name);
            Assert.Equal($"CN={expected}.example", client.Info.PeerSubject);
            await client.CommandAsync("QUIT", 221);
            await proxy.Ferry.UntilIdleAsync(); // a session's line is written at its end, which comes after the 221
        }
        var names = (await proxy.StopAndReadAsync("access.json")).Select(static s => s.GetProperty("client_tls").GetProperty("server_name").GetString());
        Assert.Equal(["one.example", "two.example", "three.example", null], names);
    }

    [Theory]
    [InlineData("right", "proxy_ssl_name ftp.example;", true, "")]
    [InlineData("right", "proxy_ssl_name ftp.other;", false, "hostname mismatch")]
    [InlineData("right", "", false, "hostname mismatch")] // "behind", the upstream's name
    [InlineData("behind", "", true, "")]
    [InlineData("address", "proxy_ssl_name 127.0.0.1;", true, "")]
    [InlineData("address", "proxy_ssl_name 127.0.0.2;", false, "IP address mismatch")]
    [InlineData("other", "proxy_ssl_name ftp.example;", false, "unable to get local issuer")]
    [InlineData("expired", "proxy_ssl_name ftp.example;", false, "expired")]
    public async Task A_server_is_used_only_where_its_certificate_is_good_and_the_right_one(string shown, string directives, bool isUsed, string reason)
    {
        using var certificate = shown switch
        {
            "right" => _trusted.Issue(TestKey.Rsa, "ftp.example"),
            "behind" => _trusted.Issue(TestKey.Rsa, "behind"),
            "address" => _trusted.Issue(TestKey.Rsa, "127.0.0.1"),
            "other" => _other.Issue(TestKey.Rsa, "ftp.example"),
            _ => _trusted.IssueExpired("ftp.example"),
        };
        var written = _made.Write(certificate, "upstream");
        foreach (var isImplicit in (bool[])[false, true])
        {
            await using var server = new SmallTlsServer(_made.TryServer(new ClientTlsConfig { Certificates = [written] })!, isImplicit);
            await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint,
                $"{(isImplicit ? "proxy_ssl" : "proxy_starttls")} on; proxy_ssl_verify on; proxy_ssl_trusted_certificate {_trusted.WriteTo(_made.Folder.Path)}; {directives}");
            if (isUsed)
            {
                using var client = await ScriptedClient.LogInAsync(proxy.Plain);
                Assert.Equal(SmallServer.Payload(1000), await client.DownloadAsync("1000"));
                await client.QuitAsync();
                continue;
            }
            using var refused = await ScriptedClient.ConnectAsync(proxy.Plain);
            await refused.ExpectAsync(421);
            await refused.ExpectEndAsync();
            Assert.Contains(reason, Assert.Single(proxy.Said(411)).Message, StringComparison.OrdinalIgnoreCase);
            Assert.Equal("no_upstream", await proxy.EndReasonAsync());
            Assert.DoesNotContain("USER", string.Join(' ', server.Lines), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_server_that_asks_is_shown_Ferrys_certificate_on_data_too()
    {
        using var own = _trusted.IssueClient("ferry-itself");
        var files = own.WriteTo(_made.Folder.Path, "own");
        var authority = new PlacedText(_trusted.WriteTo(_made.Folder.Path));
        await using var server = new SmallTlsServer(_made.Server(c => c with { VerifyClient = ClientVerification.On, ClientCertificateFile = authority }));
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, $"proxy_starttls on; proxy_ssl_certificate {files.Chain}; proxy_ssl_certificate_key {files.Key};");
        using var client = await ScriptedClient.LogInAsync(proxy.Plain);
        await client.DownloadAsync("10");
        await client.QuitAsync();
        var told = Assert.Single(server.Handshakes);
        Assert.Equal(("CN=ferry-itself", null), (told.PeerSubject, told.VerifyError));
        Assert.Equal([true], server.Resumed);
    }

    [Theory]
    [InlineData(TlsProtocols.Tls12)]
    [InlineData(TlsProtocols.Tls13)]
    public async Task A_certificate_that_is_replaced_on_disk_is_new_sessions_and_running_ones_go_on_with_theirs(TlsProtocols protocol)
    {
        var clock = new ManualTimeProvider(TimeProvider.System.GetUtcNow());
        Replace("first");
        var (chain, key) = (Path.Combine(_made.Folder.Path, "live.crt"), Path.Combine(_made.Folder.Path, "live.key"));
        await using var server = new SmallServer();
        await using var proxy = await TlsProxy.BeforeAsync(_made, server.EndPoint, $"starttls on; ftp_tls_session_reuse required; ssl_certificate {chain}; ssl_certificate_key {key};", clock);
        var context = _made.Client(c => c with { Protocols = protocol });
        using var running = await NativeClient.LogInAsync(proxy.Plain, context);
        using var session = running.Session();
        Assert.Equal("CN=first", running.Info.PeerSubject);

        Replace("second");
        await UntilSaidAsync(proxy, clock, 150);
        using (var fresh = await NativeClient.LogInAsync(proxy.Plain, context))
        {
            Assert.Equal("CN=second", fresh.Info.PeerSubject);
            using var own = fresh.Session();
            Assert.True(await fresh.DownloadAsync(1000, own));
        }
        Assert.True(await running.DownloadAsync(1000, session));
        await running.UploadAsync("up", SmallServer.Payload(1000), session);

        File.WriteAllText(key, "-----BEGIN PRIVATE KEY-----\nthis is none\n-----END PRIVATE KEY-----\n");
        await UntilSaidAsync(proxy, clock, 151);
        using (var fresh = await NativeClient.LogInAsync(proxy.Plain, context))
        {
            Assert.Equal("CN=second", fresh.Info.PeerSubject);
            using var own = fresh.Session();
            Assert.True(await fresh.DownloadAsync(1000, own));
        }
        Assert.DoesNotContain("this is none", proxy.Logs.ToString(), StringComparison.Ordinal);

        void Replace(string name)
        {
            using var certificate = TestCertificate.SelfSigned(TestKey.Ecdsa, name);
            certificate.WriteTo(_made.Folder.Path, "live");
        }
    }

    private static Task UntilSaidAsync(TlsProxy proxy, ManualTimeProvider clock, int id) => Wait.Until(
        () =>
        {
            if (proxy.Said(id).Length > 0)
                return true;
            clock.Advance(TimeSpan.FromSeconds(1));
            return false;
        },
        $"the message {id}");
}
