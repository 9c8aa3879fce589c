using System.Diagnostics;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
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
            var port = Regex.Match(introduction, @"listens on 127\.0\.0\.1:(\d+)").Groups[1].Value;
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
            Assert.NotEmpty(told);
            Assert.DoesNotContain("verysecret", told, StringComparison.Ordinal);
            Assert.Empty(await demo.StandardError.ReadToEndAsync());
        }
        finally
        {
            demo.Kill();
        }
    }

    [Fact]
    public async Task A_taken_port_is_named_with_the_way_out()
    {
        using var taker = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taker.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taker.Listen();
        var port = ((IPEndPoint)taker.LocalEndPoint!).Port;

        var result = await RunAsync("demo", "--port", $"{port}");

        Assert.Equal(new ProgramResult(1, "", $"ferryd: port {port} is taken by another program; choose another one: ferryd demo --port 2121\n"), result);
    }

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
