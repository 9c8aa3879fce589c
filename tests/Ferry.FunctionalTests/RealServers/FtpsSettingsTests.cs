using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Security.Authentication;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>What the matrix has no dimension for: large files, CCC, who has to show what, and what is refused.</summary>
public sealed class FtpsSettingsTests
{
    public static TheoryData<string> Resuming => ["curl", "lftp", "resuming"];

    public static TheoryData<string> All => ["curl", "lftp", "ftplib"];

    [RootTheory("vsftpd", "proftpd", "proftpd-mod-crypto", "pure-ftpd", "curl", "lftp")]
    [InlineData(TlsServer.VsftpdExplicit, ToolTls.Explicit, "curl")]
    [InlineData(TlsServer.ProFtpdImplicit, ToolTls.Plain, "lftp")]
    [InlineData(TlsServer.PureFtpdExplicit, ToolTls.Implicit, "resuming")]
    [InlineData(TlsServer.VsftpdPlain, ToolTls.Explicit, "lftp")]
    public async Task A_file_of_100_MiB_goes_there_and_back(TlsServer server, ToolTls client, string tool)
    {
        var cell = FtpsCell.Usual(server, client, tool);
        await using var real = await RealServer.StartAsync(server.Kind(), tls: server.Tls());
        await using var ferry = await FtpsFerry.StartAsync(real, [cell]);
        await ferry.RunLargeAsync(cell, mebibytes: 100);
    }

    [RootTheory("vsftpd", "curl", "lftp")]
    [MemberData(nameof(All))]
    public async Task A_client_may_clear_its_commands_again(string tool)
    {
        var cell = FtpsCell.Usual(TlsServer.VsftpdExplicit, ToolTls.Explicit, tool);
        await using var real = await RealServer.StartAsync(ServerKind.Vsftpd, tls: cell.Server.Tls());
        await using var ferry = await FtpsFerry.StartAsync(real, [cell]);
        await ferry.RunAsync(cell, cell.ToolOptions with { ClearCommands = true });
    }

    [RootTheory("vsftpd", "curl", "lftp")]
    [MemberData(nameof(Resuming))]
    public async Task A_client_that_resumes_works_where_it_has_to(string tool)
    {
        await using var real = await RealServer.StartAsync(ServerKind.Vsftpd, tls: TlsServer.VsftpdExplicit.Tls());
        FtpsCell[] cells = [FtpsCell.Usual(TlsServer.VsftpdExplicit, ToolTls.Explicit, tool), FtpsCell.Usual(TlsServer.VsftpdExplicit, ToolTls.Implicit, tool)];
        await using var ferry = await FtpsFerry.StartAsync(real, cells, "ftp_tls_session_reuse required;");
        foreach (var cell in cells)
        {
            await ferry.RunAsync(cell, cell.ToolOptions with { Version = TlsVersion.Tls12 });
            await ferry.RunAsync(cell, cell.ToolOptions with { Version = TlsVersion.Tls13 });
        }
    }

    [RootTheory("vsftpd", "proftpd", "proftpd-mod-crypto", "pure-ftpd", "pyftpdlib", "OpenSSL")]
    [InlineData(TlsServer.VsftpdExplicit, true)]
    [InlineData(TlsServer.VsftpdImplicit, true)]
    [InlineData(TlsServer.ProFtpdExplicit, true)]
    [InlineData(TlsServer.ProFtpdImplicit, true)]
    [InlineData(TlsServer.PureFtpdExplicit, false)]
    [InlineData(TlsServer.PyftpdlibExplicit, true)]
    public async Task A_servers_next_control_connection_goes_on_with_the_session_of_the_last_and_its_data_with_its_own(TlsServer server, bool canResume)
    {
        await using var real = await RealServer.StartAsync(server.Kind(), tls: server.Tls());
        await real.PutAsync("file", [1, 2, 3]);
        var directive = server.Tls()!.Implicit ? "proxy_ssl on;" : "proxy_starttls on;";
        await using var proxy = await TestProxy.BeforeAsync(real.EndPoint, directives: $"{directive} proxy_ssl_protocols TLSv1.3; proxy_ftp_prot private;");
        for (var i = 0; i < 3; i++)
        {
            using var client = await ScriptedClient.LogInAsync(proxy.EndPoint, user: real.User, password: real.Password);
            Assert.Equal([1, 2, 3], await client.DownloadAsync("pub/file"));
            await client.UploadAsync("pub/up", new byte[] { 4, 5 });
            await client.QuitAsync();
            await proxy.UntilIdleAsync();
        }
        Assert.Equal([false, canResume, canResume], Resumed(461)); // pure-ftpd resumes nothing, and works as before
        Assert.Equal(Enumerable.Repeat(canResume, 6), Resumed(465));

        bool[] Resumed(int id) => [.. proxy.Logs.Records.Where(r => r.Event.Id == id).Select(static r => (bool)r.Values["Resumed"]!)];
    }

    [RootTheory("vsftpd")]
    [InlineData(TlsVersion.Tls12)]
    [InlineData(TlsVersion.Tls13)]
    public async Task A_client_that_does_not_resume_is_refused_where_it_has_to(TlsVersion version)
    {
        await using var real = await RealServer.StartAsync(ServerKind.Vsftpd);
        await real.PutAsync("file", [1, 2, 3]);
        var cell = FtpsCell.Usual(TlsServer.VsftpdPlain, ToolTls.Explicit, "ftplib");
        await using var ferry = await FtpsFerry.StartAsync(real, [cell], "ftp_tls_session_reuse required;");
        using var client = await ScriptedClient.LogInTlsAsync(ferry.Proxy.EndPoint, new TlsEnd { Version = version }, user: real.User, password: real.Password);

        using var data = await client.ConnectDataAsync(await client.PasvAsync());
        await client.CommandAsync("RETR pub/file", 150);
        Assert.Empty(await ReceiveAllAsync(data, client.DataTls!));
        await client.ExpectAsync(522);
        await client.CommandAsync("NOOP", 200);
    }

    [RootTheory("vsftpd")]
    [InlineData(TlsVersion.Tls12)]
    [InlineData(TlsVersion.Tls13)]
    public async Task A_client_that_resumes_the_session_of_another_control_connection_is_refused_too(TlsVersion version)
    {
        await using var real = await RealServer.StartAsync(ServerKind.Vsftpd);
        var cell = FtpsCell.Usual(TlsServer.VsftpdPlain, ToolTls.Explicit, "resuming");
        await using var ferry = await FtpsFerry.StartAsync(real, [cell], "ftp_tls_session_reuse required;");

        await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(() => ferry.RunAsync(cell, cell.ToolOptions with { Version = version, ForeignSession = true }));

        var ended = await ferry.Proxy.Logs.EventAsync(450);
        Assert.Equal("reuse_missing", ended.Values["Outcome"]);
        Assert.Equal(0L, ended.Values["ToClient"]);
    }

    [RootFact("vsftpd")]
    public async Task Nobody_logs_in_in_clear_where_only_TLS_will_do()
    {
        await using var real = await RealServer.StartAsync(ServerKind.Vsftpd);
        var (plain, secure) = (FtpsCell.Usual(TlsServer.VsftpdPlain, ToolTls.Plain, "ftplib"), FtpsCell.Usual(TlsServer.VsftpdPlain, ToolTls.Explicit, "ftplib"));
        await using var ferry = await FtpsFerry.StartAsync(real, [plain], starttls: "only");
        var failure = await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(() => ferry.RunAsync(plain));
        Assert.Contains("ftplib.error_perm: 5", failure.Message, StringComparison.Ordinal);
        await ferry.RunAsync(secure);
    }

    [RootTheory("vsftpd", "proftpd", "proftpd-mod-crypto", "lftp")]
    [InlineData(TlsServer.VsftpdExplicit)]
    [InlineData(TlsServer.ProFtpdExplicit)]
    public async Task A_plain_client_reaches_a_server_that_takes_nothing_but_TLS(TlsServer server)
    {
        await using var real = await RealServer.StartAsync(server.Kind(), tls: server.Tls()! with { LoginRequired = true, DataRequired = true });
        var cell = FtpsCell.Usual(server, ToolTls.Plain, "lftp");
        await using var ferry = await FtpsFerry.StartAsync(real, [cell]);
        await ferry.RunAsync(cell);
    }

    [RootTheory("vsftpd", "proftpd", "proftpd-mod-crypto", "curl")]
    [InlineData(TlsServer.VsftpdExplicit)]
    [InlineData(TlsServer.ProFtpdImplicit)]
    public async Task Everybody_can_be_made_to_show_a_certificate(TlsServer server)
    {
        using var folder = new TempFolder();
        using var authority = new TestAuthority();
        using var middle = new TestAuthority("Ferry Test Middle", authority);
        // Without an intermediate authority, since ProFTPD has the rest of a chain in a file of its own.
        using var ofServer = authority.Issue(TestKey.Rsa, "ftp.example");
        using var ofFerry = middle.Issue();
        var (ferryToServer, client, ca) = (middle.IssueClient("ferry").WriteTo(folder.Path, "ferry"), middle.IssueClient("client").WriteTo(folder.Path, "client"), authority.WriteTo(folder.Path));
        await using var real = await RealServer.StartAsync(server.Kind(), tls: server.Tls()! with { Certificate = ofServer, ClientAuthority = authority });
        var cell = FtpsCell.Usual(server, ToolTls.Explicit, "curl");
        await using var ferry = await FtpsFerry.StartAsync(
            real, [cell], certificate: ofFerry, directives: $"""
                ssl_verify_client on; ssl_client_certificate {ca}; ssl_verify_depth 2;
                proxy_ssl_verify on; proxy_ssl_trusted_certificate {ca}; proxy_ssl_verify_depth 2; proxy_ssl_name ftp.example;
                proxy_ssl_certificate {ferryToServer.Chain}; proxy_ssl_certificate_key {ferryToServer.Key};
                """);

        try
        {
            await ferry.RunAsync(cell, cell.ToolOptions with { Authority = ca, Certificate = client });
        }
        catch (Exception e)
        {
            Assert.Fail($"{e.Message}\n{ferry.Proxy.Logs}\n{real.TlsLog}");
        }
        await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(() => ferry.RunAsync(cell, cell.ToolOptions with { Authority = ca }));
    }

    /// <summary>What comes on a data connection, on which TLS may or may not come about.</summary>
    private static async Task<byte[]> ReceiveAllAsync(DataEnd data, TlsEnd end)
    {
        try
        {
            await data.StartTlsAsync(end);
            return (await data.ReceiveToEndAsync()).Bytes;
        }
        catch (Exception e) when (e is IOException or AuthenticationException or SocketException)
        {
            return [];
        }
    }
}
