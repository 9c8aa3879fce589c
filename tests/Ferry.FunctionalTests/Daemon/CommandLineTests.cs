using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using static Ferry.FunctionalTests.Daemon.DaemonUnderTest;

namespace Ferry.FunctionalTests.Daemon;

public sealed class CommandLineTests : IDisposable
{
    private const string Wrong = """
        stream {
            server {
                listen 21 sll;
                frobnicate yes;
            }
        }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("ferryd-test-").FullName;

    private string PidFile => Path.Combine(_folder, "ferry.pid");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("--version")]
    [InlineData("-v")]
    [InlineData("version")]
    public async Task The_version_is_told(string argument)
    {
        var result = await RunAsync(argument);

        Assert.Equal(0, result.ExitCode);
        Assert.Matches(@"^ferryd \d+\.\d+\.\d+", result.Output);
        Assert.Empty(result.Errors);
    }

    [Theory]
    [InlineData("--nonsense")]
    [InlineData("-s", "halt")]
    [InlineData("-t", "-s", "reload")]
    [InlineData("check", "--format", "xml")]
    [InlineData("demo", "--port", "70000")]
    [InlineData("-c")]
    public async Task A_wrong_command_line_is_exit_code_2(params string[] arguments)
    {
        var result = await RunAsync(arguments);

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("ferryd --help", result.Errors, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Fact]
    public async Task A_wrong_choice_is_told_with_the_right_ones_in_one_line()
    {
        var result = await RunAsync("-s", "relod");

        Assert.Equal(new ProgramResult(2, "", "ferryd: -s takes reload, quit, stop or reopen, not \"relod\".\nferryd: see ferryd --help\n"), result);
    }

    [Fact]
    public async Task A_right_configuration_passes_the_test_in_nginx_words()
    {
        var file = Write(Right());

        var result = await RunAsync("-t", "-c", file);

        Assert.Equal($"ferryd: the configuration file {file} syntax is ok\nferryd: configuration file {file} test is successful\n", result.Errors);
        Assert.Equal(0, result.ExitCode);
        Assert.Empty(result.Output);
    }

    [Fact]
    public async Task A_wrong_configuration_fails_the_test_with_every_error()
    {
        var file = Write(Wrong);

        var result = await RunAsync("-t", "-c", file);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"{file}:3:", result.Errors, StringComparison.Ordinal);
        Assert.Contains($"{file}:4:9: error: ", result.Errors, StringComparison.Ordinal);
        Assert.Contains("frobnicate yes;", result.Errors, StringComparison.Ordinal);
        Assert.EndsWith($"ferryd: configuration file {file} test failed\n", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_name_that_does_not_resolve_is_shown_in_its_line()
    {
        const string name = "ftp.invalid"; // RFC 6761 §6.4: no resolver knows it
        var file = Write(Right().Replace("127.0.0.1:47021", name, StringComparison.Ordinal));

        var result = await RunAsync("-t", "-c", file);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"{file}:7:20: error: the server name \"{name}\" cannot be resolved", result.Errors, StringComparison.Ordinal);
        Assert.Contains($"\n        proxy_pass {name};\n{new string(' ', 19)}^~~~~~~~~~~\n", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_effective_configuration_is_itself_a_configuration()
    {
        var first = await RunAsync("-T", "-c", Write(Right()));
        var second = await RunAsync("-T", "-q", "-c", Write(first.Output));

        Assert.Equal(0, first.ExitCode);
        Assert.Contains("ftp_ctrl", first.Output, StringComparison.Ordinal);
        Assert.Equal(new ProgramResult(0, first.Output, ""), second);
    }

    [Fact]
    public async Task Check_gives_its_findings_to_programs_as_json()
    {
        var file = Write(Wrong);

        var result = await RunAsync("check", "--format", "json", "-c", file);

        Assert.Equal(1, result.ExitCode);
        Assert.Empty(result.Errors);
        using var json = JsonDocument.Parse(result.Output);
        var finding = Assert.Single(json.RootElement.EnumerateArray(), f => f.GetProperty("line").GetInt32() == 4);
        Assert.Equal(["file", "line", "column", "severity", "message", "source"], finding.EnumerateObject().Select(p => p.Name));
        Assert.Equal(file, finding.GetProperty("file").GetString());
        Assert.Equal(9, finding.GetProperty("column").GetInt32());
        Assert.Equal("error", finding.GetProperty("severity").GetString());
        Assert.Contains("frobnicate", finding.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal("        frobnicate yes;", finding.GetProperty("source").GetString());
    }

    [Fact]
    public async Task A_configuration_that_is_not_there_is_an_error()
    {
        var file = Path.Combine(_folder, "none.conf");

        foreach (var arguments in new[] { new[] { "-c", file }, ["-t", "-c", file], ["reload", "-c", file] })
        {
            var result = await RunAsync(arguments);
            Assert.Equal(1, result.ExitCode);
            Assert.Contains(file, result.Errors, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("-s", "reload")]
    [InlineData("-s", "quit")]
    [InlineData("stop")]
    [InlineData("reopen")]
    public async Task A_signal_without_a_pid_file_says_so(params string[] arguments)
    {
        var result = await RunAsync([.. arguments, "-c", Write(Right())]);

        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith($"ferryd: there is no pid file {PidFile}", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_signal_to_a_process_that_has_ended_says_so()
    {
        using var ended = Start("/bin/true");
        await ended.WaitForExitAsync();
        await File.WriteAllTextAsync(PidFile, ended.Id.ToString(CultureInfo.InvariantCulture));

        var result = await RunAsync("-s", "stop", "-c", Write(Right()));

        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"names process {ended.Id}, which has ended", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_signal_never_hits_another_program()
    {
        using var other = Start("/bin/cat");
        await File.WriteAllTextAsync(PidFile, other.Id.ToString(CultureInfo.InvariantCulture));

        var result = await RunAsync("stop", "--pid-file", PidFile);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("which is another program", result.Errors, StringComparison.Ordinal);
        // It ends by the end of its input, not by a signal.
        other.StandardInput.Close();
        await other.WaitForExitAsync();
        Assert.Equal(0, other.ExitCode);
    }

    private string Right() => $$"""
        pid {{PidFile}};
        events { worker_connections 64; }
        stream {
            server {
                listen 127.0.0.1:47121;
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
