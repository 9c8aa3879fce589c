using System.Linq;
using System.Net;
using System.Reflection;
using System.Text.Json;
using Ferry.Config;
using Ferry.Telemetry;
using FsCheck.Fluent;

namespace Ferry.Tests.Telemetry;

public sealed class AccessLogTests
{
    private static readonly FixedTimeProvider Time = new(DateTimeOffset.UnixEpoch, TimeSpan.FromHours(-3.5));

    private static readonly SessionRecord Session = new()
    {
        SessionId = "k3f9",
        Start = new DateTimeOffset(2026, 11, 22, 1, 28, 34, 500, TimeSpan.Zero),
        Duration = TimeSpan.FromMilliseconds(61_234.5),
        Client = new IPEndPoint(IPAddress.Parse("::ffff:192.0.2.7"), 50021),
        Listener = IPEndPoint.Parse("198.51.100.1:21"),
        Server = "ftp1.example:21",
        Upstream = IPEndPoint.Parse("[2001:db8::5]:21"),
        UpstreamConnectTime = TimeSpan.FromMilliseconds(12),
        ClientTls = new("TLSv1.3", "TLS_AES_256_GCM_SHA384", false, "ftp.example.com", "CN=alice \"x\",O=Example"),
        UpstreamTls = new("TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256", true, null, null),
        User = "alice",
        Host = "ftp.example.com",
        LoggedIn = true,
        EndReason = "client_quit",
        Commands = 7,
        Transfers = 2,
        BytesFromClient = 100,
        BytesToClient = 200,
        BytesFromUpstream = 190,
        BytesToUpstream = 110,
        DataBytesToClient = 5000,
        DataBytesToUpstream = 3000,
    };

    private static readonly TextTemplate Format = new(
        "$remote_addr \"$ftp_user\" $ftp_end",
        [new("remote_addr", true), new(" \"", false), new("ftp_user", true), new("\" ", false), new("ftp_end", true)]);

    [Fact]
    public async Task A_session_is_a_JSON_object_by_default()
    {
        await using var log = new CapturedLog(LogSyntax.Json);
        new AccessLog(log.File, Time).Write(Session);
        Assert.Equal(
            """
            {"time":"2026-11-21T21:59:35.734-03:30","session":"k3f9","client":"192.0.2.7","client_port":50021,"via":null,"listener":"198.51.100.1:21",
            "server":"ftp1.example:21","upstream":"[2001:db8::5]:21","upstream_connect_time":0.012,
            "client_tls":{"protocol":"TLSv1.3","cipher":"TLS_AES_256_GCM_SHA384","resumed":false,"server_name":"ftp.example.com","peer":"CN=alice \"x\",O=Example","peer_fault":null},
            "upstream_tls":{"protocol":"TLSv1.2","cipher":"ECDHE-RSA-AES128-GCM-SHA256","resumed":true,"server_name":null,"peer":null,"peer_fault":null},
            "user":"alice","logged_in":true,"end":"client_quit","status":200,
            "session_time":61.234,"commands":7,"transfers":2,"bytes_from_client":100,"bytes_to_client":200,"bytes_from_upstream":190,"bytes_to_upstream":110,
            "data_bytes_to_client":5000,"data_bytes_to_upstream":3000}
            """.ReplaceLineEndings("") + "\n",
            await log.ReadAsync());
    }

    [Fact]
    public async Task What_a_session_never_had_is_null()
    {
        await using var log = new CapturedLog(LogSyntax.Json);
        new AccessLog(log.File, Time).Write(Session with { Server = null, Upstream = null, UpstreamConnectTime = null, User = null, Host = null, ClientTls = null, UpstreamTls = null });
        using var json = JsonDocument.Parse(await log.ReadAsync());
        foreach (var name in new[] { "server", "upstream", "upstream_connect_time", "user", "client_tls", "upstream_tls" })
            Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty(name).ValueKind);
    }

    [Fact]
    public async Task Sessions_follow_a_format_line_by_line()
    {
        await using var log = new CapturedLog();
        var access = new AccessLog(log.File, Time, Format.Expand);
        access.Write(Session);
        access.Write(Session with { User = null, EndReason = "idle" });
        Assert.Equal("192.0.2.7 \"alice\" client_quit\n192.0.2.7 \"-\" idle\n", await log.ReadAsync());
    }

    [Theory]
    [InlineData("binary_remote_addr", "\\xC0\\x00\\x02\\x07")]
    [InlineData("bytes_received", "3100")]
    [InlineData("bytes_sent", "5200")]
    [InlineData("connection", "k3f9")]
    [InlineData("ftp_commands", "7")]
    [InlineData("ftp_end", "client_quit")]
    [InlineData("ftp_session", "k3f9")]
    [InlineData("ftp_transfers", "2")]
    [InlineData("ftp_host", "ftp.example.com")]
    [InlineData("ftp_user", "alice")]
    [InlineData("msec", "1795310975.734")]
    [InlineData("protocol", "TCP")]
    [InlineData("remote_addr", "192.0.2.7")]
    [InlineData("remote_port", "50021")]
    [InlineData("server_addr", "198.51.100.1")]
    [InlineData("server_port", "21")]
    [InlineData("session_time", "61.234")]
    [InlineData("ssl_cipher", "TLS_AES_256_GCM_SHA384")]
    [InlineData("ssl_client_s_dn", "CN=alice \\x22x\\x22,O=Example")]
    [InlineData("ssl_client_verify", "SUCCESS")]
    [InlineData("ssl_protocol", "TLSv1.3")]
    [InlineData("ssl_server_name", "ftp.example.com")]
    [InlineData("ssl_session_reused", ".")]
    [InlineData("status", "200")]
    [InlineData("time_iso8601", "2026-11-21T21:59:35-03:30")]
    [InlineData("time_local", "21/Nov/2026:21:59:35 -0330")]
    [InlineData("upstream_addr", "[2001:db8::5]:21")]
    [InlineData("upstream_bytes_received", "5190")]
    [InlineData("upstream_bytes_sent", "3110")]
    [InlineData("upstream_connect_time", "0.012")]
    [InlineData("upstream_ssl_cipher", "ECDHE-RSA-AES128-GCM-SHA256")]
    [InlineData("upstream_ssl_protocol", "TLSv1.2")]
    [InlineData("upstream_ssl_session_reused", "r")]
    public void Variables_have_the_form_that_nginx_gives_them(string variable, string value) => Assert.Equal(value, AccessLog.ValueOf(Session, variable, Time));

    [Fact]
    public void The_process_and_the_machine_are_variables()
    {
        Assert.Equal(Environment.ProcessId.ToString(), AccessLog.ValueOf(Session, "pid", Time));
        Assert.Equal(Environment.MachineName, AccessLog.ValueOf(Session, "hostname", Time));
    }

    [Fact]
    public void Every_variable_that_is_offered_has_a_value_and_no_other()
    {
        Assert.All(AccessLog.Variables, name => Assert.False(string.IsNullOrEmpty(AccessLog.ValueOf(Session, name, Time))));
        Assert.Null(AccessLog.ValueOf(Session, "no_such_variable", Time));
    }

    [Fact]
    public void Variables_of_the_configuration_s_own_are_asked_of_the_session()
    {
        var session = Session with { Variable = static name => name switch { "pool" => "a\nb", "empty" => "", _ => null } };

        Assert.Equal("a\\x0Ab", AccessLog.ValueOf(session, "pool", Time));
        Assert.Equal("-", AccessLog.ValueOf(session, "empty", Time));
        Assert.Null(AccessLog.ValueOf(session, "other", Time));
    }

    [Fact]
    public void The_variables_that_a_configuration_may_name_are_those_that_have_values() =>
        Assert.Equal(ConfigVariables.All.Select(v => v.Name).Order(StringComparer.Ordinal), AccessLog.Variables.Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("upstream_addr")]
    [InlineData("upstream_bytes_received")]
    [InlineData("upstream_bytes_sent")]
    [InlineData("upstream_connect_time")]
    [InlineData("ftp_host")]
    [InlineData("ftp_user")]
    [InlineData("ssl_cipher")]
    [InlineData("ssl_client_s_dn")]
    [InlineData("ssl_client_verify")]
    [InlineData("ssl_protocol")]
    [InlineData("ssl_server_name")]
    [InlineData("ssl_session_reused")]
    [InlineData("upstream_ssl_cipher")]
    [InlineData("upstream_ssl_protocol")]
    [InlineData("upstream_ssl_session_reused")]
    public void What_a_session_never_had_is_a_dash(string variable) =>
        Assert.Equal("-", AccessLog.ValueOf(Session with { Upstream = null, UpstreamConnectTime = null, User = null, Host = null, ClientTls = null, UpstreamTls = null }, variable, Time));

    [Fact]
    public void A_client_s_certificate_is_told_as_nginx_tells_it()
    {
        var tls = Session.ClientTls!;

        Assert.Equal("NONE", AccessLog.ValueOf(Session with { ClientTls = tls with { PeerSubject = null } }, "ssl_client_verify", Time));
        Assert.Equal("FAILED:self-signed certificate", AccessLog.ValueOf(Session with { ClientTls = tls with { PeerFault = "self-signed certificate" } }, "ssl_client_verify", Time));
    }

    [Theory]
    [InlineData("a\r\n192.0.2.9 \"root\" forged", "a\\x0D\\x0A192.0.2.9 \\x22root\\x22 forged")]
    [InlineData("\u001b]0;x\u0007\u007f", "\\x1B]0;x\\x07\\x7F")]
    [InlineData("b\\x22", "b\\x5Cx22")]
    [InlineData("ü", "\\xC3\\xBC")]
    public async Task A_user_name_cannot_forge_a_line(string user, string written)
    {
        await using var log = new CapturedLog();
        new AccessLog(log.File, Time, Format.Expand).Write(Session with { User = user });
        Assert.Equal($"192.0.2.7 \"{written}\" client_quit\n", await log.ReadAsync());
    }

    [Fact]
    public void Any_user_name_is_one_line_that_gives_the_name_back() => FsCheck.Check.QuickThrowOnFailure(Prop.ForAll<string>(name =>
    {
        var user = name ?? "";
        var log = new CapturedLog(LogSyntax.Json);
        new AccessLog(log.File, Time).Write(Session with { User = user });
        new AccessLog(log.File, Time, Format.Expand).Write(Session with { User = user });
        log.DisposeAsync().AsTask().Wait();
        var lines = System.Text.Encoding.UTF8.GetString(System.Text.Encoding.Latin1.GetBytes(log.Written)).Split('\n');
        using var json = JsonDocument.Parse(lines[0]);
        return lines.Length == 3 && lines[2].Length == 0 && !lines.Any(line => line.Any(char.IsControl))
            && json.RootElement.GetProperty("user").GetString() == System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(user));
    }));

    [Fact]
    public void No_record_has_a_place_for_a_password()
    {
        var names = new[] { typeof(SessionRecord), typeof(TransferRecord), typeof(TlsRecord) }
            .SelectMany(type => type.GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic), (_, property) => property.Name)
            .ToList();
        string[] secrets = ["Pass", "Secret", "Account", "Credential"];
        Assert.Contains("User", names);
        Assert.DoesNotContain(names, name => secrets.Any(secret => name.Contains(secret, StringComparison.OrdinalIgnoreCase)));
    }
}
