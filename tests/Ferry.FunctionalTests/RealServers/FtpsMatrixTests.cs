using System.Collections.Concurrent;
using System.Linq;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>Any client with any server through Ferry, whatever each of them speaks: the cells of <see cref="FtpsCells"/>, a server at a time.</summary>
public abstract class FtpsMatrixTests
{
    /// <summary>The event "… finished: …, bytes to the client, to the server".</summary>
    private const int TransferFinished = 450;

    /// <summary>Programs spend most of their time in waiting; more than this is slower.</summary>
    private const int AtOnce = 4;

    protected static TheoryData<TlsServer> ServersOf(ServerKind kind) => new(TlsServerNames.All.Where(s => s.Kind() == kind));

    internal static async Task RunAsync(TlsServer name)
    {
        var cells = FtpsCells.Chosen.Where(c => c.Server == name).ToArray();
        await using var server = await RealServer.StartAsync(name.Kind(), tls: name.Tls());
        await using var ferry = await FtpsFerry.StartAsync(server, cells);
        var failures = new ConcurrentQueue<string>();

        await Parallel.ForEachAsync(cells, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (cell, _) =>
        {
            try
            {
                await ferry.RunAsync(cell);
            }
            catch (Exception e)
            {
                // All that fail are told, since which do and which do not is what points at the reason.
                failures.Enqueue($"{cell}\n{e.Message}");
            }
        });

        Assert.True(failures.IsEmpty, $"{failures.Count} of {cells.Length} failed.\n{string.Join("\n\n", failures)}\n{Complaints(ferry.Proxy)}");
        await ferry.Proxy.UntilIdleAsync();
        // On loopback the server could be reached past Ferry, and lftp tries again what fails: Ferry's log tells that all went through it, and once.
        var finished = ferry.Proxy.Logs.Records.Where(r => r.Event.Id == TransferFinished).ToArray();
        foreach (var verb in (string[])["STOR", "RETR"])
            Assert.Equal(cells.Length * SessionOperations.Transfers, finished.Count(r => (string)r.Values["Verb"]! == verb && IsWhole(r)));
        Assert.True(finished.Sum(r => (long)r.Values["ToClient"]!) >= cells.Length * SessionOperations.UsualBytes, ferry.Proxy.Logs.ToString());
        Assert.True(finished.Sum(r => (long)r.Values["ToServer"]!) == cells.Length * SessionOperations.UsualBytes, ferry.Proxy.Logs.ToString());
    }

    private static bool IsWhole(LogRecord record) => (string)record.Values["Outcome"]! == "complete";

    private static string Complaints(TestProxy proxy) =>
        string.Join('\n', proxy.Logs.Records.Where(r => r.Level >= Microsoft.Extensions.Logging.LogLevel.Warning).Take(100));
}

/// <summary>vsftpd, which by default takes only data connections that resume the control's session, and does TLS on them after the 150.</summary>
public sealed class FtpsVsftpdMatrixTests : FtpsMatrixTests
{
    public static TheoryData<TlsServer> Servers => ServersOf(ServerKind.Vsftpd);

    [RootTheory("vsftpd", "curl", "lftp")]
    [MemberData(nameof(Servers))]
    public Task Every_client_works_with_vsftpd(TlsServer server) => RunAsync(server);
}

/// <summary>ProFTPD, which by default takes only data connections that resume its own control connection's session.</summary>
public sealed class FtpsProFtpdMatrixTests : FtpsMatrixTests
{
    public static TheoryData<TlsServer> Servers => ServersOf(ServerKind.ProFtpd);

    [RootTheory("proftpd", "proftpd-mod-crypto", "curl", "lftp")]
    [MemberData(nameof(Servers))]
    public Task Every_client_works_with_ProFTPD(TlsServer server) => RunAsync(server);
}

/// <summary>pure-ftpd and pyftpdlib.</summary>
public sealed class FtpsOthersMatrixTests : FtpsMatrixTests
{
    public static TheoryData<TlsServer> Servers => [.. ServersOf(ServerKind.PureFtpd), .. ServersOf(ServerKind.Pyftpdlib)];

    [RootTheory("pure-ftpd", "pyftpdlib", "OpenSSL", "curl", "lftp")]
    [MemberData(nameof(Servers))]
    public Task Every_client_works_with_the_others(TlsServer server) => RunAsync(server);
}
