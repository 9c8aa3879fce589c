using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Ferry.Config;

namespace Ferry.Tests.Config;

/// <summary>The directive table, and the manual that is held to it.</summary>
public sealed partial class DirectiveTableTests
{
    private static readonly string Manual = File.ReadAllText(Path.Combine(Root(), "docs", "configuration.md"));

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Ferry.slnx")))
            folder = Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("The tests are not run from within the repository.");
        return folder;
    }

    private static string Title(Directive directive) =>
        DirectiveTable.All.Count(d => d.Name == directive.Name) > 1 && directive.Contexts == ConfigContexts.Upstream ? $"{directive.Name} (upstream)" : directive.Name;

    [Fact]
    public void The_manual_has_a_section_for_each_row_and_no_other()
    {
        var documented = Section().Matches(Manual).Select(m => (m.Groups["title"].Value, m.Groups["syntax"].Value, m.Groups["default"].Value.Trim('`'), m.Groups["context"].Value)).ToList();

        Assert.Equal(Manual.Split('\n').Count(l => l.StartsWith("#### ", StringComparison.Ordinal)), documented.Count);
        Assert.Equal(
            DirectiveTable.All.Select(d => (Title(d), d.Syntax, d.Default, d.ContextNames)).OrderBy(d => d.Item1, StringComparer.Ordinal),
            documented.OrderBy(d => d.Item1, StringComparer.Ordinal));
    }

    [Fact]
    public void A_section_says_what_the_row_says()
    {
        var bodies = Section().Matches(Manual).ToDictionary(m => m.Groups["title"].Value, m => m.Groups["body"].Value);

        foreach (var directive in DirectiveTable.All)
        {
            var body = bodies[Title(directive)];
            Assert.Contains(directive.Summary, body, StringComparison.Ordinal);
            Assert.Contains(directive.Reason ?? "", body, StringComparison.Ordinal);
            Assert.Equal(directive.Neutral is not null, body.Contains($"With `{directive.Neutral}` it asks for nothing", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void The_manual_has_all_variables_and_no_other() =>
        Assert.Equal(
            ConfigVariables.All.Select(v => $"| `${v.Name}` | {(v.InHash ? "yes" : "no")} | {v.Summary} |"),
            Manual.Split('\n').Where(l => l.StartsWith("| `$", StringComparison.Ordinal)));

    [Fact]
    public void Whole_configurations_of_the_manual_load()
    {
        var whole = Example().Matches(Manual).Select(m => m.Groups["text"].Value).Where(t => t.Contains("stream {", StringComparison.Ordinal)).ToList();

        Assert.True(whole.Count >= 2);
        // Of old versions of TLS a note is due.
        Assert.All(whole, text => Assert.DoesNotContain(ConfigFile.Parse(text).Diagnostics, d => !d.Message.Contains("security level", StringComparison.Ordinal)));
    }

    [Fact]
    public void Pieces_of_the_manual_have_no_unknown_words()
    {
        var pieces = Example().Matches(Manual).Select(m => m.Groups["text"].Value).Where(t => !t.Contains("argument", StringComparison.Ordinal)).ToList();

        Assert.All(pieces, text => Assert.DoesNotContain(ConfigFile.Parse(text).Diagnostics, d => d.Message.Contains("unknown", StringComparison.Ordinal) || d.Message.Contains("missing", StringComparison.Ordinal)));
    }

    public static TheoryData<string> WithDefault =>
        [.. DirectiveTable.All.Where(d => d.Default != "none" && d.Contexts.HasFlag(ConfigContexts.Stream) && d.Name is not ("error_log" or "allow")).Select(d => d.Name)];

    [Theory]
    [MemberData(nameof(WithDefault))]
    public void The_default_that_is_told_is_the_one_that_acts(string name)
    {
        var row = DirectiveTable.Find(name, ConfigContexts.Stream)!;

        Assert.Equal(Effective(""), Effective($"{name} {row.Default};"));
        Assert.Contains($"{name} ", Effective(""), StringComparison.Ordinal);

        static string Effective(string line)
        {
            // One server without TLS and one with, where the defaults of TLS act.
            var read = ConfigFile.Parse($$"""
                stream { {{line}}
                    server { listen 21; ftp_ctrl zone=z:8k proxy_ip=192.0.2.9 min_port=1000 max_port=1001; proxy_pass 192.0.2.1; }
                    server { listen 22; ftp_ctrl zone=y:8k proxy_ip=192.0.2.9 min_port=2000 max_port=2001; proxy_pass 192.0.2.1;
                        starttls on; ssl_certificate a.pem; ssl_certificate_key a.key; proxy_starttls on; }
                }
                """);
            Assert.Empty(read.Diagnostics);
            var text = new StringWriter();
            read.WriteEffective(text);
            return text.ToString();
        }
    }

    [Fact]
    public void Defaults_of_the_process_are_those_that_are_told()
    {
        var config = new FerryConfig();

        Assert.Equal($"{config.MaxSessions}", DirectiveTable.Find("worker_connections", ConfigContexts.Events)!.Default);
        Assert.True(ConfigValue.TryTime(DirectiveTable.Find("worker_shutdown_timeout", ConfigContexts.Main)!.Default, out var time));
        Assert.Equal(config.ShutdownTimeout, time);
    }

    [Fact]
    public void Rows_are_whole()
    {
        foreach (var row in DirectiveTable.All)
        {
            Assert.StartsWith(row.Name, row.Syntax, StringComparison.Ordinal);
            Assert.EndsWith(row.IsBlock ? "{ ... }" : ";", row.Syntax, StringComparison.Ordinal);
            Assert.True(row.Contexts != ConfigContexts.None && row.MinArguments <= row.MaxArguments, row.Name);
            Assert.Equal(row.Status == DirectiveStatus.NoMeaning, row.Reason is not null && row.Status != DirectiveStatus.NotYet);
            Assert.True(row.Status != DirectiveStatus.Supported || row.Set is not null || row.Name == "include", row.Name);
            Assert.True(row.Neutral is null || row.Status == DirectiveStatus.NotYet, row.Name);
        }
        Assert.All(
            from row in DirectiveTable.All
            from context in Enum.GetValues<ConfigContexts>()
            where context != ConfigContexts.None && row.Contexts.HasFlag(context)
            group row by (row.Name, context),
            rows => Assert.Single(rows));
    }

    [Theory]
    [InlineData("ftp_ctrl ftp_data listen njtmesh_dest range upstream server hash least_conn random zone proxy_pass proxy_timeout proxy_connect_timeout proxy_bind")]
    [InlineData("proxy_next_upstream proxy_next_upstream_timeout proxy_next_upstream_tries proxy_protocol proxy_upload_rate proxy_download_rate proxy_ssl ssl_certificate")]
    [InlineData("allow deny limit_conn limit_conn_zone access_log log_format map resolver tcp_nodelay proxy_socket_keepalive")]
    [InlineData("user worker_processes worker_rlimit_nofile pid error_log events worker_connections cluster_name node_name helper load_module")]
    public void Every_directive_of_OpenNJet_s_proxy_is_known(string names) =>
        Assert.All(names.Split(' '), name => Assert.Contains(DirectiveTable.All, d => d.Name == name));

    [Fact]
    public void What_is_not_supported_yet_is_never_passed_over()
    {
        foreach (var row in DirectiveTable.All.Where(d => d.Status == DirectiveStatus.NotYet))
        {
            var line = row.IsBlock ? $"{row.Name} a b {{ }}" : $"{row.Name} a b;";
            var text = row.Contexts switch
            {
                var c when c.HasFlag(ConfigContexts.Main) => line,
                var c when c.HasFlag(ConfigContexts.Stream) => $"stream {{ {line} }}",
                var c when c.HasFlag(ConfigContexts.Upstream) => $"stream {{ upstream u {{ {line} }} }}",
                _ => $"stream {{ server {{ {line} }} }}",
            };
            var expected = row.Refusal ?? $"\"{row.Name}\" is not supported yet";
            Assert.Contains(ConfigFile.Parse(text).Diagnostics, d => d.Severity == ConfigSeverity.Error && d.Message.StartsWith(expected, StringComparison.Ordinal));
        }
    }

    [GeneratedRegex(@"^#### (?<title>.+)\n\n- Syntax: `(?<syntax>.+)`\n- Default: (?<default>.+)\n- Context: (?<context>.+)\n(?<body>(?:(?!###).*\n)*)", RegexOptions.Multiline)]
    private static partial Regex Section();

    [GeneratedRegex(@"```nginx\n(?<text>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();
}
