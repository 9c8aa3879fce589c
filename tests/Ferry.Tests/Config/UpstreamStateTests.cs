using System.IO;
using System.Linq;
using Ferry.Config;

namespace Ferry.Tests.Config;

public sealed class UpstreamStateTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ferry-state-").FullName;

    private string FilePath => Path.Combine(_folder, "files.state");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ConfigFile Read(string more = "") => ConfigFile.Parse(
        $$"""
        stream {
            upstream files { state files.state; {{more}} }
            server { listen 21; ftp_ctrl zone=a:1m proxy_ip=192.0.2.9 min_port=10000 max_port=10010; proxy_pass files; }
        }
        """,
        "f.conf",
        _folder);

    [Fact]
    public void Servers_come_from_the_file_and_the_effective_configuration_names_it()
    {
        File.WriteAllText(FilePath, "# written by Ferry\nserver 192.0.2.1 weight=3 drain;\nserver [2001:db8::1]:2121 backup; server ftp.example.com resolve;\n");

        var read = Read();

        Assert.Empty(read.Diagnostics);
        Assert.Equal(["192.0.2.1", "2001:db8::1", "ftp.example.com"], read.Config!.Servers[0].Upstream.Servers.Select(s => s.Host));
        Assert.Equal((3, true), (read.Config.Servers[0].Upstream.Servers[0].Weight, read.Config.Servers[0].Upstream.Servers[0].Drain));
        var text = new StringWriter();
        read.WriteEffective(text);
        Assert.Contains($"        state {FilePath};\n", text.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("server 192.0.2.1", text.ToString(), StringComparison.Ordinal);
        Assert.Empty(ConfigFile.Parse(text.ToString()).Diagnostics);
    }

    [Fact]
    public void A_file_that_is_not_there_holds_no_servers_yet()
    {
        Assert.Empty(Read().Diagnostics);
        Assert.Empty(Read().Config!.Servers[0].Upstream.Servers);
    }

    [Theory]
    [InlineData("server 192.0.2.1;\nserver 192.0.2.300;", "2:8: error: \"server\" needs an address or a name")]
    [InlineData("server 192.0.2.1", "1:1: error: a directive ends with \";\", and there is no block here")]
    [InlineData("server { }", "1:1: error: a directive ends with \";\", and there is no block here")]
    [InlineData("include /etc/passwd;", "1:1: error: the state of upstream \"files\" has lines \"server ADDR[:PORT] ...;\" only")]
    [InlineData("server 192.0.2.1 weight=0;", "1:25: error: \"weight=\" needs a number")]
    [InlineData("server;", "1:1: error: the state of upstream")]
    [InlineData("}", "1:1: error: a directive ends with \";\"")]
    [InlineData("\0\u0001garbage", "1:1: error: ")]
    public void A_corrupt_file_is_an_error_in_its_own_place(string text, string expected)
    {
        File.WriteAllText(FilePath, text);

        var read = Read();

        Assert.Null(read.Config);
        Assert.Contains(read.Diagnostics, d => d.ToString().StartsWith($"{FilePath}:{expected}", StringComparison.Ordinal));
    }

    [Fact]
    public void Servers_of_its_own_and_a_state_exclude_each_other()
    {
        Assert.Contains("has \"state\" and servers of its own", Assert.Single(Read("server 192.0.2.1;").Diagnostics).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_method_does_not_allow_is_not_allowed_in_the_file_either()
    {
        File.WriteAllText(FilePath, "server 192.0.2.1 slow_start=5s;\nserver 192.0.2.2 backup;");

        Assert.Equal(2, Read("hash $remote_addr;").Diagnostics.Count(d => d.Severity == ConfigSeverity.Error));
        Assert.Empty(Read().Diagnostics);
    }

    [Fact]
    public void A_folder_in_its_place_and_a_file_too_long_are_errors()
    {
        Directory.CreateDirectory(FilePath);
        Assert.Contains("cannot read the state of an upstream", Assert.Single(Read().Diagnostics).Message, StringComparison.Ordinal);
        Directory.Delete(FilePath);
        File.WriteAllText(FilePath, new string('\n', (1 << 20) + 1));
        Assert.Contains("larger than 1 MiB", Assert.Single(Read().Diagnostics).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_written_is_read_back_the_same()
    {
        const string Lines = "server 192.0.2.1 weight=3 max_conns=5 max_fails=2 fail_timeout=1500ms slow_start=30s drain; server [2001:db8::1]:2121 backup down; server example.com service=ftp resolve;";
        var (servers, _) = UpstreamState.Parse(Lines, "t", "files");

        Assert.Null(UpstreamState.TryWrite(FilePath, servers));
        var (again, findings) = UpstreamState.Read(FilePath, "files");

        Assert.Empty(findings);
        Assert.Equal(servers.Select(Plain), again.Select(Plain));
        Assert.Equal(3, File.ReadAllLines(FilePath).Length);
        Assert.False(File.Exists(FilePath + ".new"));

        static UpstreamServerConfig Plain(UpstreamServerConfig server) => server with { Position = default, SourceLine = null };
    }

    [Fact]
    public void A_file_that_cannot_be_written_stays_as_it_was()
    {
        File.WriteAllText(FilePath, "server 192.0.2.1;");
        Directory.CreateDirectory(FilePath + ".new");

        Assert.Contains("cannot be written", UpstreamState.TryWrite(FilePath, []), StringComparison.Ordinal);
        Assert.Contains("cannot be written", UpstreamState.CheckWrite(FilePath), StringComparison.Ordinal);
        Assert.Contains("no such folder", UpstreamState.CheckWrite(Path.Combine(_folder, "none", "x")), StringComparison.Ordinal);
        Assert.Equal("server 192.0.2.1;", File.ReadAllText(FilePath));
    }

    [Theory]
    [InlineData("192.0.2.1; server 192.0.2.2")]
    [InlineData("192.0.2.1 \"weight=2\"")]
    [InlineData("192.0.2.1\nweight=2")]
    [InlineData("$host")]
    [InlineData("")]
    [InlineData("192.0.2.1 wait=2")]
    [InlineData("x { }")]
    public void A_line_from_elsewhere_is_one_server_or_nothing(string words)
    {
        var (server, fault) = UpstreamState.ParseLine(words, "files");

        Assert.Null(server);
        Assert.NotEmpty(fault!);
    }

    [Fact]
    public void A_good_line_from_elsewhere_is_a_server()
    {
        var (server, fault) = UpstreamState.ParseLine("192.0.2.1:2121 weight=2 backup", "files");

        Assert.Null(fault);
        Assert.Equal(("192.0.2.1", 2121, 2, true), (server!.Host, server.Port, server.Weight, server.Backup));
    }

    [Fact]
    public void Garbage_is_read_to_an_end()
    {
        var random = new Random(3);
        const string Letters = "server 192.0.2.1;\n weight=\"'{}#\\$\0 drain";
        for (var i = 0; i < 5000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(60)).Select(_ => Letters[random.Next(Letters.Length)]));
            var (servers, findings) = UpstreamState.Parse(text, "t", "files");
            Assert.True(servers.Length + findings.Length < 200);
        }
    }
}
