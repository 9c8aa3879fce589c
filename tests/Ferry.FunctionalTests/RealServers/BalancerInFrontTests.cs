using System.Globalization;
using System.IO;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Sessions;
using Ferry.FunctionalTests.Upstreams;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>Real balancers in front of Ferry, which tell whose connections they pass on; data goes through them too.</summary>
public sealed class BalancerInFrontTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [NeedsTheory("haproxy", "curl")]
    [InlineData("send-proxy")]
    [InlineData("send-proxy-v2")]
    [InlineData("send-proxy-v2 proxy-v2-options crc32c,authority")]
    public async Task The_client_of_HAProxy_is_known_and_gets_its_data_through_it(string words)
    {
        var (front, first) = (FreePorts.One(), FreePorts.Range(11));
        await using var server = new SmallServer();
        await using var ferry = await ForwardingProxy.BeforeAsync(server.EndPoint, announced: "auto", first: first);
        var file = Path.Combine(_folder.Path, "haproxy.cfg");
        await File.WriteAllTextAsync(file, string.Create(CultureInfo.InvariantCulture, $"""
            defaults
                mode tcp
                timeout connect 5s
                timeout client 30s
                timeout server 30s
            listen control
                bind 127.0.0.5:{front}
                server ferry {ferry.EndPoint} source {ForwardingProxy.Balancer} {words}
            listen data
                bind 127.0.0.5:{first}-{first + 10}
                server ferry 127.0.0.1 source {ForwardingProxy.Balancer}

            """));
        await using var haproxy = await ChildProcess.StartAsync("haproxy", ["-db", "-f", file]);
        await haproxy.ListeningAsync(front);
        await haproxy.ListeningAsync(first + 10);
        await DownloadAsync(front);

        await AssertKnownAsync(ferry, front);
    }

    [NginxFact]
    public async Task The_client_of_NGINX_is_known_and_gets_its_data_through_it()
    {
        var (front, first) = (FreePorts.One(), FreePorts.Range(11));
        await using var server = new SmallServer();
        await using var ferry = await ForwardingProxy.BeforeAsync(server.EndPoint, announced: "auto", first: first);
        await using var nginx = await NginxProcess.StartAsync(string.Create(CultureInfo.InvariantCulture, $$"""
            proxy_bind {{ForwardingProxy.Balancer}};
            server { listen 127.0.0.5:{{front}}; proxy_protocol on; proxy_pass {{ferry.EndPoint}}; }
            server { listen 127.0.0.5:{{first}}-{{first + 10}}; proxy_pass 127.0.0.1:$server_port; }
            """));
        await DownloadAsync(front);

        await AssertKnownAsync(ferry, front);
    }

    private static async Task AssertKnownAsync(TestProxy ferry, int front)
    {
        var lines = await ForwardingProxy.StopAndReadAllAsync(ferry);
        Assert.Equal(2, lines.Length);
        Assert.All(lines, l => Assert.Matches($@"^127\.0\.0\.9:(\d+) by 127\.0\.0\.2:\d+ to 127\.0\.0\.1 said 127\.0\.0\.9:\1 127\.0\.0\.5:{front}$", l));
    }

    /// <summary>EPSV, and PASV, from 127.0.0.9. The address of the 227 counts.</summary>
    private async Task DownloadAsync(int front)
    {
        var local = Path.Combine(_folder.Path, "got");
        foreach (var mode in (string[])["--ftp-pasv", "--disable-epsv"])
        {
            await FtpTools.RunAsync(_folder.Path, null, "curl",
            [
                "-sS", "--max-time", "20", "--interface", "127.0.0.9", "--ignore-content-length", "--no-ftp-skip-pasv-ip", mode, "-o", local,
                string.Create(CultureInfo.InvariantCulture, $"ftp://anna:secret@127.0.0.5:{front}/70000"),
            ]);
            Assert.Equal(SmallServer.Payload(70000), await File.ReadAllBytesAsync(local));
        }
    }
}
