using System.IO;
using System.Linq;
using System.Text.Json;
using Ferry.FunctionalTests.Harness;
using static Ferry.FunctionalTests.Daemon.DaemonUnderTest;

namespace Ferry.FunctionalTests.Daemon;

/// <summary>What <c>ferryd -t</c> and <c>ferryd check</c> say of certificates, keys and ciphers, which only this machine can judge.</summary>
public sealed class TlsCheckTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ferryd-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_good_pair_passes_without_a_word()
    {
        using var certificate = TestCertificate.SelfSigned();
        certificate.WriteTo(_folder);
        var file = Write(Offering("server.crt", "server.key"));

        var result = await RunAsync("-t", "-c", file);

        Assert.Equal(new ProgramResult(0, "", $"ferryd: the configuration file {file} syntax is ok\nferryd: configuration file {file} test is successful\n"), result);
    }

    [Fact]
    public async Task A_certificate_that_is_not_there_is_shown_in_its_line()
    {
        using var certificate = TestCertificate.SelfSigned();
        certificate.WriteTo(_folder);
        var file = Write(Offering("gone.crt", "server.key"));

        var result = await RunAsync("-t", "-c", file);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(
            $"{file}:5:25: error: cannot read the certificate from \"{_folder}/gone.crt\": there is no such file\n" +
            $"        ssl_certificate gone.crt;\n{new string(' ', 24)}^~~~~~~~\n",
            result.Errors, StringComparison.Ordinal);
        Assert.EndsWith($"ferryd: configuration file {file} test failed\n", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_of_another_certificate_is_shown_in_its_line()
    {
        using var certificate = TestCertificate.SelfSigned();
        using var other = TestCertificate.SelfSigned();
        certificate.WriteTo(_folder);
        other.WriteTo(_folder, "other");
        var file = Write(Offering("server.crt", "other.key"));

        var result = await RunAsync("-t", "-c", file);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"{file}:6:29: error: the key in \"{_folder}/other.key\" does not belong to the certificate in \"{_folder}/server.crt\"\n", result.Errors, StringComparison.Ordinal);
        Assert.Contains("\n        ssl_certificate_key other.key;\n", result.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("PRIVATE KEY", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everything_that_is_wrong_is_told_at_once()
    {
        var file = Write(Offering("gone.crt", "gone.key", "ssl_ciphers RC4-SHA;"));

        var result = await RunAsync("check", "--format", "json", "-c", file);

        Assert.Equal(1, result.ExitCode);
        using var json = JsonDocument.Parse(result.Output);
        Assert.Equal([5, 6, 7], json.RootElement.EnumerateArray()
            .Where(finding => finding.GetProperty("severity").GetString() == "error")
            .Select(finding => finding.GetProperty("line").GetInt32()).Distinct().Order());
        Assert.All(json.RootElement.EnumerateArray(), finding => Assert.NotNull(finding.GetProperty("source").GetString()));
    }

    [Fact]
    public async Task A_certificate_whose_time_is_over_is_a_warning()
    {
        using var authority = new TestAuthority();
        using var certificate = authority.IssueExpired();
        certificate.WriteTo(_folder);
        var file = Write(Offering("server.crt", "server.key"));

        var result = await RunAsync("-t", "-c", file);

        Assert.Equal(0, result.ExitCode);
        Assert.Matches($@"(?m)^{file}:5:25: warning: the certificate in ""{_folder}/server\.crt"" expired on \d{{4}}-\d\d-\d\d ", result.Errors);
        Assert.Contains("\n        ssl_certificate server.crt;\n", result.Errors, StringComparison.Ordinal);
        Assert.EndsWith($"ferryd: configuration file {file} test is successful\n", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ciphers_that_OpenSSL_has_no_more_are_named_in_a_warning()
    {
        using var certificate = TestCertificate.SelfSigned();
        certificate.WriteTo(_folder);
        var file = Write(Offering("server.crt", "server.key", "ssl_ciphers AES128-SHA:RC4-SHA:DES-CBC3-SHA;"));

        var result = await RunAsync("check", "-c", file);

        Assert.Equal(0, result.ExitCode);
        Assert.Contains(
            $"{file}:7:21: warning: today's OpenSSL has no RC4-SHA, DES-CBC3-SHA; they are left out\n" +
            $"        ssl_ciphers AES128-SHA:RC4-SHA:DES-CBC3-SHA;\n{new string(' ', 20)}^{new string('~', 30)}\n",
            result.Output, StringComparison.Ordinal);
        Assert.EndsWith($"{file}: 0 errors, 1 warning, 0 notes\n", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_file_for_implicit_TLS_of_OpenNJet_runs_with_warnings_only()
    {
        using var certificate = TestCertificate.SelfSigned();
        var both = certificate.WriteTo(_folder, "vsftpd").Both;
        // Its logs are relative to the folder that it is read from.
        Directory.CreateDirectory(Path.Combine(_folder, "logs"));
        var text = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "tests", "Ferry.Tests", "Config", "Cases", "opennjet", "implicit-tls-port-range.conf"));
        var file = Write(text.Replace("/etc/vsftpd/.sslkey/vsftpd.pem", both, StringComparison.Ordinal));

        var result = await RunAsync("-t", "-c", file);

        Assert.Equal(0, result.ExitCode);
        Assert.Contains("warning: today's OpenSSL has no RC4-SHA, DES-CBC3-SHA, RC4-MD5; they are left out\n", result.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("error:", result.Errors, StringComparison.Ordinal);
        Assert.EndsWith($"ferryd: configuration file {file} test is successful\n", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_proxy_does_not_start_with_a_certificate_that_is_not_there()
    {
        var file = Write(Offering("gone.crt", "gone.key"));

        var result = await RunAsync("-c", file);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"{file}:5:25: cannot read the certificate from \"{_folder}/gone.crt\": there is no such file", result.Errors, StringComparison.Ordinal);
    }

    private static string Offering(string certificate, string key, string more = "") => $$"""
        stream {
            server {
                listen 127.0.0.1:47121;
                starttls on;
                ssl_certificate {{certificate}};
                ssl_certificate_key {{key}};
                {{more}}
                ftp_ctrl zone=z:64k proxy_ip=127.0.0.1 min_port=47200 max_port=47210;
                proxy_pass 127.0.0.1:47021;
            }
        }
        """;

    private string Write(string text)
    {
        var file = Path.Combine(_folder, "ferry.conf");
        File.WriteAllText(file, text);
        return file;
    }
}
