using System.Globalization;
using System.IO;
using System.Linq;

namespace Ferry.FunctionalTests.Harness;

/// <summary>
/// Three network namespaces with the addresses of OpenNJet's documentation:
/// <code>
///     client 192.168.40.90 ──veth── 192.168.40.136 Ferry 192.168.40.136 ──veth── 192.168.40.91 server
/// </code>
/// There is no way from the client to the server but through Ferry: an address of the server that leaks leads nowhere. Needs root.
/// </summary>
internal sealed class Namespaces : IAsyncDisposable
{
    public const string FerryAddress = "192.168.40.136";
    public const string ServerAddress = "192.168.40.91";
    public const string ClientAddress = "192.168.40.90";

    private const string Prefix = "ferry-test-";
    private static int _count;

    private readonly string _name = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Environment.ProcessId}-{Interlocked.Increment(ref _count)}");

    private Namespaces()
    {
    }

    public string Ferry => _name + "-ferry";

    public string Server => _name + "-server";

    public string Client => _name + "-client";

    public static async Task<Namespaces> CreateAsync()
    {
        Assert.True(Environment.IsPrivilegedProcess, "Network namespaces need root.");
        await RemoveStaleAsync();
        var made = new Namespaces();
        try
        {
            foreach (var name in (string[])[made.Ferry, made.Server, made.Client])
            {
                await IpAsync("netns", "add", name);
                await IpAsync("-n", name, "link", "set", "lo", "up");
            }
            await made.JoinAsync(made.Client, ClientAddress, "to-client");
            await made.JoinAsync(made.Server, ServerAddress, "to-server");
            return made;
        }
        catch
        {
            await made.DisposeAsync();
            throw;
        }
    }

    /// <summary>Gives Ferry another address towards the client.</summary>
    public Task AddFerryAddressAsync(string address) => IpAsync("-n", Ferry, "address", "add", $"{address}/32", "dev", "to-client");

    public async ValueTask DisposeAsync()
    {
        // The veth pairs go with the namespaces that they are in.
        foreach (var name in (string[])[Ferry, Server, Client])
            await Command.RunAsync("ip", ["netns", "delete", name]);
    }

    private async Task JoinAsync(string other, string address, string device)
    {
        await IpAsync("-n", Ferry, "link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", other);
        await IpAsync("-n", Ferry, "address", "add", $"{FerryAddress}/32", "dev", device);
        await IpAsync("-n", Ferry, "link", "set", device, "up");
        await IpAsync("-n", Ferry, "route", "add", $"{address}/32", "dev", device, "src", FerryAddress);
        await IpAsync("-n", other, "address", "add", $"{address}/24", "dev", "eth0");
        await IpAsync("-n", other, "link", "set", "eth0", "up");
    }

    /// <summary>Removes what test runs that were killed left behind.</summary>
    private static async Task RemoveStaleAsync()
    {
        var list = (await Command.RunAsync("ip", ["netns", "list"])).Succeeded();
        foreach (var name in list.Output.Split('\n').Select(l => l.Split(' ')[0]).Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            if (!Directory.Exists("/proc/" + name[Prefix.Length..].Split('-')[0]))
                await Command.RunAsync("ip", ["netns", "delete", name]);
        }
    }

    private static async Task IpAsync(params string[] arguments) => (await Command.RunAsync("ip", arguments)).Succeeded();
}
