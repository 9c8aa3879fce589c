using System.Globalization;
using System.IO;
using System.Net;
using System.Text;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>A Ferry whose clients begin with a PROXY header, in which it believes <see cref="Balancer"/>.</summary>
internal static class ForwardingProxy
{
    /// <summary>Who speaks for others.</summary>
    public static readonly IPAddress Balancer = IPAddress.Parse("127.0.0.2");

    /// <summary>Whom it speaks for.</summary>
    public static readonly IPEndPoint Client = new(IPAddress.Parse("127.0.0.9"), 40000);

    /// <summary>Where that one has connected to.</summary>
    public static readonly IPEndPoint Dialled = new(IPAddress.Parse("127.0.0.5"), 2121);

    /// <summary>Starts Ferry on 127.0.0.1.</summary>
    /// <param name="server">The server behind.</param>
    /// <param name="directives">More directives for the server block.</param>
    /// <param name="time">The clock; null is the system's.</param>
    /// <param name="listen">More words for <c>listen</c>.</param>
    /// <param name="announced"><c>proxy_ip</c>.</param>
    /// <param name="sessions">Most of them.</param>
    /// <param name="first">The first of eleven passive ports; 0: any.</param>
    /// <param name="place"><c>proxy_pass</c>.</param>
    public static Task<TestProxy> BeforeAsync(
        IPEndPoint server, string directives = "", TimeProvider? time = null, string listen = "", string announced = "127.0.0.1", int sessions = 1000, int first = 0, string place = "behind")
    {
        var port = FreePorts.One();
        if (first == 0)
            first = FreePorts.Range(11);
        return TestProxy.StartAsync(string.Create(CultureInfo.InvariantCulture, $$"""
            events { worker_connections {{sessions}}; }
            stream {
                log_format addresses '$remote_addr:$remote_port by $realip_remote_addr:$realip_remote_port to $server_addr'
                    ' said $proxy_protocol_addr:$proxy_protocol_port $proxy_protocol_server_addr:$proxy_protocol_server_port';
                access_log access.log addresses;
                upstream behind { server {{server}} max_fails=0; }
                server {
                    listen 127.0.0.1:{{port}} proxy_protocol {{listen}};
                    set_real_ip_from {{Balancer}};
                    ftp_ctrl zone=ports:1M proxy_ip={{announced}} min_port={{first}} max_port={{first + 10}};
                    proxy_pass {{place}};
                    {{directives}}
                }
            }
            """), time);
    }

    /// <summary>A header in which the balancer speaks for the client, as Latin-1.</summary>
    /// <param name="version">on or v2.</param>
    /// <param name="client">Null for nobody.</param>
    /// <param name="dialled">What the client has connected to.</param>
    public static string Header(string version, IPEndPoint? client, IPEndPoint? dialled = null)
    {
        var which = version == "on" ? ProxyProtocolVersion.V1 : ProxyProtocolVersion.V2;
        return Encoding.Latin1.GetString(ProxyProtocol.Header(which, client is null ? null : new ProxiedClient(client, dialled ?? Dialled, "front", null)).Span);
    }

    /// <summary>Connects as the balancer, or as somebody else, and sends the header.</summary>
    public static async Task<ScriptedClient> ConnectAsync(TestProxy proxy, string header, IPAddress? from = null)
    {
        var client = await ScriptedClient.ConnectAsync(proxy.EndPoint, from ?? Balancer);
        await client.Wire.SendRawAsync(header);
        return client;
    }

    /// <summary>Logs in behind the header that has been sent.</summary>
    public static async Task LogInAsync(ScriptedClient client)
    {
        await client.ExpectAsync(220);
        await client.CommandAsync("USER anna", 331);
        await client.CommandAsync("PASS secret", 230);
    }

    /// <summary>Stops Ferry when its last session has ended, and reads the only line of its access log.</summary>
    public static async Task<string> StopAndReadAsync(TestProxy proxy) => Assert.Single(await StopAndReadAllAsync(proxy));

    /// <summary>The same for several lines.</summary>
    public static async Task<string[]> StopAndReadAllAsync(TestProxy proxy)
    {
        await proxy.UntilIdleAsync();
        await Wait.For(proxy.Proxy.StopAsync(), "Ferry to stop");
        return File.ReadAllLines(Path.Combine(proxy.Prefix, "access.log"));
    }
}
