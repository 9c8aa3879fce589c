using System.Globalization;
using System.Net;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>A Ferry that chooses between the upstreams <c>one</c> and <c>two</c>.</summary>
internal static class RoutingProxy
{
    public const string ByUser = """map $ftp_user $pool { default ""; anna one; bob two; } """;

    public static Task<TestProxy> StartAsync(IPEndPoint one, IPEndPoint two, string directives = "", string maps = ByUser, TimeProvider? time = null) =>
        TestProxy.StartAsync(Text(FreePorts.One(), one, two, directives, maps), time);

    public static string Text(int port, IPEndPoint one, IPEndPoint two, string directives = "", string maps = ByUser, string target = "$pool")
    {
        var ports = FreePorts.Range(11);
        return string.Create(CultureInfo.InvariantCulture, $$"""
            events { worker_connections 100; }
            stream {
                upstream one { server {{one}} max_fails=0; server {{two}} backup max_fails=0; }
                upstream two { server {{two}} max_fails=0; }
                {{maps}}
                server {
                    listen 127.0.0.1:{{port}};
                    ftp_ctrl zone=ports:1M proxy_ip=127.0.0.1 min_port={{ports}} max_port={{ports + 10}};
                    proxy_pass {{target}};
                    {{directives}}
                }
            }
            """);
    }
}
