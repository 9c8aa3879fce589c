using System.Linq;

namespace Ferry.FunctionalTests.Harness;

internal sealed class Lftp(string home, ToolOptions options) : IFtpSessionTool
{
    private const string Refused = "refused as expected";

    public Task<string> ListAsync(FtpTarget target, string folder) => RunAsync(target, $"cls -l {folder}/");

    public Task DownloadAsync(FtpTarget target, string remote, string local) => RunAsync(target, $"get {remote} -o {local}");

    public Task ResumeAsync(FtpTarget target, string remote, string local) => RunAsync(target, $"get -c {remote} -o {local}");

    public Task UploadAsync(FtpTarget target, string local, string remote) => RunAsync(target, $"put {local} -o {remote}");

    /// <summary>lftp knows no APPE: it goes on with an upload by REST and STOR.</summary>
    public Task AppendAsync(FtpTarget target, string rest, string whole, string remote) => RunAsync(target, $"put -c {whole} -o {remote}");

    public Task RenameAsync(FtpTarget target, string from, string to) => RunAsync(target, $"mv {from} {to}");

    public Task DeleteAsync(FtpTarget target, string remote) => RunAsync(target, $"rm {remote}");

    public Task MakeFolderAsync(FtpTarget target, string remote) => RunAsync(target, $"mkdir {remote}");

    public async Task<string> RunAsync(FtpTarget target, IReadOnlyList<FtpStep> steps)
    {
        var output = await RunAsync(target, string.Join("; ", steps.Select(Command)));
        var refused = output.Split('\n').Count(l => l == Refused);
        Assert.True(refused == steps.Count(s => s.Verb is FtpVerb.DownloadRefused or FtpVerb.UploadRefused), $"lftp should have been refused, and was not:\n{output}");
        return output;
    }

    /// <summary>A failure after which "||" stands does not end lftp.</summary>
    private static string Command(FtpStep step) => step.Verb switch
    {
        // The list of names comes from a cache where one folder is shown twice.
        FtpVerb.List => $"recls -l {step.Remote}/",
        FtpVerb.Download => $"get {step.Remote} -o {step.Local}",
        FtpVerb.Upload => $"put {step.Local} -o {step.Remote}",
        FtpVerb.DownloadRefused => $"get {step.Remote} -o /dev/null || echo {Refused}",
        _ => $"put {step.Local} -o {step.Remote} || echo {Refused}",
    };

    private List<string> Settings()
    {
        List<string> settings = ["cmd:fail-exit yes", "net:timeout 10", "net:max-retries 1", "net:reconnect-interval-base 1"];
        if (options.Extended is { } extended)
            settings.Add($"ftp:prefer-epsv {(extended ? "yes" : "no")}");
        if (options.Active)
            settings.Add("ftp:passive-mode off");
        if (options.Tls == ToolTls.Plain)
        {
            settings.Add("ftp:ssl-allow no");
            return settings;
        }
        var protect = options.ClearData ? "no" : "yes";
        settings.AddRange(["ftp:ssl-force yes", $"ftp:ssl-protect-data {protect}", $"ftp:ssl-protect-list {protect}"]);
        settings.AddRange(options.Authority is { } authority ? [$"ssl:ca-file {authority}"] : ["ssl:verify-certificate no"]);
        if (options.ClearCommands)
            settings.Add("ftp:ssl-use-ccc yes");
        if (options.Certificate is { } certificate)
            settings.AddRange([$"ssl:cert-file {certificate.Chain}", $"ssl:key-file {certificate.Key}"]);
        // In GnuTLS's words.
        if (options.Version != TlsVersion.Any)
            settings.Add($"ssl:priority NORMAL:-VERS-ALL:+VERS-TLS{options.Version switch { TlsVersion.Tls10 => "1.0", TlsVersion.Tls12 => "1.2", _ => "1.3" }}");
        return settings;
    }

    /// <summary>Runs commands of lftp's own.</summary>
    public Task<string> RunAsync(FtpTarget target, string command) => FtpTools.RunAsync(
        home, target.Namespace, "lftp",
        [
            "--norc", "-u", $"{target.User},{target.Password}", "-p", FtpTools.Text(target.Port),
            "-e", $"{string.Concat(Settings().Select(s => $"set {s}; "))}{command}; bye", (options.Tls == ToolTls.Implicit ? "ftps://" : "") + target.Host,
        ]);
}
