using System.IO;
using System.Text.RegularExpressions;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>OpenNJet's documented configuration, unchanged and on the documented addresses, before a real vsftpd.</summary>
public sealed class OpenNjetTests(OpenNjetSetting setting) : IClassFixture<OpenNjetSetting>
{
    internal static readonly string[] Tools = ["ip", "vsftpd"];

    public static TheoryData<string> Clients => new(FtpTools.Names);

    [RootTheory("ip", "vsftpd", "curl", "lftp", "tnftp", "ncftpget", "cmp")]
    [MemberData(nameof(Clients))]
    public async Task Every_client_works_with_the_documented_file(string tool)
    {
        using var folder = new TempFolder();
        await EveryOperation.RunAsync(FtpTools.Get(tool, folder.Path), setting.Target, setting.Server, folder);
    }

    [RootFact("ip", "vsftpd", "curl")]
    public async Task The_error_log_of_the_documented_file_tells_what_operators_search_for()
    {
        using var folder = new TempFolder();
        await setting.Server.PutAsync("logged", [1, 2, 3]);
        await FtpTools.Get("curl", folder.Path).DownloadAsync(setting.Target, "pub/logged", folder["logged"]);

        // client connected; connected to server; port given; data connection matched; data finished; port given back
        string[] facts =
        [
            @"client 192\.168\.40\.90:\d+ connected",
            @"connected to server 192\.168\.40\.91:21",
            @"port 100(0\d|10) given \(\d+ used, \d+ free\) to 192\.168\.40\.90:\d+ for 192\.168\.40\.91:\d+",
            @"data connection from 192\.168\.40\.90:\d+ to port 100(0\d|10) matched to server 192\.168\.40\.91:\d+",
            @"RETR finished: .* 3 bytes to the client, 0 to the server, ended by",
            @"port 100(0\d|10) given back \(\d+ used, \d+ free\)",
        ];
        var log = Path.Combine(setting.Prefix, "logs", "error.log");
        await Wait.Until(() => Array.TrueForAll(facts, f => Regex.IsMatch(ReadShared(log), f, RegexOptions.IgnoreCase)), () => $"all facts in the log:\n{ReadShared(log)}");
        Assert.DoesNotContain(setting.Target.Password, ReadShared(log), StringComparison.Ordinal);
    }

    [RootFact("ip", "vsftpd", "curl", "cmp")]
    public async Task A_file_of_4_GiB_and_a_byte_comes_whole()
    {
        using var folder = new TempFolder();
        var path = setting.Server.PathOf("huge");
        await using (var file = File.Create(path))
        {
            // Sparse but for the places where a counter of 31 or 32 bits would turn over.
            foreach (var at in (long[])[0, int.MaxValue, uint.MaxValue - 1, uint.MaxValue])
            {
                file.Position = at;
                file.Write("FERRY"u8[..(int)Math.Min(5, (1L << 32) + 1 - at)]);
            }
        }
        Assert.Equal((1L << 32) + 1, new FileInfo(path).Length);

        // cmp reads the original beside the stream, so nothing of it is stored, and fails at the first byte that differs or is missing.
        var target = setting.Target;
        var compared = await Command.RunAsync(
            "bash", ["-o", "pipefail", "-c", "curl -sS --max-time 100 -u \"$1\" \"$2\" | cmp - \"$3\"", "compare", $"{target.User}:{target.Password}", $"ftp://{target.Host}/pub/huge", path],
            netns: target.Namespace, bound: TimeSpan.FromMinutes(2));

        compared.Succeeded();
        File.Delete(path);
    }

    /// <summary>Reads a file that ferryd is writing.</summary>
    private static string ReadShared(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }
}
