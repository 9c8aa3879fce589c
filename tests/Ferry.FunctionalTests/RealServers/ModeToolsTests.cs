using System.Collections.Concurrent;
using System.IO;
using System.Linq;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>The programs that people use, told to be active or passive, before every way of Ferry to ask the server.</summary>
public sealed class ModeToolsTests
{
    private const int AtOnce = 4;

    /// <summary>The event "… finished: …, bytes to the client, to the server".</summary>
    private const int TransferFinished = 450;

    public static TheoryData<ServerKind> Servers => new(ModeCells.Servers);

    public static TheoryData<string, bool, UpstreamDataMode> OldTools()
    {
        var all = new TheoryData<string, bool, UpstreamDataMode>();
        foreach (var tool in (string[])["tnftp", "ncftp"])
        {
            foreach (var (active, mode) in ((bool, UpstreamDataMode)[])
                [(true, UpstreamDataMode.Client), (true, UpstreamDataMode.Passive), (true, UpstreamDataMode.Epsv), (false, UpstreamDataMode.Active), (false, UpstreamDataMode.Eprt)])
                all.Add(tool, active, mode);
        }
        return all;
    }

    [RootTheory("vsftpd", "proftpd", "proftpd-mod-crypto", "pure-ftpd", "curl", "lftp")]
    [MemberData(nameof(Servers))]
    public async Task Every_tool_gets_its_data_in_the_mode_that_it_is_told(ServerKind kind)
    {
        var runs = Runs(kind).ToArray();
        await using var ferry = await ModeFerry.StartAsync(kind, runs.Select(r => r.Cell));
        var failures = new ConcurrentQueue<string>();
        await Parallel.ForEachAsync(runs, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (run, _) =>
        {
            try
            {
                using var folder = new TempFolder();
                var (endPoint, server) = (ferry.EndPointOf(run.Cell), ferry.ServerOf(run.Cell));
                var host = run.Cell.ClientV6 ? "[::1]" : "127.0.0.1";
                var target = new FtpTarget(run.Tool == "ftplib" ? endPoint.Address.ToString() : host, endPoint.Port, server.User, server.Password);
                await SessionOperations.RunAsync(FtpTools.Get(run.Tool, folder.Path, run.Options), target, server, folder);
            }
            catch (Exception e)
            {
                failures.Enqueue($"{run}\n{e.Message}");
            }
        });

        Assert.True(failures.IsEmpty, $"{failures.Count} of {runs.Length} failed.\n{string.Join("\n\n", failures)}");
        await ferry.Proxy.UntilIdleAsync();
        // lftp and curl try again, and in another way, what fails: Ferry's log tells that everything went well at once.
        var finished = ferry.Proxy.Logs.Records.Where(r => r.Event.Id == TransferFinished).ToArray();
        foreach (var verb in (string[])["STOR", "RETR"])
            Assert.Equal(runs.Length * SessionOperations.Transfers, finished.Count(r => (string)r.Values["Verb"]! == verb && (string)r.Values["Outcome"]! == "complete"));
    }

    [RootTheory("vsftpd", "tnftp", "ncftpget")]
    [MemberData(nameof(OldTools))]
    public async Task The_old_tools_get_their_data_in_the_mode_that_they_are_told(string tool, bool active, UpstreamDataMode mode)
    {
        using var folder = new TempFolder();
        var cell = new ModeCell(ServerKind.Vsftpd, DataVerb.Pasv, mode, ModeTls.Plain, ClientV6: false, ServerV6: false);
        await using var ferry = await ModeFerry.StartAsync(cell.Server, [cell]);
        var server = ferry.ServerOf(cell);
        await EveryOperation.RunAsync(FtpTools.Get(tool, folder.Path, active), new FtpTarget("127.0.0.1", ferry.EndPointOf(cell).Port, server.User, server.Password), server, folder);
    }

    [RootTheory("proftpd", "curl")]
    [InlineData("client")]
    [InlineData("passive")]
    public async Task curl_gets_its_data_at_the_ports_that_it_is_told_to_listen_on(string mode)
    {
        using var folder = new TempFolder();
        await using var server = await RealServer.StartAsync(ServerKind.ProFtpd);
        await server.PutAsync("file", new byte[70_001]);
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: $"proxy_ftp_data {mode};");
        var first = FreePorts.Range(4);

        var said = await FtpTools.RunAsync(
            folder.Path, null, "curl",
            ["-sSv", "--max-time", "20", "-P", $"127.0.0.1:{first}-{first + 3}", "-u", $"{server.User}:{server.Password}", "-o", folder["file"], $"ftp://127.0.0.1:{proxy.EndPoint.Port}/pub/file"]);

        Assert.Matches($"> EPRT \\|1\\|127.0.0.1\\|({first}|{first + 1}|{first + 2}|{first + 3})\\|", said);
        Assert.Equal(70_001, new FileInfo(folder["file"]).Length);
        await proxy.UntilIdleAsync();
    }

    /// <summary>What Ferry asks the server takes turns, so that over the three servers each tool's way meets each of them.</summary>
    private static IEnumerable<(string Tool, ToolOptions Options, ModeCell Cell)> Runs(ServerKind kind)
    {
        UpstreamDataMode[] modes = [UpstreamDataMode.Client, UpstreamDataMode.Passive, UpstreamDataMode.Active];
        var turn = Array.IndexOf(ModeCells.Servers, kind);
        foreach (var tool in (string[])["curl", "lftp", "ftplib"])
        {
            foreach (var active in (bool[])[true, false])
            {
                foreach (var (v6, extended) in ((bool, bool?)[])[(false, false), (false, true), (true, null)])
                {
                    // lftp 4.9 names no address but :: in its EPRT, which vsftpd refuses, too.
                    if (tool == "lftp" && active && v6)
                        continue;
                    foreach (var tls in (ToolTls[])[ToolTls.Plain, ToolTls.Explicit])
                    {
                        var mode = modes[turn++ % modes.Length];
                        yield return (
                            tool,
                            // curl 7.88 never gets to TLS on a data connection that it has accepted, with vsftpd and no Ferry between them neither.
                            new ToolOptions { Tls = tls, Active = active, Extended = extended, ClearData = tool == "curl" && active && tls == ToolTls.Explicit },
                            new ModeCell(kind, DataVerb.Pasv, mode, tls == ToolTls.Plain ? ModeTls.Plain : ModeTls.Both, v6, ServerV6: turn % 2 == 0));
                    }
                }
            }
        }
    }
}
