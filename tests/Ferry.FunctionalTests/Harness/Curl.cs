using System.Globalization;
using System.Linq;

namespace Ferry.FunctionalTests.Harness;

internal sealed class Curl(string home, ToolOptions options) : IFtpSessionTool
{
    /// <summary>curl's names of a step's end: 0, a download or an upload that was refused.</summary>
    private const int Done = 0;
    private const int FileNotFound = 78;
    private const int UploadFailed = 25;

    public Task<string> ListAsync(FtpTarget target, string folder) => RunAsync(target, folder + "/");

    public Task DownloadAsync(FtpTarget target, string remote, string local) => RunAsync(target, remote, "-o", local);

    public Task ResumeAsync(FtpTarget target, string remote, string local) => RunAsync(target, remote, "-C", "-", "-o", local);

    public Task UploadAsync(FtpTarget target, string local, string remote) => RunAsync(target, remote, "-T", local);

    public Task AppendAsync(FtpTarget target, string rest, string whole, string remote) => RunAsync(target, remote, "-T", rest, "--append");

    public Task RenameAsync(FtpTarget target, string from, string to) => RunAsync(target, "", "-I", "-Q", $"RNFR {from}", "-Q", $"RNTO {to}");

    public Task DeleteAsync(FtpTarget target, string remote) => RunAsync(target, "", "-I", "-Q", $"DELE {remote}");

    public Task MakeFolderAsync(FtpTarget target, string remote) => RunAsync(target, "", "-I", "-Q", $"MKD {remote}");

    public async Task<string> RunAsync(FtpTarget target, IReadOnlyList<FtpStep> steps)
    {
        List<string> arguments = [];
        foreach (var step in steps)
        {
            string[] own = step.Verb switch
            {
                FtpVerb.List => [Url(target, step.Remote + "/")],
                FtpVerb.Download => ["-o", step.Local, Url(target, step.Remote)],
                FtpVerb.Upload or FtpVerb.UploadRefused => ["-T", step.Local, Url(target, step.Remote)],
                // Without SIZE, whose 550 would be enough for curl not to try RETR.
                _ => ["--ignore-content-length", "-o", "/dev/null", Url(target, step.Remote)],
            };
            if (arguments.Count > 0)
                arguments.Add("--next");
            // Without CWD, whose 550 would be enough for curl not to try STOR.
            arguments.AddRange([.. Common(target), "--ftp-method", "nocwd", "-w", "step ended with %{exitcode}\\n", .. own]);
        }
        // The exit code is the last step's.
        var result = await FtpTools.TryAsync(home, target.Namespace, "curl", arguments);
        var endings = result.Output.Split('\n').Where(l => l.StartsWith("step ended with ", StringComparison.Ordinal)).Select(l => int.Parse(l.AsSpan(16), CultureInfo.InvariantCulture));
        var expected = steps.Select(s => s.Verb switch { FtpVerb.DownloadRefused => FileNotFound, FtpVerb.UploadRefused => UploadFailed, _ => Done });
        Assert.True(endings.SequenceEqual(expected), $"The steps should have ended with {string.Join(' ', expected)}.\n{result}");
        return result.Output;
    }

    private static string[] Versions(TlsVersion version) => version switch
    {
        TlsVersion.Tls10 => ["--tlsv1.0", "--tls-max", "1.0"],
        TlsVersion.Tls12 => ["--tlsv1.2", "--tls-max", "1.2"],
        TlsVersion.Tls13 => ["--tlsv1.3", "--tls-max", "1.3"],
        _ => [],
    };

    private string Url(FtpTarget target, string path) => $"{(options.Tls == ToolTls.Implicit ? "ftps" : "ftp")}://{target.Host}:{target.Port}/{path}";

    private List<string> Common(FtpTarget target)
    {
        List<string> arguments = [options.Verbose ? "-sSv" : "-sS", "--max-time", "30", "-u", $"{target.User}:{target.Password}"];
        if (options.Active)
            arguments.AddRange(options.Extended is false ? ["-P", "-", "--disable-eprt"] : ["-P", "-"]);
        else if (options.Extended is { } extended)
            arguments.Add(extended ? "--ftp-pasv" : "--disable-epsv");
        if (options.Tls == ToolTls.Plain)
            return arguments;
        arguments.AddRange([options.ClearData ? "--ftp-ssl-control" : "--ssl-reqd", .. Versions(options.Version)]);
        arguments.AddRange(options.Authority is { } authority ? ["--cacert", authority] : ["-k"]);
        if (options.ClearCommands)
            arguments.Add("--ftp-ssl-ccc");
        // OpenSSL's own level forbids TLS 1.0.
        if ((options.Ciphers ?? (options.Version == TlsVersion.Tls10 ? "ALL:@SECLEVEL=0" : null)) is { } ciphers)
            arguments.AddRange(["--ciphers", ciphers]);
        if (options.Certificate is { } certificate)
            arguments.AddRange(["--cert", certificate.Chain, "--key", certificate.Key]);
        return arguments;
    }

    private Task<string> RunAsync(FtpTarget target, string path, params string[] own) =>
        FtpTools.RunAsync(home, target.Namespace, "curl", [.. Common(target), .. own, Url(target, path)]);
}
