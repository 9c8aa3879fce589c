using System.Linq;
using Ferry.Config;

namespace Ferry.Tests.Config;

/// <summary>Health checks: what ends up in the records.</summary>
public sealed class ConfigHealthTests
{
    private static HealthCheckConfig? Check(string upstream, string server = "", string stream = "", string pass = "files")
    {
        var read = ConfigFile.Parse(
            $"stream {{ {stream} upstream files {{ server 192.0.2.1; {upstream} }} server {{ listen 21; ftp_ctrl zone=z:64k proxy_ip=192.0.2.9 min_port=11000 max_port=11010; proxy_pass {pass}; {server} }} }}",
            "f.conf", "/srv");
        Assert.DoesNotContain(read.Diagnostics, d => d.Severity == ConfigSeverity.Error);
        return read.Config!.Servers.Single().Upstream.HealthCheck;
    }

    [Fact]
    public void Without_a_word_of_it_nothing_is_checked() => Assert.Null(Check(""));

    [Fact]
    public void The_defaults_are_those_of_nginx_and_the_greeting() =>
        Assert.Equal(new HealthCheckConfig(), Check("health_check;")! with { Position = new HealthCheckConfig().Position });

    [Fact]
    public void All_parameters_are_taken_over()
    {
        var check = Check("health_check interval=10s jitter=2s timeout=3s rise=2 fall=4 type=list user=monitor password_file=monitor.pass path=/pub expect=README port=2121 tls=explicit mandatory persistent;")!;

        Assert.Equal(
            new HealthCheckConfig
            {
                Interval = TimeSpan.FromSeconds(10),
                Jitter = TimeSpan.FromSeconds(2),
                Timeout = TimeSpan.FromSeconds(3),
                Rise = 2,
                Fall = 4,
                Type = HealthCheckType.List,
                User = "monitor",
                PasswordFile = check.PasswordFile,
                Path = "/pub",
                ExpectText = "README",
                Port = 2121,
                Tls = UpstreamTls.Explicit,
                Mandatory = true,
                Position = check.Position,
            },
            check);
        Assert.EndsWith("/monitor.pass", check.PasswordFile!.Value, StringComparison.Ordinal);
        Assert.StartsWith("/", check.PasswordFile.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Agents_are_asked_as_HAProxy_asks_them_unless_it_says_otherwise()
    {
        Assert.Equal(new AgentCheckConfig(9000), Check("health_check agent_port=9000;")!.Agent);
        Assert.Equal(
            new AgentCheckConfig(9000) { Address = System.Net.IPAddress.Parse("2001:db8::5"), Interval = TimeSpan.FromSeconds(9), Send = "web1\r\n" },
            Check("""health_check "agent_send=web1\r\n" agent_interval=9s agent_addr=[2001:db8::5] agent_port=9000;""")!.Agent);
    }

    [Fact]
    public void A_match_block_is_found_wherever_it_stands()
    {
        const string Block = """match m { send "\\x00\r\n"; expect ~* "^220 \\w+"; }""";
        var match = new HealthMatchConfig("m") { Send = "\\x00\r\n", Expect = @"^220 \w+", Kind = HealthExpectation.RegexIgnoreCase };
        foreach (var check in new[] { Check("health_check match=m;", stream: Block), Check("", "health_check match=m;", Block) })
            Assert.Equal(match, check!.Match! with { Position = match.Position });
        Assert.Equal(("x", HealthExpectation.Text), Check("health_check match=m;", stream: "match m { expect x; }")!.Match is { } text ? (text.Expect, text.Kind) : default);
    }

    [Fact]
    public void A_program_checks_with_what_stands_beside_it_or_the_defaults()
    {
        var check = Check("health_check_exec /bin/sh -c \"exit $server_port\"; health_check interval=9s mandatory;")!;
        Assert.Equal((TimeSpan.FromSeconds(9), true, "/bin/sh"), (check.Interval, check.Mandatory, check.Program!.Path));
        Assert.Equal(["-c", "exit $server_port"], check.Program.Arguments.Select(a => a.Text));
        Assert.Equal(TimeSpan.FromSeconds(5), Check("health_check_exec /bin/sh;")!.Interval);
        Assert.Null(Check("health_check_exec /bin/sh;", "health_check;")!.Program);
    }

    [Theory]
    [InlineData("connect", HealthCheckType.Connect)]
    [InlineData("banner", HealthCheckType.Banner)]
    [InlineData("login", HealthCheckType.Login)]
    [InlineData("retr path=x", HealthCheckType.Retr)]
    public void Each_word_of_type_is_one(string words, HealthCheckType type) => Assert.Equal(type, Check($"health_check type={words};")!.Type);

    [Fact]
    public void The_words_of_nginx_mean_rise_and_fall()
    {
        var check = Check("health_check passes=2 fails=3;")!;
        Assert.Equal((2, 3), (check.Rise, check.Fall));
    }

    [Fact]
    public void A_size_is_told_from_a_text()
    {
        var check = Check("health_check type=retr path=x expect=size:2k;")!;
        Assert.Equal((2048L, null), (check.ExpectSize!.Value, check.ExpectText));
    }

    [Fact]
    public void A_server_says_how_its_upstream_is_checked()
    {
        Assert.Equal(HealthCheckType.Connect, Check("health_check;", "health_check type=connect;")!.Type);
        Assert.Equal(HealthCheckType.Connect, Check("", "health_check type=connect;", pass: "192.0.2.1")!.Type);
        Assert.Null(Check("health_check;", "health_check off;"));
        Assert.Null(Check("health_check off;"));
    }

    [Theory]
    [InlineData("health_check;", "", "", 5)]
    [InlineData("health_check;", "", "health_check_timeout 7s;", 7)]
    [InlineData("health_check;", "health_check_timeout 8s;", "health_check_timeout 7s;", 8)]
    [InlineData("health_check timeout=5s;", "health_check_timeout 8s;", "", 5)]
    public void The_nearest_word_on_the_timeout_counts(string upstream, string server, string stream, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Check(upstream, server, stream)!.Timeout);
}
