using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>
/// Real servers that see their clients, with a way to these by Ferry's machine alone. Beside those of <see cref="Namespaces"/> the machines have
/// addresses of IPv6, and a gate stands for a proxy that takes headers of the PROXY protocol off before a server of its own:
/// <code>
///     client 192.168.40.90 ── 192.168.40.136 Ferry 192.168.40.136 ── 192.168.40.91 server, or gate 10.99.0.1 ── 10.99.0.2 inner
///            fd40::90         fd40::136            fd41::136         fd41::91
/// </code>
/// The server's machine takes from Ferry's own address nothing but what is for the gate, so that what works has come from the client's.
/// </summary>
public sealed class TransparentSetting : IAsyncLifetime, IDisposable
{
    internal static readonly string[] Tools = ["ip", "nft", "iptables", "ip6tables", "vsftpd", "proftpd", "proftpd-mod-crypto", "curl", "lftp"];

    public const string ClientIPv6 = "fd40::90";
    public const string FerryIPv6 = "fd40::136";
    private const string ServerIPv6 = "fd41::91";

    // Where the gate takes PROXY headers, and the port of Ferry's that leads there.
    public const int GatePort = 2221;
    public const int GateFirst = 31000;
    public const int GatePorts = 10;
    public const int GateListen = 2300;

    private static readonly string Strict = string.Create(CultureInfo.InvariantCulture, $$"""
        table inet strict {
            chain input {
                type filter hook input priority 0;
                tcp dport { {{GatePort}}, {{GateFirst}}-{{GateFirst + GatePorts - 1}} } accept
                ip saddr {{Namespaces.FerryAddress}} meta l4proto tcp reject
                ip6 saddr fd41::136 meta l4proto tcp reject
            }
            chain output {
                type filter hook output priority 0;
                tcp sport { {{GatePort}}, {{GateFirst}}-{{GateFirst + GatePorts - 1}} } accept
                ip daddr {{Namespaces.FerryAddress}} meta l4proto tcp reject
                ip6 daddr fd41::136 meta l4proto tcp reject
            }
        }
        """);

    private readonly TempFolder _folder = new();
    private readonly List<RealServer> _servers = [];
    private readonly Dictionary<string, string> _printed = [];
    private Namespaces? _namespaces;
    private FerrydProcess? _ferry;

    internal Namespaces Machines => _namespaces ?? throw new InvalidOperationException("There are no namespaces.");

    private string Configuration => _folder["ferry.conf"];

    public async Task InitializeAsync()
    {
        if (Needs.WhyNot(root: true, Tools) is not null)
            return;
        _folder.NewFolder("logs");
        _namespaces = await Namespaces.CreateAsync();
        await AddIPv6Async(Machines.Client, ClientIPv6, "to-client", FerryIPv6);
        await AddIPv6Async(Machines.Server, ServerIPv6, "to-server", "fd41::136");
        await IpAsync("-n", Machines.Server, "route", "add", $"{Namespaces.ClientAddress}/32", "via", Namespaces.FerryAddress);
        await IpAsync("-n", Machines.Server, "route", "add", $"{ClientIPv6}/128", "via", "fd41::136");
        (await Command.RunAsync("nft", ["-f", "-"], Strict, Machines.Server)).Succeeded();
        foreach (var address in (string[])[Namespaces.ServerAddress, ServerIPv6])
        {
            await StartServerAsync(ServerKind.Vsftpd, address, 21, log => ["xferlog_enable=YES", $"vsftpd_log_file={log}"]);
            await StartServerAsync(ServerKind.ProFtpd, address, 2121, log => ["LogFormat seen \"Client \\\"%a\\\" %r\"", $"ExtendedLog {log} ALL seen"]);
        }
        _ferry = await FerrydProcess.StartAsync(Write(), _folder.Path, 2121, Machines.Ferry);
    }

    public async Task DisposeAsync()
    {
        if (_ferry is not null)
            await _ferry.DisposeAsync();
        foreach (var server in _servers)
            await server.DisposeAsync();
        if (_namespaces is not null)
            await _namespaces.DisposeAsync();
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Makes the rules that ferryd prints for its configuration, on Ferry's machine or another one.</summary>
    internal async Task<IAsyncDisposable> RulesAsync(string format, string netns)
    {
        var (rules, routes) = (await PrintedAsync(format), await PrintedAsync("routes"));
        // Twice, as an operator may.
        foreach (var _ in (int[])[1, 2])
        {
            (await Command.RunAsync("sh", ["-c", format == "nft" ? "nft -f -" : "sh"], rules, netns)).Succeeded();
            (await Command.RunAsync("sh", ["-e"], routes, netns)).Succeeded();
        }
        return new MadeRules(netns, format);
    }

    private async Task<string> PrintedAsync(string format)
    {
        if (!_printed.TryGetValue(format, out var text))
            _printed.Add(format, text = (await FerrydProcess.RunAsync("rules", "--format", format, "-c", Configuration)).Succeeded().Output);
        return text;
    }

    /// <summary>A server by its place in Ferry's configuration.</summary>
    internal RealServer Server(ServerKind kind, bool isIPv6) =>
        _servers.Find(s => s.Kind == kind && IsIPv6(s) == isIPv6)!;

    /// <summary>Ferry as the client sees it before that server, to which it is passive or active whatever the client is.</summary>
    internal FtpTarget Target(RealServer server, bool isActive = false) => new(
        IsIPv6(server) ? $"[{FerryIPv6}]" : Namespaces.FerryAddress, server.EndPoint.Port + (isActive ? 100 : 0), server.User, server.Password, Machines.Client);

    /// <summary>What a server has logged so far.</summary>
    internal string Log(RealServer server) => Read(LogOf(server.Kind, server.EndPoint.Address.ToString()));

    internal string FerryLog => Read(_folder["logs/error.log"]);

    private static bool IsIPv6(RealServer server) => server.EndPoint.AddressFamily == AddressFamily.InterNetworkV6;

    internal static string Read(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.OpenOrCreate, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }

    private string LogOf(ServerKind kind, string address) => _folder[$"logs/{kind}-{address.Replace(':', '-')}.log"];

    private async Task StartServerAsync(ServerKind kind, string address, int port, Func<string, string[]> settings) => _servers.Add(
        await RealServer.StartAsync(kind, new IPEndPoint(IPAddress.Parse(address), port), Machines.Server, new RealServerTls(), settings(LogOf(kind, address))));

    private string Write()
    {
        var certificate = TestCertificate.Shared.WriteTo(_folder.Path);
        var text = string.Concat(_servers.SelectMany(s => ((RealServer, int, string)[])[(s, 0, "passive"), (s, 100, "active")]).Select((one, i) => string.Create(CultureInfo.InvariantCulture, $$"""
                server {
                    listen {{(IsIPv6(one.Item1) ? "[::]" : "*")}}:{{one.Item1.EndPoint.Port + one.Item2}};
                    ftp_ctrl zone=z{{i}}:1m proxy_ip={{Namespaces.FerryAddress}} min_port={{30000 + i * 20}} max_port={{30000 + i * 20 + 19}};
                    proxy_pass {{one.Item1.EndPoint}};
                    proxy_ftp_data {{one.Item3}};
                }

            """)));
        return _folder.NewFile("ferry.conf", $$"""
            error_log logs/error.log info;
            stream {
                starttls on; ssl_certificate {{certificate.Chain}}; ssl_certificate_key {{certificate.Key}}; proxy_starttls match;
                proxy_bind $remote_addr transparent;
                proxy_connect_timeout 1s;
            {{text}}
                server {
                    listen {{GateListen}};
                    ftp_ctrl zone=gate:1m proxy_ip={{Namespaces.FerryAddress}} min_port=32000 max_port=32019;
                    proxy_bind off; proxy_protocol v2; proxy_protocol_data v2; proxy_ftp_data passive;
                    proxy_pass {{Namespaces.ServerAddress}}:{{GatePort}};
                }
            }
            """);
    }

    private async Task AddIPv6Async(string netns, string address, string device, string ferry)
    {
        await IpAsync("-n", Machines.Ferry, "address", "add", $"{ferry}/128", "dev", device, "nodad");
        await IpAsync("-n", netns, "address", "add", $"{address}/64", "dev", "eth0", "nodad");
        await IpAsync("-n", Machines.Ferry, "route", "add", $"{address}/128", "dev", device);
    }

    internal static async Task IpAsync(params string[] arguments) => (await Command.RunAsync("ip", arguments)).Succeeded();

    private sealed class MadeRules(string netns, string format) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => (await Command.RunAsync("sh", ["-ec", format == "nft"
            ? "nft delete table inet ferry_transparent; ip -4 rule del pref 2121; ip -6 rule del pref 2121"
            : "for i in iptables ip6tables; do $i -t mangle -D PREROUTING -j FERRY-TRANSPARENT; $i -t mangle -F FERRY-TRANSPARENT; $i -t mangle -X FERRY-TRANSPARENT; done; ip -4 rule del pref 2121; ip -6 rule del pref 2121"],
            netns: netns)).Succeeded();
    }
}
