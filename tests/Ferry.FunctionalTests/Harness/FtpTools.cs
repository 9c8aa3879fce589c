using System.Globalization;

namespace Ferry.FunctionalTests.Harness;

/// <summary>The real clients by name.</summary>
internal static class FtpTools
{
    public static IReadOnlyList<string> Names { get; } = ["curl", "lftp", "tnftp", "ncftp", "ftplib"];

    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="home">A folder of the test, where the client finds no settings of this machine and may leave its own.</param>
    /// <param name="active">The server opens data connections.</param>
    public static IFtpTool Get(string name, string home, bool active = false) => name switch
    {
        "tnftp" => new Tnftp(home, active),
        "ncftp" => new Ncftp(home, active),
        _ => Get(name, home, new ToolOptions { Active = active }),
    };

    /// <summary>A client that can be told how to behave, and do several things in a session: curl, lftp or ftplib.</summary>
    public static IFtpSessionTool Get(string name, string home, ToolOptions options) => name switch
    {
        "curl" => new Curl(home, options),
        "lftp" => new Lftp(home, options),
        "ftplib" => new Ftplib(home, options),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "No such client."),
    };

    /// <summary>Runs a client to its end, away from the settings and proxies of this machine; a bad exit code fails the test.</summary>
    public static async Task<string> RunAsync(string home, string? netns, string program, IEnumerable<string> arguments, string input = "") =>
        (await TryAsync(home, netns, program, arguments, input)).Succeeded().Output;

    /// <summary>As <see cref="RunAsync"/>, for a client whose exit code does not tell everything.</summary>
    public static Task<CommandResult> TryAsync(string home, string? netns, string program, IEnumerable<string> arguments, string input = "")
    {
        var environment = new Dictionary<string, string> { ["HOME"] = home, ["LFTP_HOME"] = home, ["ftp_proxy"] = "", ["no_proxy"] = "*", ["LC_ALL"] = "C" };
        return Command.RunAsync(program, arguments, input, netns, environment);
    }

    public static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

internal sealed class Tnftp(string home, bool active) : IFtpTool
{
    public Task<string> ListAsync(FtpTarget target, string folder) => RunAsync(target, $"ls {folder}");

    public Task DownloadAsync(FtpTarget target, string remote, string local) => RunAsync(target, $"get {remote} {local}");

    public Task ResumeAsync(FtpTarget target, string remote, string local) => RunAsync(target, $"reget {remote} {local}");

    public Task UploadAsync(FtpTarget target, string local, string remote) => RunAsync(target, $"put {local} {remote}");

    public Task AppendAsync(FtpTarget target, string rest, string whole, string remote) => RunAsync(target, $"append {rest} {remote}");

    public Task RenameAsync(FtpTarget target, string from, string to) => RunAsync(target, $"rename {from} {to}");

    public Task DeleteAsync(FtpTarget target, string remote) => RunAsync(target, $"delete {remote}");

    public Task MakeFolderAsync(FtpTarget target, string remote) => RunAsync(target, $"mkdir {remote}");

    private async Task<string> RunAsync(FtpTarget target, string command)
    {
        var output = await FtpTools.RunAsync(
            home, target.Namespace, "tnftp", [active ? "-A" : "-p", "-n", "-i", "-v", target.Host, FtpTools.Text(target.Port)],
            $"user {target.User} {target.Password}\nbinary\n{command}\nquit\n");
        // It ends with 0 whatever happens, and shows every reply: a refusal is a line with 4xx or 5xx, but for EPSV and the like, which it tries.
        foreach (var line in output.Split('\n'))
        {
            var failed = line is [('4' or '5'), _, _, ' ', ..] && char.IsDigit(line[1]) && char.IsDigit(line[2]);
            Assert.False(failed || line.StartsWith("tnftp:", StringComparison.Ordinal) || line.StartsWith("ftp:", StringComparison.Ordinal), $"tnftp failed at {command}:\n{output}");
        }
        Assert.Contains("\n221", output, StringComparison.Ordinal);
        return output;
    }
}

internal sealed class Ncftp(string home, bool active) : IFtpTool
{
    public Task<string> ListAsync(FtpTarget target, string folder) => RunAsync("ncftpls", target, "-l", Url(target, folder + "/"));

    public Task DownloadAsync(FtpTarget target, string remote, string local) => RunAsync("ncftpget", target, "-V", "-Z", "-C", target.Host, remote, local);

    public Task ResumeAsync(FtpTarget target, string remote, string local) => RunAsync("ncftpget", target, "-V", "-z", "-C", target.Host, remote, local);

    public Task UploadAsync(FtpTarget target, string local, string remote) => RunAsync("ncftpput", target, "-V", "-C", target.Host, local, remote);

    public Task AppendAsync(FtpTarget target, string rest, string whole, string remote) => RunAsync("ncftpput", target, "-V", "-A", "-C", target.Host, rest, remote);

    public Task RenameAsync(FtpTarget target, string from, string to) => RunAsync("ncftpls", target, "-l", "-W", $"RNFR {from}", "-W", $"RNTO {to}", Url(target, ""));

    public Task DeleteAsync(FtpTarget target, string remote) => RunAsync("ncftpls", target, "-l", "-W", $"DELE {remote}", Url(target, ""));

    public Task MakeFolderAsync(FtpTarget target, string remote) => RunAsync("ncftpls", target, "-l", "-W", $"MKD {remote}", Url(target, ""));

    private static string Url(FtpTarget target, string path) => $"ftp://{target.Host}/{path}";

    private Task<string> RunAsync(string program, FtpTarget target, params string[] arguments) => FtpTools.RunAsync(
        home, target.Namespace, program,
        [active ? "-E" : "-F", "-t", "10", "-r", "0", "-u", target.User, "-p", target.Password, "-P", FtpTools.Text(target.Port), .. arguments]);
}
