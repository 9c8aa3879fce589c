using System.IO;
using System.Linq;
using System.Net;
using System.Security.Cryptography;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>Transfers that clients give up, hundreds of them: never a hang, never a reply too many or too few.</summary>
public sealed class AbortedTransfersTests
{
    /// <summary>The event "client says …".</summary>
    private const int Command = 420;

    public static TheoryData<ServerKind, DataVerb, bool, string> Sessions()
    {
        var sessions = new TheoryData<ServerKind, DataVerb, bool, string>();
        foreach (var kind in (ServerKind[])[ServerKind.Vsftpd, ServerKind.ProFtpd, ServerKind.Pyftpdlib])
        {
            foreach (var verb in Enum.GetValues<DataVerb>())
                sessions.Add(kind, verb, verb is DataVerb.Epsv or DataVerb.Port, "client");
        }
        sessions.Add(ServerKind.Vsftpd, DataVerb.Pasv, true, "active");
        sessions.Add(ServerKind.ProFtpd, DataVerb.Pasv, false, "active");
        sessions.Add(ServerKind.Vsftpd, DataVerb.Eprt, true, "passive");
        sessions.Add(ServerKind.ProFtpd, DataVerb.Port, false, "passive");
        return sessions;
    }

    public static TheoryData<ServerKind, bool> Ways => new()
    {
        { ServerKind.Vsftpd, false },
        { ServerKind.Vsftpd, true },
        { ServerKind.ProFtpd, false },
        { ServerKind.ProFtpd, true },
    };

    /// <summary>With no Ferry between, so that what is expected of the servers is what they do.</summary>
    [RootTheory("vsftpd", "proftpd", "pyftpdlib")]
    [InlineData(ServerKind.Vsftpd)]
    [InlineData(ServerKind.ProFtpd)]
    [InlineData(ServerKind.Pyftpdlib)]
    public async Task A_server_answers_each_transfer_and_each_ABOR(ServerKind kind)
    {
        await using var server = await RealServer.StartAsync(kind);
        await AbortedTransfers.PrepareAsync(server);
        using var client = await ModeClient.LogInAsync(server.EndPoint, DataVerb.Pasv, user: server.User, password: server.Password);
        await new AbortedTransfers(client, kind).RunAsync(24);
    }

    [RootTheory("vsftpd", "proftpd", "proftpd-mod-crypto", "pyftpdlib", "OpenSSL")]
    [MemberData(nameof(Sessions))]
    public async Task Through_Ferry_each_transfer_and_each_ABOR_is_answered_too(ServerKind kind, DataVerb verb, bool tls, string mode)
    {
        using var folder = new TempFolder();
        await using var server = await RealServer.StartAsync(kind, tls: tls ? new RealServerTls() : null);
        await AbortedTransfers.PrepareAsync(server);
        await using var proxy = await StartAsync(server.EndPoint, folder, tls, $"proxy_ftp_data {mode};");
        using (var client = await ModeClient.LogInAsync(proxy.EndPoint, verb, tls ? TlsEnd.Client : null, user: server.User, password: server.Password))
            await new AbortedTransfers(client, kind).RunAsync(32);
        await proxy.UntilIdleAsync();
    }

    [RootTheory("vsftpd", "proftpd", "proftpd-mod-crypto", "lftp")]
    [MemberData(nameof(Ways))]
    public async Task lftp_aborts_what_it_has_enough_of(ServerKind kind, bool active)
    {
        const int runs = 3;
        using var folder = new TempFolder();
        await using var server = await RealServer.StartAsync(kind);
        var bytes = RandomNumberGenerator.GetBytes(12 << 20);
        await server.PutAsync("file", bytes);
        await using var proxy = await StartAsync(server.EndPoint, folder, tls: false, "");
        var lftp = new Lftp(folder.Path, new ToolOptions { Active = active });

        // Each connection fetches its part, and gives up what comes behind it.
        var commands = Enumerable.Range(0, runs).Select(i => $"pget -n 4 pub/file -o {folder[$"part{i}"]}; cls -l pub/");
        // Slowly, or the first has the whole file before the others are there.
        await lftp.RunAsync(new FtpTarget("127.0.0.1", proxy.EndPoint.Port, server.User, server.Password), $"set net:limit-rate 6000000; set net:limit-max 500000; {string.Join("; ", commands)}");

        await proxy.UntilIdleAsync();
        for (var i = 0; i < runs; i++)
            Assert.True(bytes.AsSpan().SequenceEqual(File.ReadAllBytes(folder[$"part{i}"])));
        // The last part has nothing behind it.
        Assert.InRange(proxy.Logs.Records.Count(r => r.Event.Id == Command && r.Message.Contains("ABOR", StringComparison.Ordinal)), runs, runs * 3);
    }

    [RootTheory("vsftpd", "proftpd", "proftpd-mod-crypto")]
    [MemberData(nameof(Ways))]
    public async Task ftplib_aborts_over_and_over(ServerKind kind, bool active)
    {
        foreach (var tls in (bool[])[false, true])
        {
            // See AbortedTransfers: ProFTPD never answers what ftplib sends in clear.
            if (kind == ServerKind.ProFtpd && !tls)
                continue;
            using var folder = new TempFolder();
            await using var server = await RealServer.StartAsync(kind, tls: tls ? new RealServerTls() : null);
            await AbortedTransfers.PrepareAsync(server);
            await using var proxy = await StartAsync(server.EndPoint, folder, tls, "");
            var ftplib = new Ftplib(folder.Path, new ToolOptions { Active = active, Tls = tls ? ToolTls.Explicit : ToolTls.Plain });
            await ftplib.AbortAsync(new FtpTarget("127.0.0.1", proxy.EndPoint.Port, server.User, server.Password), "pub/endless", 20);
            await proxy.UntilIdleAsync();
        }
    }

    private static Task<TestProxy> StartAsync(IPEndPoint server, TempFolder folder, bool tls, string directives)
    {
        if (tls)
        {
            var files = TestCertificate.Shared.WriteTo(folder.Path);
            directives += $" starttls on; ssl_certificate {files.Chain}; ssl_certificate_key {files.Key}; proxy_starttls match;";
        }
        return TestProxy.BeforeAsync(server, directives: directives);
    }
}
