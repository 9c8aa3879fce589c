using System.Linq;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>
/// The clients with the servers and no Ferry between them: the servers are set up as they say, and what fails through Ferry and not here is
/// Ferry's fault. Some pairs do not get on with each other at all (see <see cref="GetOn"/>); through Ferry they have to.
/// </summary>
public sealed class RealServerTlsTests(TlsServers servers) : IClassFixture<TlsServers>
{
    public static TheoryData<TlsServer, string> Pairs()
    {
        var pairs = new TheoryData<TlsServer, string>();
        foreach (var server in TlsServerNames.All.Where(s => !s.IsPlain()))
        {
            foreach (var client in (string[])["curl", "lftp", "ftplib"])
                pairs.Add(server, client);
        }
        return pairs;
    }

    public static TheoryData<TlsServer> RequireReuse => new(TlsServerNames.All.Where(s => s.RequiresReuse()));

    [RootTheory("vsftpd", "proftpd", "proftpd-mod-crypto", "pure-ftpd", "pyftpdlib", "OpenSSL", "curl", "lftp")]
    [MemberData(nameof(Pairs))]
    public async Task A_client_works_with_a_server(TlsServer name, string client)
    {
        var server = await servers.GetAsync(name);
        // At once, since curl and lftp spend most of their time in waiting.
        await Task.WhenAll(
            from version in (TlsVersion[])[TlsVersion.Tls12, TlsVersion.Tls13]
            from clear in (bool[])[false, true]
            where clear || GetOn(client, server.Kind, version)
            select RunAsync(server, client, new ToolOptions { ClearData = clear, Version = version, ResumeData = true }));
    }

    [RootTheory("vsftpd", "proftpd", "proftpd-mod-crypto")]
    [MemberData(nameof(RequireReuse))]
    public async Task A_server_that_requires_reuse_refuses_a_fresh_session_on_data(TlsServer name)
    {
        var server = await servers.GetAsync(name);
        foreach (var version in (TlsVersion[])[TlsVersion.Tls12, TlsVersion.Tls13])
        {
            // The stock ftplib.
            var failure = await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(() => RunAsync(server, "ftplib", new ToolOptions { Version = version }));
            Assert.Contains(server.Kind == ServerKind.Vsftpd ? "522 SSL connection failed: session reuse required" : "425 Unable to build data connection", failure.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>
    /// With data in TLS. curl says its hello on the data connection before the transfer command, which pyftpdlib 1.5.7 takes for the end of
    /// it, and which makes ProFTPD's close after a 550 a reset, for which curl 7.88 takes EPSV for broken. And curl and lftp close
    /// after an upload with TLS 1.3's tickets unread: the reset costs vsftpd the whole file (426; lftp tries again after 15 s) and
    /// makes pyftpdlib store a part of it with a 226.
    /// </summary>
    private static bool GetOn(string client, ServerKind server, TlsVersion version) => (client, server, version) switch
    {
        ("curl", ServerKind.Pyftpdlib or ServerKind.ProFtpd, _) => false,
        ("curl" or "lftp", ServerKind.Vsftpd or ServerKind.Pyftpdlib, TlsVersion.Tls13) => false,
        _ => true,
    };

    private static async Task<string> RunAsync(RealServer server, string client, ToolOptions options)
    {
        using var folder = new TempFolder();
        var target = new FtpTarget("127.0.0.1", server.EndPoint.Port, server.User, server.Password);
        var tool = FtpTools.Get(client, folder.Path, options with { Tls = server.Tls!.Implicit ? ToolTls.Implicit : ToolTls.Explicit });
        return await SessionOperations.RunAsync(tool, target, server, folder);
    }
}
