using System.Globalization;
using System.IO;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>Two real servers behind one address, each for a user of its own.</summary>
public sealed class RoutedUsersTests : IAsyncLifetime
{
    private readonly TempFolder _home = new();
    private RealServer _first = null!;
    private RealServer _second = null!;

    public static TheoryData<string, ToolTls> Ways
    {
        get
        {
            var ways = new TheoryData<string, ToolTls>();
            foreach (var tool in new[] { "curl", "lftp", "ftplib" })
            {
                foreach (var tls in Enum.GetValues<ToolTls>())
                    ways.Add(tool, tls);
            }
            return ways;
        }
    }

    public async Task InitializeAsync()
    {
        _first = await RealServer.StartAsync(ServerKind.Vsftpd, tls: new RealServerTls());
        _second = await RealServer.StartAsync(ServerKind.ProFtpd, tls: new RealServerTls());
        await _first.PutAsync("where", "on the first"u8.ToArray());
        await _second.PutAsync("where", "on the second"u8.ToArray());
    }

    public async Task DisposeAsync()
    {
        await _second.DisposeAsync();
        await _first.DisposeAsync();
        _home.Dispose();
    }

    /// <summary>The servers speak TLS by AUTH, and want the control's session on data; the clients speak none, AUTH, or TLS from the first byte.</summary>
    [RootTheory("vsftpd", "proftpd", "proftpd-mod-crypto", "curl", "lftp", "python3")]
    [MemberData(nameof(Ways))]
    public async Task Each_user_comes_to_the_own_server(string tool, ToolTls tls)
    {
        await using var proxy = await StartAsync(tls, "first", "second");

        Assert.Equal("on the first", await FetchAsync(proxy, tool, tls, _first));
        Assert.Equal("on the second", await FetchAsync(proxy, tool, tls, _second));
        await proxy.UntilIdleAsync();
    }

    [RootFact("vsftpd", "proftpd", "proftpd-mod-crypto", "lftp")]
    public async Task Lftp_says_HOST_before_USER_and_is_led_by_it()
    {
        const string map = "map $ftp_host $pool { localhost second; default first; }";
        await using var proxy = await StartAsync(ToolTls.Explicit, "first", "first", map);

        Assert.Equal("on the second", await FetchAsync(proxy, "lftp", ToolTls.Explicit, _second, "localhost"));
        Assert.Contains(proxy.Logs.Records, static r => r.Message.Contains("HOST localhost", StringComparison.Ordinal));
    }

    [RootFact("vsftpd", "proftpd", "proftpd-mod-crypto", "curl")]
    public async Task The_map_of_users_changes_with_a_reload()
    {
        await using var proxy = await StartAsync(ToolTls.Plain, "first", "first");
        await Assert.ThrowsAnyAsync<Exception>(() => FetchAsync(proxy, "curl", ToolTls.Plain, _second));

        Assert.Empty(await proxy.ReloadAsync(Text(proxy.EndPoint.Port, ToolTls.Plain, MapOf("first", "second"))));

        Assert.Equal("on the second", await FetchAsync(proxy, "curl", ToolTls.Plain, _second));
    }

    [RootFact("vsftpd", "proftpd", "proftpd-mod-crypto", "curl", "lftp")]
    public async Task A_service_leads_each_user_to_the_own_server_with_a_password_of_the_server_s()
    {
        const string shown = "what the client knows";
        await using var http = new Sessions.ScriptedHttp(body =>
        {
            var question = System.Text.Json.JsonDocument.Parse(body).RootElement;
            var (server, place) = question.GetProperty("user").GetString() == _first.User ? (_first, "first") : (_second, "second");
            return question.GetProperty("password").GetString() == shown
                ? Sessions.ScriptedHttp.Ok($$"""{"upstream":"{{place}}","user":"{{server.User}}","password":"{{server.Password}}"}""")
                : Sessions.ScriptedHttp.Answer("403 Forbidden");
        });
        foreach (var tls in new[] { ToolTls.Plain, ToolTls.Explicit })
        {
            await using var proxy = await StartAsync(tls, "first", "second", $"ftp_route {http.Url} password=on; map $ftp_user $pool {{ default first; }}");
            foreach (var tool in new[] { "curl", "lftp" })
            {
                Assert.Equal("on the first", await FetchAsync(proxy, tool, tls, _first, password: shown));
                Assert.Equal("on the second", await FetchAsync(proxy, tool, tls, _second, password: shown));
            }
            Assert.Equal("on the second", await FetchAsync(proxy, "lftp", tls, _second, "localhost", shown));
            await proxy.UntilIdleAsync();
        }
        Assert.Contains(http.Requests, static r => r.Body.Contains("\"host\":\"localhost\"", StringComparison.Ordinal) && r.Body.Contains("\"tls\":false", StringComparison.Ordinal));
        Assert.Contains(http.Requests, static r => r.Body.Contains("\"tls\":true,\"server_name\":\"localhost\"", StringComparison.Ordinal));
    }

    private async Task<string> FetchAsync(TestProxy proxy, string tool, ToolTls tls, RealServer server, string host = "127.0.0.1", string? password = null)
    {
        var local = Path.Combine(_home.Path, Guid.NewGuid().ToString("N"));
        await FtpTools.Get(tool, _home.Path, new ToolOptions { Tls = tls })
            .DownloadAsync(new FtpTarget(host, proxy.EndPoint.Port, server.User, password ?? server.Password), "pub/where", local);
        return await File.ReadAllTextAsync(local);
    }

    private string MapOf(string first, string second) => $"map $ftp_user $pool {{ {_first.User} {first}; {_second.User} {second}; }}";

    private Task<TestProxy> StartAsync(ToolTls tls, string first, string second, string? map = null) =>
        TestProxy.StartAsync(Text(FreePorts.One(), tls, map ?? MapOf(first, second)));

    private string Text(int port, ToolTls tls, string map)
    {
        var files = TestCertificate.Shared.WriteTo(_home.Path, "ferry");
        var ports = FreePorts.Range(11);
        return string.Create(CultureInfo.InvariantCulture, $$"""
            stream {
                upstream first { server {{_first.EndPoint}} max_fails=0; }
                upstream second { server {{_second.EndPoint}} max_fails=0; }
                {{map}}
                server {
                    listen 127.0.0.1:{{port}}{{(tls == ToolTls.Implicit ? " ssl" : "")}};
                    ftp_ctrl zone=ports:1M proxy_ip=127.0.0.1 min_port={{ports}} max_port={{ports + 10}};
                    ssl_certificate {{files.Chain}};
                    ssl_certificate_key {{files.Key}};
                    {{(tls == ToolTls.Explicit ? "starttls only;" : "")}}
                    proxy_starttls on;
                    proxy_ftp_prot private;
                    proxy_pass $pool;
                    ftp_hide_server on;
                }
            }
            """);
    }
}
