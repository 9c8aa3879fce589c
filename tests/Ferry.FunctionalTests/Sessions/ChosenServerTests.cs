using System.Globalization;
using System.Linq;
using System.Net;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>Which of three servers a session goes to, as clients find it.</summary>
public sealed class ChosenServerTests : IAsyncLifetime
{
    private static readonly IPAddress Anna = IPAddress.Parse("127.0.5.1");
    private static readonly IPAddress Ben = IPAddress.Parse("127.0.5.200");
    private static readonly IPAddress Carl = IPAddress.Parse("127.0.6.1");

    private readonly SmallServer[] _servers = [new(), new(), new()];
    private readonly (int Control, int Implicit, int Data) _ports = (FreePorts.One(), FreePorts.One(), FreePorts.Range(11));
    private readonly TempFolder _folder = new();

    [Fact]
    public async Task Sticky_clients_stay_over_a_reload_and_move_when_their_server_dies()
    {
        await using var proxy = await TestProxy.StartAsync(Configuration("sticky $remote_addr timeout=1h;", [0, 1, 2]));
        Assert.Equal([0, 1, 2, 0, 1, 2], await ServersOfAsync(proxy, Anna, Ben, Carl, Anna, Ben, Carl));

        // Other places in the file, and another method.
        Assert.Empty(await proxy.ReloadAsync(Configuration("least_conn; sticky $remote_addr timeout=1h;", [2, 1, 0])));
        Assert.Equal([1, 0, 2, 1], await ServersOfAsync(proxy, Ben, Anna, Carl, Ben));

        await _servers[1].DisposeAsync();
        var moved = await ServersOfAsync(proxy, Ben, Ben, Ben);
        Assert.True(moved[0] != 1 && moved.All(s => s == moved[0]), string.Join(' ', moved));
        Assert.Equal([0, 2], await ServersOfAsync(proxy, Anna, Carl));
    }

    [Fact]
    public async Task Clients_of_one_network_stay_together()
    {
        await using var proxy = await TestProxy.StartAsync(Configuration("sticky $remote_addr netmask=24;", [0, 1, 2]));

        Assert.Equal([0, 0, 1, 0, 1], await ServersOfAsync(proxy, Anna, Ben, Carl, Ben, Carl));
    }

    [Fact]
    public async Task Sessions_that_go_on_are_counted_over_a_reload()
    {
        await using var proxy = await TestProxy.StartAsync(Configuration("balance wlc;", [0, 1, 2]));
        using var first = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var second = await ScriptedClient.LogInAsync(proxy.EndPoint);

        Assert.Empty(await proxy.ReloadAsync(Configuration("least_conn;", [0, 1, 2])));

        Assert.Equal([2, 2], await ServersOfAsync(proxy, Anna, Anna));
        await first.QuitAsync();
        await second.QuitAsync();
    }

    [Fact]
    public async Task The_name_that_a_client_asks_for_in_tls_may_choose()
    {
        var files = TestCertificate.Shared.WriteTo(_folder.Path, "ferry");
        await using var proxy = await TestProxy.StartAsync(Configuration(
            "sticky $ssl_server_name;", [0, 1, 2], $"listen 127.0.0.1:{_ports.Implicit} ssl; ssl_certificate {files.Chain}; ssl_certificate_key {files.Key};"));
        var ends = new[] { "one.example", "two.example", "three.example", "two.example", "one.example" };

        List<int> servers = [];
        foreach (var name in ends)
        {
            servers.Add(await ServerOfAsync(proxy, async () =>
            {
                using var client = await ScriptedClient.LogInTlsAsync(new IPEndPoint(IPAddress.Loopback, _ports.Implicit), new TlsEnd { Name = name }, isImplicit: true);
                await client.QuitAsync();
            }));
        }

        Assert.Equal([0, 1, 2, 1, 0], servers);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var server in _servers)
            await server.DisposeAsync();
        _folder.Dispose();
    }

    private async Task<List<int>> ServersOfAsync(TestProxy proxy, params IPAddress[] clients)
    {
        List<int> servers = [];
        foreach (var address in clients)
        {
            servers.Add(await ServerOfAsync(proxy, async () =>
            {
                using var client = await ScriptedClient.LogInAsync(proxy.EndPoint, address);
                await client.QuitAsync();
            }));
        }
        return servers;
    }

    /// <summary>Which server has one connection more than before, once the session has ended.</summary>
    private async Task<int> ServerOfAsync(TestProxy proxy, Func<Task> session)
    {
        var (sessions, before) = (proxy.Proxy.GetStatus().Sessions, _servers.Select(s => s.Script.Connections.Count).ToList());
        await session();
        await proxy.UntilAsync(s => s.Sessions == sessions, "the session to end");
        return Assert.Single(Enumerable.Range(0, 3), i => _servers[i].Script.Connections.Count > before[i]);
    }

    private string Configuration(string method, int[] order, string directives = "") => string.Create(CultureInfo.InvariantCulture, $$"""
        events { worker_connections 100; }
        stream {
            upstream three { {{method}} {{string.Join(' ', order.Select(i => $"server {_servers[i].EndPoint};"))}} }
            server {
                listen 127.0.0.1:{{_ports.Control}};
                ftp_ctrl zone=ports:1M proxy_ip=127.0.0.1 min_port={{_ports.Data}} max_port={{_ports.Data + 10}};
                proxy_pass three;
                {{directives}}
            }
        }
        """);
}
