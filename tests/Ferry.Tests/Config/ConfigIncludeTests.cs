using System.IO;
using System.Linq;
using System.Text;
using Ferry.Config;

namespace Ferry.Tests.Config;

public sealed class ConfigIncludeTests : IDisposable
{
    private const string Server = "server { listen PORT; ftp_ctrl zone=zPORT:1m proxy_ip=192.0.2.9 min_port=PORT0 max_port=PORT9; proxy_pass 192.0.2.1; }";

    private readonly string _folder = Directory.CreateTempSubdirectory("ferry-config-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    private static string ServerAt(int port) => Server.Replace("PORT", $"{port}", StringComparison.Ordinal);

    private static string Errors(ConfigFile file) => string.Join('\n', file.Diagnostics);

    [Fact]
    public void Matches_of_a_pattern_are_read_in_sorted_order()
    {
        var main = Write("ferry.conf", "stream {\n include sites/*.conf;\n include nothing/*.conf;\n}");
        Write("sites/b.conf", ServerAt(22));
        Write("sites/a.conf", ServerAt(21));
        Write("sites/.hidden.conf", "nonsense;");
        Write("sites/c.txt", "nonsense;");

        var read = ConfigFile.Load(main);

        Assert.Empty(read.Diagnostics);
        Assert.Equal([21, 22], read.Config!.Servers.Select(s => s.Listens[0].EndPoint.Port));
        Assert.Equal(Path.Combine(_folder, "sites/a.conf"), read.Config.Servers[0].Position.File);
    }

    [Fact]
    public void Mistakes_of_all_files_are_told_in_one_run_and_in_their_order()
    {
        var main = Write("ferry.conf", "nonsense1;\nstream { include sites/*.conf; }\nnonsense2;");
        Write("sites/a.conf", "nonsense3;\nserver {\n");
        Write("sites/b.conf", "}\nnonsense4;");

        var read = ConfigFile.Load(main);

        Assert.Equal(
        [
            "ferry.conf:1 unknown directive \"nonsense1\"",
            "ferry.conf:3 unknown directive \"nonsense2\"",
            "a.conf:1 unknown directive \"nonsense3\"",
            "a.conf:2 block \"server\" is opened here and never closed: \"}\" is missing",
            "a.conf:2 this server has neither \"ftp_ctrl\" nor \"ftp_data\": Ferry serves FTP only",
            "b.conf:1 unexpected \"}\": no block is open here",
            "b.conf:2 unknown directive \"nonsense4\"",
        ], read.Diagnostics.Select(d => $"{Path.GetFileName(d.Position.File)}:{d.Position.Line} {d.Message}"));
    }

    [Fact]
    public void A_plain_name_must_exist_and_be_a_file()
    {
        var read = ConfigFile.Load(Write("ferry.conf", "include gone.conf;\ninclude .;\ninclude;\ninclude a b;\n\"include\" '';"));

        Assert.Contains("ferry.conf:1:9: error: cannot read \"gone.conf\": there is no such file", Errors(read), StringComparison.Ordinal);
        Assert.Equal([1, 2, 3, 4, 5], read.Diagnostics.Select(d => d.Position.Line));
    }

    [Fact]
    public void Files_that_include_each_other_are_an_error_and_no_endless_loop()
    {
        var main = Write("ferry.conf", "include a.conf;");
        Write("a.conf", "include b.conf;");
        Write("b.conf", "include ./a.conf;");

        Assert.Contains("b.conf:1:9: error: \"./a.conf\" includes itself: a.conf -> b.conf -> a.conf", Errors(ConfigFile.Load(main)), StringComparison.Ordinal);
        Assert.Contains("includes itself", Errors(ConfigFile.Load(Write("self.conf", "include self.conf;"))), StringComparison.Ordinal);
    }

    [Fact]
    public void Files_nest_to_a_bound()
    {
        for (var i = 0; i < 40; i++)
            Write($"{i}.conf", $"include {i + 1}.conf;");

        Assert.Contains("more than 16 deep", Errors(ConfigFile.Load(Path.Combine(_folder, "0.conf"))), StringComparison.Ordinal);
    }

    [Fact]
    public void Files_are_bounded_in_size_and_number()
    {
        var large = Write("large.conf", new string('#', (1 << 20) + 1));
        for (var i = 0; i < 1001; i++)
            Write($"many/{i}.conf", "# nothing");

        Assert.Contains("larger than 1 MiB", Errors(ConfigFile.Load(large)), StringComparison.Ordinal);
        Assert.Contains("more than 1000 files match", Errors(ConfigFile.Load(Write("ferry.conf", "include many/*;"))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_main_file_that_cannot_be_read_is_a_diagnostic_without_a_line()
    {
        var gone = Path.Combine(_folder, "gone.conf");

        var found = Assert.Single(ConfigFile.Load(gone).Diagnostics);

        Assert.Equal($"{gone}: error: cannot read the file: there is no such file", found.ToString());
        Assert.Equal(found.ToString(), found.Format());
        Assert.Equal(ConfigSeverity.Error, Assert.Single(ConfigFile.Load(_folder).Diagnostics).Severity);
        Assert.Equal(ConfigSeverity.Error, Assert.Single(ConfigFile.Load("").Diagnostics).Severity);
        Assert.Equal(ConfigSeverity.Error, Assert.Single(ConfigFile.Load("a\0b").Diagnostics).Severity);
    }

    [Fact]
    public void Relative_paths_begin_at_the_prefix_or_else_at_the_folder_of_the_main_file()
    {
        var main = Write("conf/ferry.conf", "pid run/ferry.pid;\nerror_log /var/log/ferry.log;\nstream { include site.conf; }");
        Write("conf/site.conf", ServerAt(21));

        var own = ConfigFile.Load(main).Config!;
        var given = ConfigFile.Load(main, "/srv/ferry").Config!;

        Assert.Equal((Path.Combine(_folder, "conf/run/ferry.pid"), "/var/log/ferry.log"), (own.PidFile, own.ErrorLogs[0].Path));
        Assert.Equal("/srv/ferry/run/ferry.pid", given.PidFile);
    }

    [Theory]
    [InlineData(true, "\n")]
    [InlineData(true, "\r\n")]
    [InlineData(false, "\r\n")]
    public void Byte_order_marks_and_line_ends_of_Windows_change_nothing(bool withMark, string lineEnd)
    {
        var path = Path.Combine(_folder, "ferry.conf");
        File.WriteAllText(path, $"# \u6ce8\u91ca{lineEnd}pid ferry.pid;{lineEnd}nonsense;{lineEnd}", new UTF8Encoding(withMark));

        var found = Assert.Single(ConfigFile.Load(path).Diagnostics);

        Assert.Equal((3, 1, "nonsense;"), (found.Position.Line, found.Position.Column, found.SourceLine));
    }
}
