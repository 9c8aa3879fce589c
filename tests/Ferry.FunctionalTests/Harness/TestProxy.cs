using System.Globalization;
using System.Linq;
using System.Net;
using Ferry.Config;
using Ferry.Hosting;

namespace Ferry.FunctionalTests.Harness;

/// <summary>A Ferry in this process, made from the text of a configuration as a user would write it.</summary>
internal sealed class TestProxy : IAsyncDisposable
{
    private readonly TempFolder _folder;

    private TestProxy(FerryProxy proxy, CapturedLogs logs, TempFolder folder)
    {
        Proxy = proxy;
        Logs = logs;
        _folder = folder;
    }

    public FerryProxy Proxy { get; }

    public CapturedLogs Logs { get; }

    /// <summary>What relative paths of the configuration are relative to.</summary>
    public string Prefix => _folder.Path;

    /// <summary>Where the first control server listens.</summary>
    public IPEndPoint EndPoint => Proxy.EndPoints[0];

    /// <summary>Starts Ferry with a configuration, which must have no error in it.</summary>
    public static async Task<TestProxy> StartAsync(string configuration, TimeProvider? time = null)
    {
        var folder = new TempFolder();
        var logs = new CapturedLogs();
        FerryProxy? proxy = null;
        try
        {
            proxy = new FerryProxy(Read(configuration, folder.Path), logs, time);
            await Wait.For(proxy.StartAsync(), "Ferry to start");
            return new TestProxy(proxy, logs, folder);
        }
        catch
        {
            if (proxy is not null)
                await proxy.DisposeAsync();
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Starts Ferry on 127.0.0.1 before one server.</summary>
    /// <param name="server">The server.</param>
    /// <param name="ports">How many passive ports the zone has.</param>
    /// <param name="directives">More directives for the control server's block.</param>
    /// <param name="size">The zone's size.</param>
    /// <param name="time">The clock; null is the system's.</param>
    public static Task<TestProxy> BeforeAsync(IPEndPoint server, int ports = 11, string directives = "", string size = "1M", TimeProvider? time = null)
    {
        var first = FreePorts.Range(ports);
        return StartAsync(Configuration(server, FreePorts.One(), first, first + ports - 1, directives, size), time);
    }

    /// <summary>The text of a configuration with one control server on 127.0.0.1 (any loopback address reaches it) before one server, which no failure makes unavailable.</summary>
    public static string Configuration(IPEndPoint server, int port, int minPort, int maxPort, string directives = "", string size = "1M") =>
        string.Create(CultureInfo.InvariantCulture, $$"""
            events { worker_connections 10000; }
            stream {
                upstream behind { server {{server}} max_fails=0; }
                server {
                    listen 127.0.0.1:{{port}};
                    ftp_ctrl zone=ports:{{size}} proxy_ip=127.0.0.1 min_port={{minPort}} max_port={{maxPort}};
                    proxy_pass behind;
                    {{directives}}
                }
            }
            """);

    /// <summary>Reads a configuration, which must have no error in it.</summary>
    public static FerryConfig Read(string configuration, string? prefix = null)
    {
        var file = ConfigFile.Parse(configuration, "test.conf", prefix);
        Assert.True(file.Config is not null, string.Join('\n', file.Diagnostics));
        return file.Config;
    }

    public Task<IReadOnlyList<string>> ReloadAsync(string configuration) => Wait.For(Proxy.ReloadAsync(Read(configuration, Prefix)), "Ferry to reload");

    /// <summary>Ends when the status is as the condition says.</summary>
    public Task UntilAsync(Func<ProxyStatus, bool> condition, string what, TimeSpan? bound = null) =>
        Wait.Until(() => condition(Proxy.GetStatus()), () => $"{what}; the status is {Describe(Proxy.GetStatus())}", bound);

    /// <summary>Ends when no session is left and every lease is back.</summary>
    public Task UntilIdleAsync(TimeSpan? bound = null) =>
        UntilAsync(s => s.Sessions == 0 && s.Transfers == 0 && s.Zones.All(z => z.Used == 0), "all sessions to end and all ports to be back", bound);

    public async ValueTask DisposeAsync()
    {
        await Wait.For(Proxy.DisposeAsync().AsTask(), "Ferry to stop");
        _folder.Dispose();
    }

    private static string Describe(ProxyStatus status) =>
        $"{status.Sessions} sessions, {status.Transfers} transfers, {string.Join(", ", status.Zones.Select(z => $"{z.Name}: {z.Used} used and {z.Free} free"))}";
}
