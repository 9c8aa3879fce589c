using System.IO;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.Tests;
using Ferry.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace Ferry.FunctionalTests.Transport.Tls;

public sealed class ReloadingTlsContextTests : IDisposable
{
    private readonly TlsContexts _made = new();
    private readonly CapturedLogs _logs = new();
    private readonly ManualTimeProvider _time = new(TimeProvider.System.GetUtcNow());

    public void Dispose()
    {
        _logs.Dispose();
        _made.Dispose();
    }

    [Fact]
    public async Task A_certificate_that_was_replaced_is_shown_after_two_looks()
    {
        using var context = Server(_made.ServerConfig());
        var before = context.Current;
        using var fresh = TestCertificate.SelfSigned(TestKey.Ecdsa);

        fresh.WriteTo(_made.Folder.Path, "default");
        await LookAsync(context);
        Assert.Same(before, context.Current); // it may still be written to
        await LookAsync(context);

        Assert.NotSame(before, context.Current);
        Assert.Equal(fresh.Certificate.RawData, Shown(context.Current));
        var said = Assert.Single(_logs.Records);
        Assert.Equal((LogLevel.Information, 150), (said.Level, said.Event.Id));
        Assert.Contains($"expires {fresh.Certificate.NotAfter.ToUniversalTime():u}", said.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_are_not_looked_at_with_every_beat()
    {
        using var context = Server(_made.ServerConfig());
        var idle = context.Looking;

        _time.Advance(ReloadingTlsContext.Interval - TimeSpan.FromMilliseconds(1));
        context.Sweep(_time.GetTimestamp());

        Assert.Same(idle, context.Looking);
        await LookAsync(context);
        Assert.NotSame(idle, context.Looking);
    }

    [Fact]
    public async Task Files_that_stay_are_not_read_again()
    {
        using var context = Server(_made.ServerConfig());
        var before = context.Current;

        await LookAsync(context, 4);

        Assert.Same(before, context.Current);
        Assert.Empty(_logs.Records);
    }

    [Fact]
    public async Task A_certificate_whose_key_has_not_come_yet_is_told_once_and_taken_when_it_has()
    {
        using var context = Server(_made.ServerConfig());
        var before = context.Current;
        using var fresh = TestCertificate.SelfSigned(TestKey.Ecdsa);

        File.WriteAllText(_made.Folder["default.crt"], fresh.ChainPem);
        await LookAsync(context, 5);
        Assert.Same(before, context.Current);
        var warning = Assert.Single(_logs.Records);
        Assert.Equal((LogLevel.Warning, 151), (warning.Level, warning.Event.Id));
        Assert.Contains("does not belong to the certificate", warning.Message, StringComparison.Ordinal);

        File.WriteAllText(_made.Folder["default.key"], fresh.KeyPem);
        await LookAsync(context, 2);
        Assert.Equal(fresh.Certificate.RawData, Shown(context.Current));
    }

    [Fact]
    public async Task A_file_that_is_gone_leaves_what_was_in_force()
    {
        using var context = Server(_made.ServerConfig());
        var before = context.Current;

        File.Delete(_made.Folder["default.key"]);
        await LookAsync(context, 3);

        Assert.Same(before, context.Current);
        Assert.Contains("there is no such file", Assert.Single(_logs.Records).Message, StringComparison.Ordinal);
        Assert.NotNull(Shown(before));
    }

    [Fact]
    public async Task What_a_symbolic_link_leads_to_is_what_is_looked_at()
    {
        var pair = _made.Write(TestCertificate.SelfSigned(TestKey.Ecdsa), "one");
        using var other = TestCertificate.SelfSigned(TestKey.Ecdsa);
        other.WriteTo(_made.Folder.Path, "two");
        File.CreateSymbolicLink(_made.Folder["live.crt"], "one.crt");
        File.CreateSymbolicLink(_made.Folder["live.key"], "one.key");
        pair = new TlsCertificateConfig(new PlacedText(_made.Folder["live.crt"]), new PlacedText(_made.Folder["live.key"]));
        using var context = Server(_made.ServerConfig() with { Certificates = [pair] });

        // As certbot does it: the links lead elsewhere.
        foreach (var kind in (string[])["crt", "key"])
        {
            File.CreateSymbolicLink(_made.Folder["new"], $"two.{kind}");
            File.Move(_made.Folder["new"], _made.Folder[$"live.{kind}"], overwrite: true);
        }
        await LookAsync(context, 2);

        Assert.Equal(other.Certificate.RawData, Shown(context.Current));
    }

    [Fact]
    public async Task An_old_session_goes_on_with_its_old_context()
    {
        using var context = Server(_made.ServerConfig());
        var old = context.Current;
        var client = _made.Client();
        var control = _made.Meet(client, old, new Meeting { ControlId = 7 });
        using var fresh = TestCertificate.SelfSigned(TestKey.Ecdsa);

        fresh.WriteTo(_made.Folder.Path, "default");
        await LookAsync(context, 2);
        var session = control.Client.Session();
        var data = _made.Meet(client, old, new Meeting { ControlId = 7, IsData = true, Resume = session });
        var stray = _made.Meet(client, context.Current, new Meeting { ControlId = 7, IsData = true, Resume = session });
        SslEnd.SSL_SESSION_free(session);

        Assert.True(data.Server.IsResumed);
        Assert.False(stray.Server.IsResumed);
    }

    [Theory]
    [InlineData("list")]
    [InlineData("authority")]
    public async Task Lists_and_authorities_towards_servers_are_followed_too(string what)
    {
        using var root = new TestAuthority();
        var leaf = root.Issue(TestKey.Ecdsa);
        var server = _made.Server(c => c with { Certificates = [_made.Write(leaf, "leaf")] });
        using var other = new TestAuthority("Other");
        var trusted = _made.Write("ca.crt", root.CertificatePem);
        var list = _made.Write("ca.crl", root.Crl());
        var findings = new List<ConfigDiagnostic>();
        using var context = ReloadingTlsContext.TryCreate(
            new UpstreamTlsConfig { Verify = true, TrustedCertificateFile = trusted, CrlFile = list }, findings, _time, _logs.CreateLogger("Ferry"))!;
        Assert.Null(_made.Meet(context.Current, server).Client.Failure);

        if (what == "list")
            File.WriteAllText(list.Value, root.Crl(leaf));
        else
            File.WriteAllText(trusted.Value, other.CertificatePem);
        await LookAsync(context, 2);

        Assert.Equal("certificate verify failed", _made.Meet(context.Current, server).Client.Failure);
    }

    [Fact]
    public async Task A_renewed_certificate_that_is_no_better_is_warned_of()
    {
        using var root = new TestAuthority();
        using var context = Server(_made.ServerConfig());
        using var expired = root.IssueExpired();

        expired.WriteTo(_made.Folder.Path, "default");
        await LookAsync(context, 2);

        Assert.Collection(
            _logs.Records,
            r => Assert.Contains("expired on", r.Message, StringComparison.Ordinal),
            r => Assert.Equal(150, r.Event.Id));
    }

    [Fact]
    public void What_cannot_be_used_is_no_context()
    {
        var findings = new List<ConfigDiagnostic>();

        Assert.Null(ReloadingTlsContext.TryCreate(_made.ServerConfig() with { Certificates = [] }, "ftp", findings, _time, _logs.CreateLogger("Ferry")));
        Assert.Single(findings);
    }

    private ReloadingTlsContext Server(ClientTlsConfig config)
    {
        var findings = new List<ConfigDiagnostic>();
        var context = ReloadingTlsContext.TryCreate(config, "ftp", findings, _time, _logs.CreateLogger("Ferry"));
        Assert.Empty(findings);
        return context!;
    }

    private byte[]? Shown(TlsContext context) => _made.Meet(_made.Client(), context).Client.PeerCertificate;

    private async Task LookAsync(ReloadingTlsContext context, int times = 1)
    {
        for (var i = 0; i < times; i++)
        {
            _time.Advance(ReloadingTlsContext.Interval);
            context.Sweep(_time.GetTimestamp());
            await Wait.For(context.Looking, "a look at the files");
        }
    }
}
