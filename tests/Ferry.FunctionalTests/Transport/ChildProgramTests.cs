using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport.Linux;

namespace Ferry.FunctionalTests.Transport;

/// <summary>Programs that end, and programs that would rather not.</summary>
public sealed partial class ChildProgramTests : IDisposable
{
    private const int CloseOnExec = 0x80000; // O_CLOEXEC, as /proc/self/fdinfo has it

    private const int SubReaper = 36; // PR_SET_CHILD_SUBREAPER

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static ChildProgram Start(string script, params string[] arguments) =>
        ChildProgram.TryStart("/bin/sh", ["-c", script, "sh", .. arguments], ["PATH=/usr/bin:/bin", "A=b c"], out var error) ?? throw new InvalidOperationException(error);

    private static Task<ProgramEnd> RunAsync(string script, params string[] arguments) => Wait.For(Start(script, arguments).Ended, "the program to end");

    [Theory]
    [InlineData("exit 0", 0, 0, "")]
    [InlineData("exit 255", 255, 0, "")]
    [InlineData("echo out; echo more; exit 3", 3, 0, "out")]
    [InlineData("echo err >&2; exit 1", 1, 0, "err")]
    [InlineData("printf '\\n\\r\\n  a\\033[31m\\377 b \\nc'", 0, 0, "a?[31m? b")]
    [InlineData("kill -9 $$", null, 9, "")]
    [InlineData("kill -PIPE $$", null, 13, "")] // which Ferry ignores, and a program must not
    [InlineData("pwd", 0, 0, "/")]
    [InlineData("cat; echo end", 0, 0, "end")]
    public async Task How_it_ended_and_what_it_said_first_is_known(string script, int? code, int signal, string line) =>
        Assert.Equal(new ProgramEnd(code, signal, line, false), await RunAsync(script));

    [Fact]
    public async Task It_is_told_its_arguments_as_they_are_and_nothing_of_Ferrys_environment()
    {
        Assert.Equal("[$(id) ; 'x \"y] [] A=b c", (await RunAsync("echo \"[$1] [$2] A=$A\"", "$(id) ; 'x \"y", "")).FirstLine);
        Assert.Equal("A=b c PATH=/usr/bin:/bin PWD=/", (await RunAsync("/usr/bin/env | grep -v ^_= | sort | tr '\\n' ' '")).FirstLine);
    }

    [Fact]
    public async Task A_long_first_line_is_cut()
    {
        var end = await RunAsync("printf 'x%.0s' $(seq 5000)");
        Assert.Equal(new string('x', 200), end.FirstLine);
    }

    [Fact]
    public async Task What_is_printed_is_read_to_a_bound()
    {
        Assert.Equal((0, false), await RunAsync("head -c 1000000 /dev/zero") is { ExitCode: var code, PrintedTooMuch: var tooMuch } ? (code, tooMuch) : default);
        Assert.True((await RunAsync("exec yes")).PrintedTooMuch);
    }

    [Fact]
    public async Task Killed_it_ends_with_all_that_it_has_started()
    {
        var numbers = Path.Combine(_folder.Path, "numbers");
        var child = Start($"sleep 1000 & echo $$ $! > {numbers}.new; mv {numbers}.new {numbers}; trap '' TERM INT HUP; wait");
        await Wait.Until(() => File.Exists(numbers), "the program to be at work");
        Assert.False(child.Ended.IsCompleted);

        child.Kill();

        Assert.Equal(9, (await Wait.For(child.Ended, "the end")).Signal);
        var pids = File.ReadAllText(numbers).Split(' ', StringSplitOptions.TrimEntries);
        Assert.False(Directory.Exists($"/proc/{pids[0]}")); // not even as a zombie
        await Wait.Until(() => IsGone(pids[1]), "its child to be gone");
        child.Kill(); // without effect
    }

    [Fact]
    public async Task Whom_it_leaves_behind_neither_lives_on_nor_keeps_it()
    {
        var end = await RunAsync("sleep 1000 & echo $!");
        Assert.Equal(0, end.ExitCode);
        await Wait.Until(() => IsGone(end.FirstLine), "the child to be gone");
    }

    [Fact]
    public async Task Whom_it_leaves_behind_is_reaped_where_orphans_are_Ferrys()
    {
        Assert.Equal(0, prctl(SubReaper, 1, 0, 0, 0));
        try
        {
            var end = await RunAsync("sleep 1000 & echo $!");
            await Wait.Until(
                () =>
                {
                    EndedGroups.Reap();
                    return !Directory.Exists($"/proc/{end.FirstLine}");
                },
                "the child to be gone, and not as a zombie");
        }
        finally
        {
            Assert.Equal(0, prctl(SubReaper, 0, 0, 0, 0));
        }
    }

    [Fact]
    public async Task Whoever_has_left_its_group_does_not_keep_it()
    {
        var left = Path.Combine(_folder.Path, "left");
        // It has a session of its own by the time that it writes its number, and holds the pipe open.
        var end = await RunAsync("setsid sh -c 'echo $$ > \"$0\"; exec sleep 1000' \"$1\" & until [ -s \"$1\" ]; do sleep 0.01; done", left);
        using var other = System.Diagnostics.Process.GetProcessById(int.Parse(File.ReadAllText(left), CultureInfo.InvariantCulture));
        Assert.Equal((0, false), (end.ExitCode, other.HasExited));
        other.Kill();
    }

    [Theory]
    [InlineData("/nowhere/at/all", "No such file or directory")]
    [InlineData("/etc/passwd", "Permission denied")]
    [InlineData("/", "Permission denied")]
    public void What_cannot_be_run_is_told(string path, string reason)
    {
        Assert.Null(ChildProgram.TryStart(path, [], [], out var error));
        Assert.Equal(reason, error);
    }

    [Fact]
    public async Task It_gets_none_of_Ferrys_files_and_these_close_by_themselves_too()
    {
        await using var server = ScriptedServer.Start(static c => c.ExpectEndAsync());
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(proxy.EndPoint);
        await server.ConnectedAsync();

        // Its input, its output, and the folder that ls reads.
        Assert.Equal("0", (await RunAsync("ls -l /proc/self/fd | grep -vE ' -> (/dev/null|pipe:|/proc/)' | grep -c ' -> '")).FirstLine);
        var open = Directory.EnumerateFiles("/proc/self/fd").Select(f => (Number: Path.GetFileName(f), Target: Target(f))).Where(f => f.Target?.StartsWith("socket:", StringComparison.Ordinal) == true).ToList();
        Assert.True(open.Count >= 6, $"{open.Count}"); // two listeners, and both ends of two connections
        Assert.All(open, f => Assert.True((FlagsOf(f.Number) & CloseOnExec) != 0, f.Number));

        static string? Target(string file)
        {
            try
            {
                return File.ResolveLinkTarget(file, returnFinalTarget: false)?.Name;
            }
            catch (IOException)
            {
                return null; // closed meanwhile
            }
        }

        // Octal.
        static int FlagsOf(string number)
        {
            try
            {
                return Convert.ToInt32(File.ReadLines($"/proc/self/fdinfo/{number}").First(l => l.StartsWith("flags:", StringComparison.Ordinal))[6..].Trim(), 8);
            }
            catch (FileNotFoundException)
            {
                return CloseOnExec;
            }
        }
    }

    [LibraryImport("libc")]
    private static partial int prctl(int option, nuint second, nuint third, nuint fourth, nuint fifth);

    /// <summary>Ended, be it that nobody has reaped it yet.</summary>
    internal static bool IsGone(string pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2] is 'Z' or 'X';
        }
        catch (IOException)
        {
            return true;
        }
    }
}
