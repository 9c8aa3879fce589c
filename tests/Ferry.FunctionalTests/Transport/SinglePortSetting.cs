using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport;

namespace Ferry.FunctionalTests.Transport;

/// <summary>
/// The machines of the single-port tests. Beside client, Ferry and server there are two whose traffic Ferry's machine forwards, to the very
/// ports that it redirects where they are its own:
/// <code>
///     guest 10.77.1.2 ──veth── 10.77.1.1 Ferry 10.77.2.1 ──veth── 10.77.2.2 far
///           fd77:1::2          fd77:1::1       fd77:2::1          fd77:2::2
/// </code>
/// Rules of somebody else's are there before Ferry comes.
/// </summary>
public sealed class SinglePortSetting : IAsyncLifetime, IDisposable
{
    internal static readonly string[] Tools = ["ip", "nft", "iptables", "ip6tables", "python3", "vsftpd"];

    public const string FerryIPv6 = "fd40::136";
    public const int Port = 10001;
    public const int First = 11000;
    public const int Last = 11999;
    public const string FileName = "small";
    public const int FileLength = 1000;

    // In the places where Ferry's own go, in both dialects, and for one of its ports.
    private const string Foreign = """
        table inet operator {
            chain prerouting {
                type nat hook prerouting priority -100; policy accept;
                tcp dport 8080 redirect to :80
            }
        }
        """;

    private readonly TempFolder _folder = new();
    private Namespaces? _namespaces;
    private RealServer? _server;
    private ChildProcess? _far;

    internal Namespaces Machines => _namespaces ?? throw new InvalidOperationException("There are no namespaces.");

    private string Guest => Machines.Ferry + "-guest";

    private string Far => Machines.Ferry + "-far";

    public async Task InitializeAsync()
    {
        if (Needs.WhyNot(root: true, Tools) is not null)
            return;
        _folder.NewFolder("logs");
        _namespaces = await Namespaces.CreateAsync();
        await IpAsync("-n", Machines.Ferry, "address", "add", $"{FerryIPv6}/128", "dev", "to-client", "nodad");
        await IpAsync("-n", Machines.Client, "address", "add", "fd40::90/64", "dev", "eth0", "nodad");
        await IpAsync("-n", Machines.Ferry, "route", "add", "fd40::90/128", "dev", "to-client");
        await JoinAsync(Guest, 1);
        await JoinAsync(Far, 2);
        foreach (var setting in (string[])["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"])
            await InFerryAsync("sysctl", "-q", "-w", setting);
        (await Command.RunAsync("nft", ["-f", "-"], Foreign, Machines.Ferry)).Succeeded();
        foreach (var program in (string[])["iptables", "ip6tables"])
        {
            foreach (var chain in (string[])["PREROUTING", "OUTPUT"])
                await InFerryAsync(program, "-t", "nat", "-A", chain, "-p", "tcp", "--dport", "8081", "-j", "REDIRECT", "--to-ports", "81");
        }
        _server = await RealServer.StartAsync(ServerKind.Vsftpd, new IPEndPoint(IPAddress.Parse(Namespaces.ServerAddress), 21), Machines.Server);
        await _server.PutAsync(FileName, new byte[FileLength]);
        _far = await ChildProcess.StartAsync("python3", [Script, "echo", $"{First + 5}"], Far);
        await _far.ListeningAsync(First + 5);
    }

    public async Task DisposeAsync()
    {
        if (_far is not null)
            await _far.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
        if (_namespaces is null)
            return;
        foreach (var name in (string[])[Guest, Far])
            await Command.RunAsync("ip", ["netns", "delete", name]);
        await _namespaces.DisposeAsync();
    }

    public void Dispose() => _folder.Dispose();

    internal static string Script => Repository.Data("Harness", "Scripts", "single_port.py");

    /// <summary>Starts ferryd with one port for the thousand, on every address of its machine.</summary>
    internal Task<FerrydProcess> StartAsync(string method)
    {
        File.Delete(_folder["logs/error.log"]); // what others have said is not this one's
        return FerrydProcess.StartAsync(Write(method), _folder.Path, 21, Machines.Ferry);
    }

    /// <summary>Writes its configuration.</summary>
    internal string Write(string method, int first = First, int last = Last, string listen = "listen 10001; listen [::]:10001;") => _folder.NewFile("ferry.conf", string.Create(CultureInfo.InvariantCulture, $$"""
        error_log logs/error.log info;
        range type=tcp src_ports={{first}}:{{last}} dst_port={{Port}};
        range_method {{method}};
        stream {
            server {
                listen 21; listen [::]:21;
                ftp_ctrl zone=z:1m proxy_ip={{Namespaces.FerryAddress}} min_port={{first}} max_port={{last}};
                proxy_pass {{Namespaces.ServerAddress}}:21;
            }
            server { {{listen}} njtmesh_dest on; ftp_data zone=z; }
        }
        """));

    internal string ReadLog()
    {
        using var reader = new StreamReader(new FileStream(_folder["logs/error.log"], FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }

    /// <summary>All of the kernel's rules on Ferry's machine, of nft and iptables, without counters.</summary>
    internal async Task<string> RulesAsync()
    {
        // Remarks of either program about the other kind come on the other stream; the legacy kind's chains have counters.
        var listed = await Command.RunAsync("sh", ["-c", "nft -s list ruleset 2>/dev/null; iptables-legacy-save -t nat 2>/dev/null | grep ^-A"], netns: Machines.Ferry);
        Assert.NotEqual("", listed.Output);
        return listed.Output;
    }

    /// <summary>Downloads in one session from a machine, each over a port that this client has not had for the longest time that ports rest.</summary>
    internal async Task TransferAsync(string netns, string host, string command, int count)
    {
        var result = (await Command.RunAsync("python3", [Script, "transfer", host, _server!.User, $"{count}", command, $"pub/{FileName}"], netns: netns, bound: TimeSpan.FromSeconds(90))).Succeeded();
        Assert.Equal($"ports {Math.Min(count, ClientPorts.Resting)}\nbytes {count * FileLength}\n", result.Output);
    }

    internal Task<ChildProcess> HoldAsync(string command) =>
        ChildProcess.StartAsync("python3", [Script, "hold", Namespaces.FerryAddress, _server!.User, command, $"pub/{FileName}"], Machines.Client);

    /// <summary>Connections of the client that no lease waits for.</summary>
    internal async Task RefusedAsync(string host, params int[] ports) =>
        Assert.Equal($"refused {ports.Length}\n", (await Command.RunAsync("python3", [Script, "refused", host, .. ports.Select(p => $"{p}")], netns: Machines.Client)).Succeeded().Output);

    /// <summary>Traffic through Ferry's machine to the same port of another one arrives there as it was sent.</summary>
    internal async Task ForwardedAsync()
    {
        foreach (var (host, guest) in ((string, string)[])[("10.77.2.2", "10.77.1.2"), ("fd77:2::2", "fd77:1::2")])
        {
            var result = await Command.RunAsync("python3", [Script, "ask", host, $"{First + 5}"], netns: Guest);
            Assert.Equal($"far {host} {First + 5} from {guest}\n", result.Succeeded().Output);
        }
    }

    internal async Task<CommandResult> InFerryAsync(string program, params string[] arguments) =>
        (await Command.RunAsync(program, arguments, netns: Machines.Ferry)).Succeeded();

    private async Task JoinAsync(string name, int number)
    {
        var device = $"forward{number}";
        await IpAsync("netns", "add", name);
        await IpAsync("-n", name, "link", "set", "lo", "up");
        await IpAsync("-n", Machines.Ferry, "link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", name);
        await IpAsync("-n", Machines.Ferry, "link", "set", device, "up");
        await IpAsync("-n", name, "link", "set", "eth0", "up");
        foreach (var (net, length) in ((string, int)[])[($"10.77.{number}.", 24), ($"fd77:{number}::", 64)])
        {
            string[] more = length == 64 ? ["nodad"] : [];
            await IpAsync(["-n", Machines.Ferry, "address", "add", $"{net}1/{length}", "dev", device, .. more]);
            await IpAsync(["-n", name, "address", "add", $"{net}2/{length}", "dev", "eth0", .. more]);
            await IpAsync("-n", name, "route", "add", "default", "via", $"{net}1");
        }
    }

    private static async Task IpAsync(params string[] arguments) => (await Command.RunAsync("ip", arguments)).Succeeded();
}
