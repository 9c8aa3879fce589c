using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;
using static Ferry.FunctionalTests.Daemon.DaemonUnderTest;

namespace Ferry.FunctionalTests.Daemon;

/// <summary>A ferryd that serves, told by NOTIFY_SOCKET when it is ready, as systemd is.</summary>
public sealed class SignalTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ferryd-test-").FullName;
    private readonly Socket _notify = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly int _port;
    private Process? _daemon;

    public SignalTests()
    {
        _notify.Bind(new UnixDomainSocketEndPoint(Path.Combine(_folder, "notify")));
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _port = ((IPEndPoint)probe.LocalEndPoint!).Port;
        File.WriteAllText(Configuration, Text(""));
    }

    private string Configuration => Path.Combine(_folder, "ferry.conf");

    private string PidFile => Path.Combine(_folder, "run", "ferry.pid");

    public void Dispose()
    {
        _daemon?.Kill();
        _daemon?.Dispose();
        _notify.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("-s", "stop")]
    [InlineData("-s", "quit")]
    [InlineData("stop")]
    [InlineData("quit")]
    public async Task It_tells_systemd_that_it_is_ready_and_ends_when_told_to(params string[] how)
    {
        var daemon = await StartAsync();
        Assert.Equal($"{daemon.Id}\n", await File.ReadAllTextAsync(PidFile));

        Assert.Equal(new ProgramResult(0, "", ""), await RunAsync([.. how, "-c", Configuration]));

        Assert.Equal("STOPPING=1", await NotifiedAsync());
        await daemon.WaitForExitAsync().WaitAsync(Limit);
        Assert.Equal(0, daemon.ExitCode);
        Assert.False(File.Exists(PidFile));
    }

    [Fact]
    public async Task A_reload_of_a_broken_file_changes_nothing_and_one_of_a_whole_file_moves_the_pid_file()
    {
        var daemon = await StartAsync();

        await File.WriteAllTextAsync(Configuration, Text("frobnicate yes;"));
        Signal(daemon, SIGHUP);
        await ReloadedAsync(daemon);
        Assert.True(File.Exists(PidFile));
        Assert.Equal(1, (await RunAsync("reload", "-c", Configuration)).ExitCode);

        var moved = Path.Combine(_folder, "moved.pid");
        await File.WriteAllTextAsync(Configuration, Text("").Replace(PidFile, moved, StringComparison.Ordinal));
        Signal(daemon, SIGHUP);
        await ReloadedAsync(daemon);
        Assert.False(File.Exists(PidFile));
        Assert.Equal($"{daemon.Id}\n", await File.ReadAllTextAsync(moved));

        Signal(daemon, SIGUSR1);
        Assert.Equal(0, (await RunAsync("reload", "-c", Configuration)).ExitCode);
        await ReloadedAsync(daemon);
        Signal(daemon, SIGTERM);
        await daemon.WaitForExitAsync().WaitAsync(Limit);
        Assert.Equal(0, daemon.ExitCode);
        Assert.Contains("frobnicate", await daemon.StandardError.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_log_that_was_moved_away_is_opened_anew()
    {
        var log = Path.Combine(_folder, "logs", "error.log");
        await File.WriteAllTextAsync(Configuration, Text($"error_log {log} info;"));
        var daemon = await StartAsync();
        File.Move(log, log + ".1");

        Signal(daemon, SIGUSR1);

        await Harness.Wait.Until(() => File.Exists(log) && File.ReadAllText(log).Contains("log files opened anew", StringComparison.Ordinal), "the new log");
        Assert.Contains("started, listening", await File.ReadAllTextAsync(log + ".1"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reload_that_the_machine_refuses_is_logged_once()
    {
        var log = Path.Combine(_folder, "error.log");
        await File.WriteAllTextAsync(Configuration, Text($"error_log {log} info;"));
        var daemon = await StartAsync();
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        other.Listen();
        var taken = $"127.0.0.1:{((IPEndPoint)other.LocalEndPoint!).Port}";
        await File.WriteAllTextAsync(Configuration, Text($"error_log {log} info;").Replace($"127.0.0.1:{_port}", taken, StringComparison.Ordinal));

        Signal(daemon, SIGHUP);
        await ReloadedAsync(daemon);
        Signal(daemon, SIGTERM);
        await daemon.WaitForExitAsync().WaitAsync(Limit);

        Assert.Single(await File.ReadAllLinesAsync(log), line => line.Contains($"cannot listen on {taken}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_second_ferryd_does_not_take_the_pid_file_of_the_first()
    {
        var daemon = await StartAsync();

        var second = await RunAsync("-c", Configuration);

        Assert.Equal(1, second.ExitCode);
        Assert.Contains($"another ferryd, process {daemon.Id}, is running", second.Errors, StringComparison.Ordinal);
        Assert.Equal($"{daemon.Id}\n", await File.ReadAllTextAsync(PidFile));
    }

    [Fact]
    public async Task Quit_and_interrupt_count_even_where_the_shell_had_them_ignored()
    {
        var daemon = await StartAsync("trap '' INT QUIT; ");

        Signal(daemon, SIGQUIT);

        await daemon.WaitForExitAsync().WaitAsync(Limit);
        Assert.Equal(0, daemon.ExitCode);
    }

    private async Task<Process> StartAsync(string shell = "")
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"{shell}exec \"$0\" -c \"$1\"", Program, Configuration])
        {
            RedirectStandardError = true,
            Environment = { ["NOTIFY_SOCKET"] = Path.Combine(_folder, "notify") },
        };
        _daemon = Process.Start(start)!;
        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"READY=1\nMAINPID={_daemon.Id}"), await NotifiedAsync());
        return _daemon;
    }

    private async Task ReloadedAsync(Process daemon)
    {
        Assert.Matches(@"^RELOADING=1\nMONOTONIC_USEC=\d+$", await NotifiedAsync());
        Assert.Equal($"READY=1\nMAINPID={daemon.Id}", await NotifiedAsync());
    }

    private async Task<string> NotifiedAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        var buffer = new byte[256];
        var length = await _notify.ReceiveAsync(buffer, SocketFlags.None, limit.Token);
        return Encoding.ASCII.GetString(buffer, 0, length);
    }

    private string Text(string more) => $$"""
        pid {{PidFile}};
        error_log stderr error;
        {{more}}
        events { worker_connections 64; }
        stream {
            server {
                listen 127.0.0.1:{{_port}};
                ftp_ctrl zone=z:64k proxy_ip=127.0.0.1 min_port=47200 max_port=47210;
                proxy_pass 127.0.0.1:47021;
            }
        }
        """;
}
