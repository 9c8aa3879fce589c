using System.IO;
using System.Linq;

namespace Ferry.FunctionalTests.Harness;

/// <summary>Python's ftplib, stock or with the few lines that let it do more. It says <c>control VERSION</c> and <c>data resumed</c> or <c>data fresh</c>.</summary>
internal sealed class Ftplib(string home, ToolOptions options) : IFtpSessionTool
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

    public Task<string> RunAsync(FtpTarget target, IReadOnlyList<FtpStep> steps) => RunAsync(target, [.. steps.SelectMany(s => (string[])(s.Verb switch
    {
        FtpVerb.List => ["list", s.Remote],
        FtpVerb.Download => ["download", s.Remote, s.Local],
        FtpVerb.Upload => ["upload", s.Local, s.Remote],
        FtpVerb.DownloadRefused => ["download-refused", s.Remote],
        _ => ["upload-refused", s.Local, s.Remote],
    }))]);

    /// <summary>Gives up so many downloads of a large file, each with an ABOR that is answered after the transfer.</summary>
    public Task AbortAsync(FtpTarget target, string remote, int count) => RunAsync(target, "abort", remote, FtpTools.Text(count));

    private Task<string> RunAsync(FtpTarget target, params string[] operations)
    {
        List<string> flags = [$"--tls={options.Tls}"];
        if (options.ClearData)
            flags.Add("--clear-data");
        if (options.ClearCommands)
            flags.Add("--clear-commands");
        if (options.ResumeData)
            flags.Add("--resume-data");
        if (options.ForeignSession)
            flags.Add("--foreign-session");
        if (options.Version != TlsVersion.Any)
            flags.Add($"--version={options.Version switch { TlsVersion.Tls10 => "TLSv1", TlsVersion.Tls12 => "TLSv1_2", _ => "TLSv1_3" }}");
        if (options.Authority is { } authority)
            flags.Add($"--authority={authority}");
        if (options.Certificate is { } certificate)
            flags.Add($"--certificate={certificate.Both}");
        if (options.Extended is { } extended)
            flags.Add(extended ? "--extended" : "--pasv");
        if (options.Active)
            flags.Add("--active");
        return FtpTools.RunAsync(
            home, target.Namespace, "/usr/bin/python3",
            [Repository.Data(Script), .. flags, target.Host, FtpTools.Text(target.Port), target.User, target.Password, .. operations]);
    }
}
