using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>
/// <c>proxy_bind $remote_addr transparent</c> with the rules that <c>ferryd rules</c> prints: servers log the client's address. As they come, vsftpd and ProFTPD
/// take data, and name ports for it, for the address of the control connection only, so that a transfer shows what its data connection came from or went to.
/// </summary>
public sealed class TransparentTests(TransparentSetting setting) : IClassFixture<TransparentSetting>
{
    [RootTheory("ip", "nft", "iptables", "ip6tables", "vsftpd", "proftpd", "proftpd-mod-crypto", "curl", "lftp")]
    [InlineData("nft", ServerKind.Vsftpd, true)]
    [InlineData("nft", ServerKind.ProFtpd, false)]
    [InlineData("iptables", ServerKind.Vsftpd, false)]
    [InlineData("iptables", ServerKind.ProFtpd, true)]
    public async Task Servers_log_the_client_s_address_for_control_and_data(string format, ServerKind kind, bool isIPv6)
    {
        await using var rules = await setting.RulesAsync(format, setting.Machines.Ferry);
        var server = setting.Server(kind, isIPv6);
        var before = setting.Log(server).Length;
        ToolOptions[] all = [new(), new() { Active = true }, new() { Tls = ToolTls.Explicit }, new() { Tls = ToolTls.Explicit, Active = true }];
        await Task.WhenAll(all.Select(options => TransferAsync(server, setting.Target(server, options.Active), options)));

        // Each of the four sessions: a listing is in the log of ProFTPD only.
        var client = isIPv6 ? TransparentSetting.ClientIPv6 : Namespaces.ClientAddress;
        string[] patterns = kind == ServerKind.Vsftpd ? ["CONNECT: ", "OK DOWNLOAD: ", "OK UPLOAD: "] : ["Client .* USER ", "Client .* RETR ", "Client .* STOR ", "Client .* (LIST|NLST|MLSD)"];
        string Log() => setting.Log(server)[before..];
        foreach (var pattern in patterns)
            await Wait.Until(() => Regex.Count(Log(), pattern) == 4, () => $"four times {pattern}:\n{Log()}");
        Assert.All(Regex.Matches(Log(), "Client \"(.*?)\""), m => Assert.Equal(client, m.Groups[1].Value));
        Assert.DoesNotContain("136\"", Log(), StringComparison.Ordinal);
    }

    [RootFact("ip", "nft", "iptables", "ip6tables", "vsftpd", "proftpd", "proftpd-mod-crypto", "curl", "lftp")]
    public async Task Without_the_rules_the_answers_of_servers_do_not_come_back_and_the_log_says_so()
    {
        using var folder = new TempFolder();
        var target = setting.Target(setting.Server(ServerKind.Vsftpd, isIPv6: false));
        var refused = await FtpTools.TryAsync(folder.Path, target.Namespace, "curl", ["-sSv", "--max-time", "20", $"ftp://{target.Host}:{target.Port}/"]);

        Assert.Contains("< 421 ", refused.Output, StringComparison.Ordinal);
        const string Told = $"connecting from {Namespaces.ClientAddress} timed out; do the answers to it come back to this machine?";
        await Wait.Until(() => setting.FerryLog.Contains(Told, StringComparison.Ordinal), () => $"the reason in the log:\n{setting.FerryLog}");
    }

    [RootFact("ip", "nft", "iptables", "ip6tables", "vsftpd", "proftpd", "proftpd-mod-crypto", "curl", "lftp", "haproxy")]
    public async Task A_vsftpd_behind_PROXY_v2_logs_the_client_s_address_for_control_and_data()
    {
        // haproxy takes the headers off and connects to vsftpd from the address in them, which takes the same rules on its machine.
        await using var rules = await setting.RulesAsync("nft", setting.Machines.Server);
        await using var gate = await GatedServer.StartAsync(setting);
        await TransferAsync(gate.Server, gate.Target, new ToolOptions());
        await TransferAsync(gate.Server, gate.Target, new ToolOptions { Tls = ToolTls.Explicit });

        foreach (var pattern in (string[])["CONNECT: ", "OK DOWNLOAD: ", "OK UPLOAD: "])
            await Wait.Until(() => Regex.Count(gate.Log, pattern) == 2, () => $"twice {pattern}:\n{gate.Log}");
        Assert.All(Regex.Matches(gate.Log, "Client \"(.*?)\""), m => Assert.Equal(Namespaces.ClientAddress, m.Groups[1].Value));
    }

    private static async Task TransferAsync(RealServer server, FtpTarget target, ToolOptions options)
    {
        using var folder = new TempFolder();
        var (name, up) = (Path.GetRandomFileName(), Path.GetRandomFileName());
        byte[] down = [1, 2, 3, 4], stored = [5, 6, 7];
        await server.PutAsync(name, down);
        // curl of some versions fails at TLS in active mode by itself.
        var tool = FtpTools.Get(options is { Active: true, Tls: ToolTls.Explicit } ? "lftp" : "curl", folder.Path, options);
        var said = await tool.RunAsync(target,
            [new FtpStep(FtpVerb.Download, $"pub/{name}", folder["got"]), new FtpStep(FtpVerb.Upload, $"pub/{up}", folder.NewFile("up", stored)), new FtpStep(FtpVerb.List, "pub")]);

        Assert.Equal(down, await File.ReadAllBytesAsync(folder["got"]));
        Assert.Equal(stored, await File.ReadAllBytesAsync(server.PathOf(up)));
        Assert.Contains(name, said, StringComparison.Ordinal);
    }
}
