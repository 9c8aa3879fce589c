using System.IO;
using System.Linq;
using System.Text;
using Ferry.Config;
using FsCheck;
using FsCheck.Fluent;

namespace Ferry.Tests.Config;

/// <summary>Whatever a file says: no exception, and a mistake has a place in the file.</summary>
public sealed class ConfigRobustnessTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Config", "Cases");

    /// <summary>Pieces that configurations are made of, so that random text gets past the first word.</summary>
    private static readonly string[] Pieces =
    [
        "stream", "server", "upstream", "events", "listen", "ftp_ctrl", "ftp_data", "proxy_pass", "hash", "allow", "deny", "log_format", "access_log",
        "error_log", "starttls", "ssl_certificate", "ssl_protocols", "proxy_ssl", "proxy_starttls", "ssl_session_cache", "map", "http", "range", "range_method", "njtmesh_dest", "mesh", "ftp_proxy_ip", "proxy_ftp_data", "proxy_ftp_ports", "ftp_active_source_port", "ftp_port_peer", "include", "{", "}", ";", "\"", "'", "\\", "$", "${", "#", "\n", "\r\n", "\t", " ", "=", ":", "-", "[", "]", "*",
        "zone=a:1m", "min_port=1", "max_port=65535", "proxy_ip=192.0.2.1", "type=tcp", "src_ports=1:9", "dst_port=5", "family=ipv6", "iptables_path=/x", "none", "any", "auto", "active", "proxy_ip=auto", "proxy_ip=a.b", "21", "99999999999999999999", "10-20",
        "[::]:21", "10.0.0.0/8", "on", "off", "ssl", "1h30m", "consistent", "$remote_addr", "\0", "\u00e9", "\ud800",
    ];

    public static TheoryData<string> Files =>
        [.. Directory.EnumerateFiles(Folder, "*.conf", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Folder, f)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void A_file_cut_off_at_any_byte_is_refused_at_a_place_in_it_or_is_whole(string file)
    {
        var bytes = Encoding.UTF8.GetBytes(Case(file));
        for (var length = 0; length <= bytes.Length; length++)
            Check(Encoding.UTF8.GetString(bytes, 0, length));
    }

    [Fact]
    public void A_good_file_that_lost_its_end_is_never_taken_for_whole()
    {
        var bytes = File.ReadAllBytes(Path.Combine(Folder, "opennjet", "plain-port-range.conf")).AsSpan().TrimEnd((byte)'\n');
        for (var length = 0; length < bytes.Length; length++)
            Assert.Null(ConfigFile.Parse(Encoding.UTF8.GetString(bytes[..length])).Config);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_file_with_one_place_overwritten_never_throws(string file)
    {
        var text = Case(file);
        var changes = Gen.Zip(Gen.Choose(0, text.Length), Gen.Choose(0, 12)).Zip(Gen.Elements(Pieces)).ToArbitrary();
        Prop.ForAll(changes, change =>
        {
            var ((at, length), piece) = change;
            Check(text[..at] + piece + text[Math.Min(text.Length, at + length)..]);
        }).Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(150));
    }

    [Fact]
    public void Pieces_of_configurations_in_any_order_never_throw() =>
        Prop.ForAll(Gen.Elements(Pieces).ListOf().ToArbitrary(), pieces => Check(string.Join(' ', pieces)))
            .Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(1000));

    [Fact]
    public void Any_text_never_throws() =>
        Prop.ForAll<string?>(text => Check(text ?? "")).Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void Blocks_nested_without_end_are_an_error()
    {
        Check(string.Concat(Enumerable.Repeat("server { ", 20_000)));
        Check(string.Concat(Enumerable.Repeat("stream { server { ", 20_000)));
        Check(new string('{', 100_000));
    }

    [Fact]
    public void A_file_of_mistakes_yields_a_bounded_list()
    {
        var read = ConfigFile.Parse(string.Concat(Enumerable.Repeat("nonsense;\n", 50_000)));

        Assert.InRange(read.Diagnostics.Length, 100, 1001);
        Assert.Contains(read.Diagnostics, d => d.Message.Contains("too many findings", StringComparison.Ordinal));
        Assert.Null(read.Config);
    }

    /// <summary>A case without the lines that tell what is expected of it.</summary>
    private static string Case(string file) => File.ReadAllText(Path.Combine(Folder, file)).Split("\n#> ")[0];

    private static void Check(string text)
    {
        var read = ConfigFile.Parse(text, "f.conf", "/nonexistent");
        var lines = text.TrimStart('\uFEFF').Split('\n');
        foreach (var found in read.Diagnostics)
        {
            Assert.InRange(found.Position.Line, 1, lines.Length);
            Assert.InRange(found.Position.Column, 1, lines[found.Position.Line - 1].Length + 1);
            Assert.DoesNotContain('\n', found.Message);
            Assert.True(found.Length >= 1);
            Assert.NotEmpty(found.Format());
        }
        Assert.Equal(read.Config is null, read.Diagnostics.Any(d => d.Severity == ConfigSeverity.Error));
    }
}
