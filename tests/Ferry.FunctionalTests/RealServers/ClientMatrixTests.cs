using System.Linq;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>Every client with every server but vsftpd (which has <see cref="OpenNjetTests"/>), through Ferry on loopback.</summary>
public sealed class ClientMatrixTests
{
    /// <summary>The event "… finished: …, bytes to the client, to the server".</summary>
    private const int TransferFinished = 450;

    public static TheoryData<string, ServerKind> Pairs()
    {
        var pairs = new TheoryData<string, ServerKind>();
        foreach (var tool in FtpTools.Names)
        {
            foreach (var kind in (ServerKind[])[ServerKind.ProFtpd, ServerKind.PureFtpd, ServerKind.Pyftpdlib])
                pairs.Add(tool, kind);
        }
        return pairs;
    }

    [RootTheory("curl", "lftp", "tnftp", "ncftpget", "proftpd", "pure-ftpd", "pyftpdlib")]
    [MemberData(nameof(Pairs))]
    public async Task Every_client_works_with_every_server(string tool, ServerKind kind)
    {
        using var folder = new TempFolder();
        await using var server = await RealServer.StartAsync(kind);
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        var target = new FtpTarget("127.0.0.1", proxy.EndPoint.Port, server.User, server.Password);

        await EveryOperation.RunAsync(FtpTools.Get(tool, folder.Path), target, server, folder);

        await proxy.UntilIdleAsync();
        // On loopback the server could be reached past Ferry; its log tells that the bytes went through it.
        var finished = proxy.Logs.Records.Where(r => r.Event.Id == TransferFinished).ToArray();
        Assert.True(finished.Sum(r => (long)r.Values["ToClient"]!) >= EveryOperation.BytesDownloaded, proxy.Logs.ToString());
        Assert.True(finished.Sum(r => (long)r.Values["ToServer"]!) >= EveryOperation.BytesUploaded, proxy.Logs.ToString());
    }
}
