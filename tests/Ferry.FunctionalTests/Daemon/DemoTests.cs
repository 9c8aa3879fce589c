using System.Diagnostics;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Ferry.FunctionalTests.Harness;
using static Ferry.FunctionalTests.Daemon.DaemonUnderTest;

namespace Ferry.FunctionalTests.Daemon;

public sealed class DemoTests
{
    [Fact]
    public async Task The_demo_serves_curl_and_leaves_nothing_behind()
    {
        using var demo = Start(Program, "demo", "--port", "0");
        try
        {
            var introduction = await ReadIntroductionAsync(demo);
            var port = PortOf("FTP,", introduction);
            var folder = Regex.Match(introduction, @"files are in (\S+),").Groups[1].Value;
            var url = $"ftp://127.0.0.1:{port}";
            var scratch = Directory.CreateTempSubdirectory("ferryd-test-");
            try
            {
                var upload = Path.Combine(scratch.FullName, "up");
                var bytes = RandomNumberGenerator.GetBytes(3_000_001);
                await File.WriteAllBytesAsync(upload, bytes);

                Assert.Contains("8-megabytes.bin", (await CurlAsync($"{url}/pub/")).Output, StringComparison.Ordinal);
                await CurlAsync("-T", upload, $"{url}/up.bin");
                Assert.Equal(bytes, await File.ReadAllBytesAsync(Path.Combine(folder, "up.bin")));
                var download = Path.Combine(scratch.FullName, "down");
                await CurlAsync("-u", "me:verysecret", "-o", download, $"{url}/pub/8-megabytes.bin");
                Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(folder, "pub", "8-megabytes.bin")), await File.ReadAllBytesAsync(download));
                await CurlAsync("-C", "1000000", "-o", download, $"{url}/up.bin");
                // Raw: curl asks for the size of a file first, and gives up when there is none.
                await RunProgramAsync("python3", ["-c",
                    $"import ftplib\nwith ftplib.FTP() as f:\n f.connect('127.0.0.1', {port}); f.login()\n try: f.retrbinary('RETR secret.txt', print)\n except ftplib.error_perm: pass"]);
            }
            finally
            {
                scratch.Delete(recursive: true);
            }

            Signal(demo, SIGINT);
            var told = await demo.StandardOutput.ReadToEndAsync().WaitAsync(Limit);
            await demo.WaitForExitAsync().WaitAsync(Limit);
            Assert.Equal(0, demo.ExitCode);
            Assert.False(Directory.Exists(folder));
            Assert.DoesNotContain("verysecret", told, StringComparison.Ordinal);
            // Who came, what was carried, how it ended: three lines a session, in the order in which it happened.
            Assert.Matches(@"\n..:..:..  session (\S+): client connected from 127\.0\.0\.1:\d+\n" +
                @"..:..:..  session \1: STOR up\.bin: 3,000,001 bytes to the server through port 210\d\d in \d+\.\d\d s\n" +
                @"..:..:..  session \1: ended \(client_quit\) after \d+\.\d\d s, \d+ commands, 1 transfer\n", told);
            Assert.Matches(@"session \S+: RETR 8-megabytes\.bin: 8,388,608 bytes to the client through port", told);
            Assert.Matches(@"session \S+: RETR secret\.txt: refused, 0 bytes to the client in", told);
            Assert.DoesNotContain("given", told, StringComparison.Ordinal);
            Assert.EndsWith("  stopped\n", told, StringComparison.Ordinal);
            Assert.Empty(await demo.StandardError.ReadToEndAsync());
        }
        finally
        {
            demo.Kill();
        }
    }

    [Theory]
    [InlineData("FTP,", "ftp", "--ssl-reqd")]
    [InlineData("FTPS with TLS from the first byte", "ftps")]
    public async Task The_demo_speaks_both_kinds_of_FTPS(string listener, string scheme, params string[] options)
    {
        using var demo = Start(Program, "demo", "--port", "0");
        try
        {
            var introduction = await ReadIntroductionAsync(demo);
            var folder = Regex.Match(introduction, @"files are in (\S+),").Groups[1].Value;
            var certificate = Regex.Match(introduction, @"--cacert (\S+)").Groups[1].Value;
            var url = $"{scheme}://127.0.0.1:{PortOf(listener, introduction)}";
            using var scratch = new TempFolder();
            var (upload, download) = (Path.Combine(scratch.Path, "up"), Path.Combine(scratch.Path, "down"));
            var bytes = RandomNumberGenerator.GetBytes(3_000_001);
            await File.WriteAllBytesAsync(upload, bytes);

            // Not with -k: the certificate must be good for the address, too.
            await CurlAsync([.. options, "--cacert", certificate, "-u", "me:verysecret", "-T", upload, $"{url}/up.bin"]);
            Assert.Equal(bytes, await File.ReadAllBytesAsync(Path.Combine(folder, "up.bin")));
            await CurlAsync([.. options, "--cacert", certificate, "-o", download, $"{url}/up.bin"]);
            Assert.Equal(bytes, await File.ReadAllBytesAsync(download));

            Signal(demo, SIGINT);
            var told = await demo.StandardOutput.ReadToEndAsync().WaitAsync(Limit);
            await demo.WaitForExitAsync().WaitAsync(Limit);
            Assert.Equal(0, demo.ExitCode);
            Assert.Matches(@"\n..:..:..  session (\S+): client speaks TLSv1\.3, TLS_\w+\n" +
                @"..:..:..  session \1: its data connection in TLS resumes an earlier session\n" +
                @"..:..:..  session \1: STOR up\.bin: 3,000,001 bytes to the server through port 210\d\d in", told);
            Assert.DoesNotContain("verysecret", told, StringComparison.Ordinal);
            Assert.DoesNotContain("warning", told, StringComparison.Ordinal);
            Assert.Empty(await demo.StandardError.ReadToEndAsync());
        }
        finally
        {
            demo.Kill();
        }
    }

    [Fact]
    public async Task The_key_of_the_demo_is_its_users_alone_and_goes_with_it()
    {
        using var demo = Start(Program, "demo", "--port", "0");
        try
        {
            var introduction = await ReadIntroductionAsync(demo);
            var key = Regex.Match(introduction, @"ssl_certificate_key (\S+);").Groups[1].Value;
            var folder = Path.GetDirectoryName(key)!;

            Assert.StartsWith("-----BEGIN PRIVATE KEY-----", await File.ReadAllTextAsync(key), StringComparison.Ordinal);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
            Assert.DoesNotContain(Path.GetFileName(key), (await CurlAsync($"ftp://127.0.0.1:{PortOf("FTP,", introduction)}/")).Output, StringComparison.Ordinal);

            Signal(demo, SIGINT);
            await demo.WaitForExitAsync().WaitAsync(Limit);
            Assert.False(Directory.Exists(folder));
        }
        finally
        {
            demo.Kill();
        }
    }

    [Fact]
    public async Task The_configuration_that_the_demo_prints_is_one()
    {
        using var demo = Start(Program, "demo", "--port", "0");
        try
        {
            var introduction = await ReadIntroductionAsync(demo);
            using var scratch = new TempFolder();
            var file = Path.Combine(scratch.Path, "ferry.conf");
            await File.WriteAllTextAsync(file, Regex.Match(introduction, @"\n( +events \{.*\n  \}\n)", RegexOptions.Singleline).Groups[1].Value);

            // While the demo runs its certificate is there, and nothing is to be said of it.
            var result = await RunAsync("check", "-c", file);

            Assert.Equal(new ProgramResult(0, $"{file}: 0 errors, 0 warnings, 0 notes\n", ""), result);
        }
        finally
        {
            demo.Kill();
        }
    }

    [Theory]
    [InlineData("x", "not \"x\".")]
    [InlineData("70000", "not \"70000\".")]
    [InlineData("-1", "not \"-1\".")]
    public async Task A_wrong_port_is_told_in_a_sentence(string port, string end)
    {
        var result = await RunAsync("demo", "--port", port);

        Assert.Equal(new ProgramResult(2, "", $"ferryd: --port takes a number from 0 (any free port) to 65535, {end}\nferryd: see ferryd --help\n"), result);
    }

    [Fact]
    public async Task A_taken_port_is_named_with_the_way_out()
    {
        using var taker = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taker.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taker.Listen();
        var port = ((IPEndPoint)taker.LocalEndPoint!).Port;

        var result = await RunAsync("demo", "--port", $"{port}");

        Assert.Equal(new ProgramResult(1, "", $"ferryd: port {port} is taken by another program; choose another one: demo --port 2121\n"), result);
    }

    /// <summary>The port in the introduction's line on one of Ferry's listeners.</summary>
    private static string PortOf(string listener, string introduction) =>
        Regex.Match(introduction, $@"\n  127\.0\.0\.1:(\d+) +Ferry: {Regex.Escape(listener)}").Groups[1].Value;

    private static async Task<ProgramResult> CurlAsync(params string[] arguments)
    {
        var result = await RunProgramAsync("curl", ["-sS", "--max-time", "30", .. arguments]);
        Assert.True(result.ExitCode == 0, $"curl: {result.Errors}");
        return result;
    }

    private static async Task<string> ReadIntroductionAsync(Process demo)
    {
        using var limit = new CancellationTokenSource(Limit);
        var text = new StringBuilder();
        while (!text.ToString().Contains("Ctrl-C", StringComparison.Ordinal))
        {
            var line = await demo.StandardOutput.ReadLineAsync(limit.Token);
            if (line is null)
                Assert.Fail($"the demo ended: {await demo.StandardError.ReadToEndAsync(limit.Token)}");
            text.Append(line).Append('\n');
        }
        return text.ToString();
    }
}
