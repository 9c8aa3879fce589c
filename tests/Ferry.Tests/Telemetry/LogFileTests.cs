using System.IO;
using System.Linq;
using System.Text;
using Ferry.Telemetry;

namespace Ferry.Tests.Telemetry;

public sealed class LogFileTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _folder = Directory.CreateTempSubdirectory("ferry-log-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Lines_of_many_threads_all_arrive_whole()
    {
        const int Threads = 8;
        const int Lines = 5000;
        var files = new LogFiles();
        var path = Path.Combine(_folder, "many.log");
        await using (var file = Open(files, path))
        {
            var threads = Enumerable.Range(0, Threads).Select(t => new Thread(() =>
            {
                for (var i = 0; i < Lines; i++)
                    file.Append(Encoding.ASCII.GetBytes($"{t} {i} {new string((char)('a' + t), 40)}\n"));
            })).ToList();
            threads.ForEach(t => t.Start());
            threads.ForEach(t => t.Join());
            Assert.Equal(0, file.LinesLost);
        }
        var written = await File.ReadAllLinesAsync(path);
        Assert.Equal(Threads * Lines, written.Length);
        foreach (var byThread in written.Select(l => l.Split(' ')).GroupBy(l => int.Parse(l[0])))
        {
            Assert.Equal(Enumerable.Range(0, Lines), byThread.Select(l => int.Parse(l[1])));
            Assert.All(byThread, l => Assert.Equal(new string((char)('a' + byThread.Key), 40), l[2]));
        }
    }

    [Fact]
    public async Task A_missing_last_folder_is_made()
    {
        var path = Path.Combine(_folder, "logs", "error.log");
        await using (var file = Open(new LogFiles(), path))
            file.Append("one\n"u8);
        Assert.Equal("one\n", await File.ReadAllTextAsync(path));
    }

    [Fact]
    public void A_path_that_cannot_be_opened_is_told_with_its_reason()
    {
        var path = Path.Combine(_folder, "no", "such", "error.log");
        Assert.False(new LogFiles().TryOpen(path, LogSyntax.Text, out var file, out var error));
        Assert.Null(file);
        Assert.Equal($"cannot open \"{path}\": No such file or directory (2)", error);
        Assert.False(Directory.Exists(Path.Combine(_folder, "no")));
    }

    [Fact]
    public async Task Lines_are_added_to_what_the_file_holds_already()
    {
        var path = Path.Combine(_folder, "old.log");
        await File.WriteAllTextAsync(path, "before\n");
        await using (var file = Open(new LogFiles(), path))
            file.Append("after\n"u8);
        Assert.Equal("before\nafter\n", await File.ReadAllTextAsync(path));
    }

    [Fact]
    public async Task After_a_rename_reopening_writes_to_the_new_file()
    {
        var files = new LogFiles();
        var path = Path.Combine(_folder, "access.log");
        await using (var file = Open(files, path))
        {
            file.Append("first\n"u8);
            await file.FlushAsync().WaitAsync(Patience);
            File.Move(path, path + ".1");
            file.Append("second\n"u8);
            Assert.Empty(await files.ReopenAsync().WaitAsync(Patience));
            file.Append("third\n"u8);
        }
        Assert.Equal("first\nsecond\n", await File.ReadAllTextAsync(path + ".1"));
        Assert.Equal("third\n", await File.ReadAllTextAsync(path));
    }

    [Fact]
    public async Task A_reopening_that_fails_keeps_the_old_file_and_names_the_path()
    {
        var files = new LogFiles();
        var path = Path.Combine(_folder, "access.log");
        await using (var file = Open(files, path))
        {
            File.Move(path, path + ".1");
            Directory.CreateDirectory(path);
            Assert.Equal([$"cannot open \"{path}\": Is a directory (21)"], await files.ReopenAsync().WaitAsync(Patience));
            file.Append("still here\n"u8);
        }
        Assert.Equal("still here\n", await File.ReadAllTextAsync(path + ".1"));
    }

    [Fact]
    public async Task Two_users_of_one_path_share_it_until_the_last_has_left()
    {
        var files = new LogFiles();
        var path = Path.Combine(_folder, "shared.log");
        var first = Open(files, path);
        var second = Open(files, Path.Combine(_folder, "..", Path.GetFileName(_folder), "shared.log"));
        first.Append("1\n"u8);
        second.Append("2\n"u8);
        first.Append("3\n"u8);
        await first.DisposeAsync();
        await first.DisposeAsync();
        Assert.Equal("1\n2\n3\n", await File.ReadAllTextAsync(path));
        Assert.False(first.Append("lost\n"u8));
        Assert.True(second.Append("4\n"u8));
        await second.DisposeAsync();
        Assert.Equal("1\n2\n3\n4\n", await File.ReadAllTextAsync(path));
    }

    [Fact]
    public async Task Two_processes_do_not_write_over_each_other()
    {
        var path = Path.Combine(_folder, "two.log");
        await using (var one = Open(new LogFiles(), path))
        await using (var other = Open(new LogFiles(), path))
        {
            for (var i = 0; i < 20; i++)
            {
                var file = i % 2 == 0 ? one : other;
                file.Append(Encoding.ASCII.GetBytes($"{i}\n"));
                await file.FlushAsync().WaitAsync(Patience);
            }
        }
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"{i}"), await File.ReadAllLinesAsync(path));
    }

    [Theory]
    [InlineData(LogSyntax.Text, "# 2 lines of this log were lost here: the queue was full\n")]
    [InlineData(LogSyntax.Json, "{\"lines_lost\":2,\"reason\":\"the queue was full\"}\n")]
    internal async Task A_full_queue_loses_lines_at_once_and_says_how_many_when_there_is_room(LogSyntax syntax, string notice)
    {
        await using var log = new CapturedLog(syntax, queueBytes: 8);
        log.Hold();
        Assert.True(log.File.Append("a\n"u8));
        await log.EnteredAsync();
        Assert.True(log.File.Append("bbb\nccc\n"u8));
        Assert.False(log.File.Append("d\n"u8));
        Assert.False(log.File.Append("e\n"u8));
        Assert.Equal(2, log.File.LinesLost);
        log.Release();
        await log.ReadAsync();
        Assert.True(log.File.Append("f\n"u8));
        Assert.Equal("a\nbbb\nccc\n" + notice + "f\n", await log.ReadAsync());
    }

    [Fact]
    public async Task A_line_larger_than_the_queue_is_lost_and_told()
    {
        await using var log = new CapturedLog(queueBytes: 8);
        Assert.False(log.File.Append("0123456789\n"u8));
        Assert.Equal("# 1 lines of this log were lost here: the queue was full\n", await log.ReadAsync());
    }

    [Fact]
    public async Task A_full_disk_loses_lines_and_logging_goes_on_when_it_has_room()
    {
        await using var log = new CapturedLog();
        log.Fill(bytesLeft: 7);
        log.File.Append("first\nsecond\nthird\n"u8);
        Assert.Equal("first\ns", await log.ReadAsync());
        log.File.Append("fourth\n"u8);
        Assert.Equal("first\ns", await log.ReadAsync());
        Assert.Equal(3, log.File.LinesLost);
        log.Empty();
        log.File.Append("fifth\n"u8);
        Assert.Equal("first\ns\n# 3 lines of this log were lost here: No space left on device (28)\nfifth\n", await log.ReadAsync());
    }

    [Fact]
    public async Task A_device_that_is_full_throws_nothing_at_callers()
    {
        await using var file = Open(new LogFiles(), "/dev/full");
        Assert.True(file.Append("one\ntwo\n"u8));
        await file.FlushAsync().WaitAsync(Patience);
        Assert.Equal(2, file.LinesLost);
    }

    [Fact]
    public async Task Disposing_writes_out_everything()
    {
        var log = new CapturedLog();
        log.Hold();
        log.File.Append("0\n"u8);
        await log.EnteredAsync();
        for (var i = 1; i < 10_000; i++)
            log.File.Append(Encoding.ASCII.GetBytes($"{i}\n"));
        await log.DisposeAsync();
        Assert.Equal(string.Concat(Enumerable.Range(0, 10_000).Select(i => $"{i}\n")), log.Written);
    }

    [Fact]
    public async Task A_dash_is_the_standard_error_stream()
    {
        await using var log = new CapturedLog();
        Assert.True(log.Files.TryOpen("-", LogSyntax.Text, out var dash, out _));
        dash.Append("to stderr\n"u8);
        await dash.DisposeAsync();
        Assert.Equal("to stderr\n", log.Written);
        Assert.False(File.Exists("-"));
    }

    private static LogFile Open(LogFiles files, string path)
    {
        Assert.True(files.TryOpen(path, LogSyntax.Text, out var file, out var error), error);
        return file;
    }
}
