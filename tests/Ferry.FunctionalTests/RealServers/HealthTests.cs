using System.Collections.Concurrent;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Text;
using Ferry.FunctionalTests.Harness;
using Ferry.Hosting;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>Health of real servers: each kind of check, and one that dies under its sessions.</summary>
public sealed class HealthTests
{
    private const int Sessions = 200;

    public static TheoryData<ServerKind, string> Servers
    {
        get
        {
            TheoryData<ServerKind, string> rows = [];
            foreach (var kind in Enum.GetValues<ServerKind>())
            {
                rows.Add(kind, "off");
                rows.Add(kind, "explicit");
                if (kind != ServerKind.PureFtpd)
                    rows.Add(kind, "implicit");
            }
            return rows;
        }
    }

    [RootTheory("vsftpd", "proftpd", "proftpd-mod-crypto", "pure-ftpd", "pyftpdlib", "OpenSSL")]
    [MemberData(nameof(Servers))]
    public async Task Every_kind_of_check_passes_with_every_server(ServerKind kind, string tls)
    {
        await using var server = await RealServer.StartAsync(kind, tls: tls == "off" ? null : new RealServerTls { Implicit = tls == "implicit" });
        await server.PutAsync("probe.txt", new byte[1234]);
        using var folder = new TempFolder();
        var password = folder.NewFile("password", server.Password + "\n");
        File.SetUnixFileMode(password, UnixFileMode.UserRead);
        var user = $"user={server.User} password_file={password} tls={tls}";
        string[] checks =
        [
            "type=connect", $"type=banner tls={tls}", $"type=login {user}", $"type=list path=/pub expect=probe.txt {user}",
            $"type=retr path=/pub/probe.txt expect=size:1234 {user}", $"type=retr path=/pub/probe.txt expect=size:1235 {user}", $"type=retr path=/pub/other.txt {user}",
        ];
        await using var proxy = await TestProxy.StartAsync(Configuration([.. checks.Select(c => $"server {server.EndPoint}; health_check timeout=20s interval=60s {c};")]));

        await proxy.UntilAsync(static s => s.Upstreams.All(u => u.Servers[0].Checks != ServerCheckStatus.Unknown), "all checks to end");

        Assert.Equal(
            [null, null, null, null, null, "it sent 1234 bytes, and 1235 were expected", "it answered RETR with 550"],
            proxy.Proxy.GetStatus().Upstreams.Select(static u => u.Servers[0].CheckFailure));
        // The certificate of the tests is good for 30 days less some minutes.
        if (tls != "off")
            Assert.Contains(TestCertificate.Shared.Certificate.NotAfter.ToUniversalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), (await proxy.Logs.EventAsync(344)).Message, StringComparison.Ordinal);
    }

    [RootTheory("vsftpd", "pure-ftpd", "proftpd", "pyftpdlib")]
    [InlineData(ServerKind.Pyftpdlib, true)]
    [InlineData(ServerKind.ProFtpd, false)]
    public async Task When_one_of_three_is_killed_its_sessions_end_with_a_reason_and_no_new_client_notices(ServerKind kind, bool isChecked)
    {
        var servers = new List<RealServer>();
        try
        {
            for (var i = 0; i < 3; i++)
                servers.Add(await RealServer.StartAsync(kind));
            await using var proxy = await TestProxy.StartAsync(Configuration(
                [$"{string.Concat(servers.Select(static s => $"server {s.EndPoint} fail_timeout=1h; "))} {(isChecked ? "health_check interval=1s;" : "")}"]));
            using var crowd = new Crowd(proxy.EndPoint, servers[0]);
            await crowd.EnterAsync(Sessions);
            var status = proxy.Proxy.GetStatus().Upstreams[0].Servers;
            Assert.Equal(Sessions, status.Sum(static s => s.Sessions));
            var doomed = status[1].Sessions;
            Assert.InRange(doomed, Sessions / 3 - 1, Sessions / 3 + 1);

            await servers[1].DisposeAsync(); // which kills it and its sessions' processes
            servers.RemoveAt(1);
            for (var i = 0; i < 60; i++)
            {
                using var client = await ScriptedClient.LogInAsync(proxy.EndPoint, user: servers[0].User, password: servers[0].Password);
                await client.QuitAsync();
            }

            await proxy.UntilAsync(s => s.Upstreams[0].Servers[1].Sessions == 0, "the sessions of the killed server to end");
            var farewells = await crowd.FarewellsAsync(doomed);
            Assert.All(farewells, static f => Assert.StartsWith("421 ", f, StringComparison.Ordinal));
            await Wait.Until(() => Ends(proxy).Count(static r => r is "upstream_closed" or "upstream_failed") == doomed, "the end reasons in the log");
            Assert.DoesNotContain("no_upstream", Ends(proxy));
            Assert.False(proxy.Proxy.GetStatus().Upstreams[0].Servers[1].Available);
            // The others go on where they were.
            await crowd.NoopAsync(Sessions - doomed);
        }
        finally
        {
            foreach (var server in servers)
                await server.DisposeAsync();
        }
    }

    private static string[] Ends(TestProxy proxy) => [.. proxy.Logs.Records.Where(static r => r.Event.Id == 401).Select(static r => (string)r.Values["Reason"]!)];

    private static string Configuration(string[] upstreams)
    {
        var text = new StringBuilder("events { worker_connections 1000; } stream {\n");
        for (var i = 0; i < upstreams.Length; i++)
        {
            var ports = FreePorts.Range(11);
            text.Append(CultureInfo.InvariantCulture, $$"""
                upstream group{{i}} { {{upstreams[i]}} }
                server {
                    listen 127.0.0.1:{{FreePorts.One()}};
                    ftp_ctrl zone=ports{{i}}:1M proxy_ip=127.0.0.1 min_port={{ports}} max_port={{ports + 10}};
                    proxy_pass group{{i}};
                }

                """);
        }
        return text.Append('}').ToString();
    }

    /// <summary>Clients that are logged in.</summary>
    private sealed class Crowd(IPEndPoint proxy, RealServer server) : IDisposable
    {
        private readonly ConcurrentBag<ScriptedClient> _clients = [];
        private readonly ConcurrentBag<ScriptedClient> _ended = [];

        public async Task EnterAsync(int count)
        {
            for (var i = 0; i < count; i += 20)
            {
                await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
                    _clients.Add(await ScriptedClient.LogInAsync(proxy, user: server.User, password: server.Password))));
            }
        }

        /// <summary>What those that are ended are told.</summary>
        public async Task<string[]> FarewellsAsync(int count)
        {
            var farewells = new List<string>();
            foreach (var client in _clients)
            {
                if (!client.Wire.Socket.Poll(0, System.Net.Sockets.SelectMode.SelectRead))
                    continue;
                farewells.Add((await client.ReadReplyAsync()).Lines[0]);
                await client.ExpectEndAsync();
                _ended.Add(client);
            }
            Assert.Equal(count, farewells.Count);
            return [.. farewells];
        }

        public async Task NoopAsync(int count)
        {
            var alive = _clients.Except(_ended).ToList();
            Assert.Equal(count, alive.Count);
            foreach (var client in alive)
                await client.CommandAsync("NOOP", 200);
        }

        public void Dispose()
        {
            foreach (var client in _clients)
                client.Dispose();
        }
    }
}
