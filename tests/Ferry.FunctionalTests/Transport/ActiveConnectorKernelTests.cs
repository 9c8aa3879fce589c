using System.Linq;
using System.Net;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Transport;

/// <summary>
/// What the kernel refuses. The connector runs in a process of its own, because namespaces and capabilities belong to threads, and a thread
/// of the pool that has them is no good for other tests.
/// </summary>
public sealed class ActiveConnectorKernelTests
{
    [RootFact("ip", "setpriv")]
    public async Task Without_the_right_to_bind_port_20_any_other_port_is_taken()
    {
        await using var network = await Namespaces.CreateAsync();
        Assert.Equal(["127.0.0.7:20"], await ConnectAsync(network, "127.0.0.1", "127.0.0.1", "127.0.0.7"));
        var seen = IPEndPoint.Parse((await ConnectAsync(network, "127.0.0.1", "127.0.0.1", "127.0.0.7", withLowPorts: false)).Single());
        Assert.Equal("127.0.0.7", seen.Address.ToString());
        Assert.True(seen.Port >= 1024, seen.ToString());
    }

    // With timestamps the kernel can tell late segments of the old connection from those of the new one, and lets it have the port.
    [RootTheory("ip", "sysctl")]
    [InlineData(1)]
    [InlineData(0)]
    public async Task A_client_that_names_the_same_port_again_is_reached_while_the_last_connection_is_in_TIME_WAIT(int timestamps)
    {
        await using var network = await Namespaces.CreateAsync();
        await RunAsync(network, "sysctl", "-w", $"net.ipv4.tcp_timestamps={timestamps}");
        var seen = (await ConnectAsync(network, "127.0.0.1", "127.0.0.1", "127.0.0.7", times: 3)).Select(IPEndPoint.Parse).ToArray();
        Assert.Equal(3, seen.Length);
        Assert.All(seen, s => Assert.Equal("127.0.0.7", s.Address.ToString()));
        Assert.Equal(20, seen[0].Port);
        Assert.All(seen[1..], s => Assert.Equal(timestamps == 1, s.Port == 20));
    }

    [RootFact("ip")]
    public async Task A_link_local_client_is_reached_on_the_link_that_it_logged_on_over()
    {
        await using var network = await Namespaces.CreateAsync();
        foreach (var address in (string[])["fe80::7/64", "fe80::8/64"])
            await RunAsync(network, "ip", "address", "add", address, "dev", "lo", "nodad");
        // The other link has the same network, and only a scope tells them apart.
        await RunAsync(network, "ip", "address", "add", "fe80::9/64", "dev", "eth0", "nodad");
        Assert.Equal(["[fe80::7%1]:20"], await ConnectAsync(network, "fe80::8%1", "fe80::8", "fe80::7%1"));
        Assert.Equal(["[fe80::7%1]:20"], await ConnectAsync(network, "fe80::8%1", "fe80::8%1", "fe80::7%1"));
    }

    [RootFact("ip")]
    public async Task A_client_that_there_is_no_way_to_is_given_up_at_once()
    {
        await using var network = await Namespaces.CreateAsync();
        Assert.Equal(["NetworkUnreachable"], await ConnectAsync(network, "127.0.0.1", "198.51.100.1", Namespaces.ClientAddress));
    }

    private static async Task<string[]> ConnectAsync(Namespaces network, string own, string named, string local, bool withLowPorts = true, int times = 1)
    {
        string[] without = withLowPorts ? [] : ["setpriv", "--bounding-set", "-net_bind_service", "--inh-caps", "-net_bind_service"];
        var program = typeof(ActiveConnectorProgram).Assembly.Location;
        var output = await RunAsync(network, [.. without, "dotnet", program, ActiveConnectorProgram.Name, own, named, local, "20", $"{times}"]);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static async Task<string> RunAsync(Namespaces network, params string[] line) =>
        (await Command.RunAsync(line[0], line[1..], netns: network.Client)).Succeeded().Output;
}
