using System.Globalization;
using System.IO;

namespace Ferry.FunctionalTests.Harness;

/// <summary>The real clients by name.</summary>
internal static class FtpTools
{
    public static IReadOnlyList<string> Names { get; } = ["curl", "lftp", "tnftp", "ncftp", "ftplib"];

    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="home">A folder of the test, where the client finds no settings of this machine and may leave its own.</param>
    public static IFtpTool Get(string name, string home) => name switch
    {
        "curl" => new Curl(home),
        "lftp" => new Lftp(home),
        "tnftp" => new Tnftp(home),
        "ncftp" => new Ncftp(home),
        "ftplib" => new Ftplib(home),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "No such client."),
    };

    /// <summary>Runs a client to its end, away from the settings and proxies of this machine; a bad exit code fails the test.</summary>
    public static async Task<string> RunAsync(string home, string? netns, string program, IEnumerable<string> arguments, string input = "")
    {
        var environment = new Dictionary<string, string> { ["HOME"] = home, ["LFTP_HOME"] = home, ["ftp_proxy"] = "", ["no_proxy"] = "*", ["LC_ALL"] = "C" };
        return (await Command.RunAsync(program, arguments, input, netns, environment)).Succeeded().Output;
    }

    public static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

internal sealed class Curl(string home) : IFtpTool
{
    public Task<string> ListAsync(FtpTarget target, string folder) => RunAsync(target, folder + "/");

    public Task DownloadAsync(FtpTarget target, string remote, string local) => RunAsync(target, remote, "-o", local);

    public Task ResumeAsync(FtpTarget target, string remote, string local) => RunAsync(target, remote, "-C", "-", "-o", local);

    public Task UploadAsync(FtpTarget target, string local, string remote) => RunAsync(target, remote, "-T", local);

    public Task AppendAsync(FtpTarget target, string rest, string whole, string remote) => RunAsync(target, remote, "-T", rest, "--append");

    public Task RenameAsync(FtpTarget target, string from, string to) => RunAsync(target, "", "-I", "-Q", $"RNFR {from}", "-Q", $"RNTO {to}");

    public Task DeleteAsync(FtpTarget target, string remote) => RunAsync(target, "", "-I", "-Q", $"DELE {remote}");

    public Task MakeFolderAsync(FtpTarget target, string remote) => RunAsync(target, "", "-I", "-Q", $"MKD {remote}");

    private Task<string> RunAsync(FtpTarget target, string path, params string[] options) => FtpTools.RunAsync(
        home, target.Namespace, "curl",
        ["-sS", "--max-time", "30", "-u", $"{target.User}:{target.Password}", .. options, $"ftp://{target.Host}:{target.Port}/{path}"]);
}

internal sealed class Lftp(string home) : IFtpTool
{
    public Task<string> ListAsync(FtpTarget target, string folder) => RunAsync(target, $"cls -l {folder}/");

    public Task DownloadAsync(FtpTarget target, string remote, string local) => RunAsync(target, $"get {remote} -o {local}");

    public Task ResumeAsync(FtpTarget target, string remote, string local) => RunAsync(target, $"get -c {remote} -o {local}");

    public Task UploadAsync(FtpTarget target, string local, string remote) => RunAsync(target, $"put {local} -o {remote}");

    /// <summary>lftp knows no APPE: it goes on with an upload by REST and STOR.</summary>
    public Task AppendAsync(FtpTarget target, string rest, string whole, string remote) => RunAsync(target, $"put -c {whole} -o {remote}");

    public Task RenameAsync(FtpTarget target, string from, string to) => RunAsync(target, $"mv {from} {to}");

    public Task DeleteAsync(FtpTarget target, string remote) => RunAsync(target, $"rm {remote}");

    public Task MakeFolderAsync(FtpTarget target, string remote) => RunAsync(target, $"mkdir {remote}");

    private Task<string> RunAsync(FtpTarget target, string command) => FtpTools.RunAsync(
        home, target.Namespace, "lftp",
        [
            "--norc", "-u", $"{target.User},{target.Password}", "-p", FtpTools.Text(target.Port),
            "-e", $"set cmd:fail-exit yes; set net:timeout 10; set net:max-retries 1; {command}; bye", target.Host,
        ]);
}

internal sealed class Tnftp(string home) : IFtpTool
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
            home, target.Namespace, "tnftp", ["-n", "-i", "-v", target.Host, FtpTools.Text(target.Port)],
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

internal sealed class Ncftp(string home) : IFtpTool
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
        ["-t", "10", "-r", "0", "-u", target.User, "-p", target.Password, "-P", FtpTools.Text(target.Port), .. arguments]);
}

internal sealed class Ftplib(string home) : IFtpTool
{
    private static readonly string Script = Path.Combine("Harness", "Scripts", "ftplib_client.py");

    public Task<string> ListAsync(FtpTarget target, string folder) => RunAsync(target, "list", folder);

    public Task DownloadAsync(FtpTarget target, string remote, string local) => RunAsync(target, "download", remote, local);

    public Task ResumeAsync(FtpTarget target, string remote, string local) => RunAsync(target, "resume", remote, local);

    public Task UploadAsync(FtpTarget target, string local, string remote) => RunAsync(target, "upload", local, remote);

    public Task AppendAsync(FtpTarget target, string rest, string whole, string remote) => RunAsync(target, "append", rest, remote);

    public Task RenameAsync(FtpTarget target, string from, string to) => RunAsync(target, "rename", from, to);

    public Task DeleteAsync(FtpTarget target, string remote) => RunAsync(target, "delete", remote);

    public Task MakeFolderAsync(FtpTarget target, string remote) => RunAsync(target, "mkdir", remote);

    private Task<string> RunAsync(FtpTarget target, string operation, params string[] arguments) => FtpTools.RunAsync(
        home, target.Namespace, "/usr/bin/python3",
        [Repository.Data(Script), target.Host, FtpTools.Text(target.Port), target.User, target.Password, operation, .. arguments]);
}
