using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>One Ferry before one server on 127.0.0.1 and again on ::1, with a listener on either for each way to it.</summary>
internal sealed partial class ModeFerry : IAsyncDisposable
{
    private const int PortsOfListener = 16;

    private readonly Dictionary<(UpstreamDataMode Mode, ModeTls Tls, bool ServerV6), int> _ports = [];
    private readonly TempFolder _folder;
    private readonly RealServer[] _servers;

    private ModeFerry(TempFolder folder, RealServer[] servers, TestProxy proxy)
    {
        _folder = folder;
        _servers = servers;
        Proxy = proxy;
    }

    public TestProxy Proxy { get; }

    public static async Task<ModeFerry> StartAsync(ServerKind kind, IEnumerable<ModeCell> cells)
    {
        var folder = new TempFolder();
        List<RealServer> servers = [];
        try
        {
            foreach (var address in (IPAddress[])[IPAddress.Loopback, IPAddress.IPv6Loopback])
            {
                var endPoint = new IPEndPoint(address, FreePorts.One());
                servers.Add(await RealServer.StartAsync(kind, endPoint, tls: new RealServerTls(), settings: LogCommands(kind, folder[$"commands{servers.Count}"])));
            }
            var files = TestCertificate.Shared.WriteTo(folder.Path);
            Dictionary<(UpstreamDataMode, ModeTls, bool), int> ports = [];
            var text = new StringBuilder();
            foreach (var listener in cells.Select(c => c.Listener).Distinct())
            {
                var (port, first) = (FreePorts.One(), FreePorts.Range(PortsOfListener));
                ports.Add(listener, port);
                text.Append(CultureInfo.InvariantCulture, $$"""
                        server {
                            listen 127.0.0.1:{{port}};
                            listen [::1]:{{port}};
                            ftp_ctrl zone=ports{{ports.Count}}:1M proxy_ip=auto min_port={{first}} max_port={{first + PortsOfListener - 1}};
                            ssl_certificate {{files.Chain}};
                            ssl_certificate_key {{files.Key}};
                            starttls on;
                            proxy_starttls match;
                            proxy_ftp_prot {{listener.Tls switch { ModeTls.Client => "clear", ModeTls.Server => "private", _ => "match" }}};
                            proxy_ftp_data {{listener.Mode.ToString().ToLowerInvariant()}};
                            proxy_pass {{(listener.ServerV6 ? "six" : "four")}};
                        }

                    """);
            }
            var proxy = await TestProxy.StartAsync($$"""
                events { worker_connections 1000; }
                stream {
                    upstream four { server {{servers[0].EndPoint}} max_fails=0; }
                    upstream six { server {{servers[1].EndPoint}} max_fails=0; }
                {{text}}
                }
                """);
            var ferry = new ModeFerry(folder, [.. servers], proxy);
            foreach (var (listener, port) in ports)
                ferry._ports.Add(listener, port);
            return ferry;
        }
        catch
        {
            foreach (var server in servers)
                await server.DisposeAsync();
            folder.Dispose();
            throw;
        }
    }

    public RealServer ServerOf(ModeCell cell) => _servers[cell.ServerV6 ? 1 : 0];

    public IPEndPoint EndPointOf(ModeCell cell) => new(cell.ClientAddress, _ports[cell.Listener]);

    /// <summary>A client of a cell that has logged in.</summary>
    public Task<ModeClient> LogInAsync(ModeCell cell)
    {
        var (server, to) = (ServerOf(cell), EndPointOf(cell));
        var tls = cell.Tls == ModeTls.Plain ? null : TlsEnd.Client with { Resume = true };
        return ModeClient.LogInAsync(to, cell.Verb, tls, protect: cell.Tls is ModeTls.Both or ModeTls.Client, user: server.User, password: server.Password);
    }

    /// <summary>The set-up commands that the servers got, by the folder that their session made; pure-ftpd does not tell.</summary>
    public ILookup<string, string> SetUps()
    {
        List<(string Folder, string Verb)> all = [];
        for (var i = 0; i < _servers.Length; i++)
        {
            if (!File.Exists(_folder[$"commands{i}"]))
                continue;
            foreach (var session in File.ReadLines(_folder[$"commands{i}"]).Select(l => Logged().Match(l)).Where(m => m.Success).GroupBy(m => m.Groups["pid"].Value))
            {
                // A process id may come again.
                var folder = "";
                foreach (var command in session.Select(m => m.Groups["command"].Value.Split(' ')))
                {
                    if (command[0] == "MKD")
                        folder = command[1][4..];
                    else if (Enum.GetNames<DataVerb>().Contains(command[0], StringComparer.OrdinalIgnoreCase))
                        all.Add((folder, command[0]));
                }
            }
        }
        return all.ToLookup(s => s.Folder, s => s.Verb);
    }

    public async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync();
        foreach (var server in _servers)
            await server.DisposeAsync();
        _folder.Dispose();
    }

    private static string[] LogCommands(ServerKind kind, string path) => kind switch
    {
        ServerKind.Vsftpd => ["log_ftp_protocol=YES", "xferlog_enable=YES", "xferlog_std_format=NO", $"vsftpd_log_file={path}"],
        ServerKind.ProFtpd => ["LogFormat commands \"[pid %P] \\\"%r\\\"\"", $"ExtendedLog {path} ALL commands"],
        _ => [],
    };

    // [pid 4711] … "MKD pub/folder"
    [GeneratedRegex("""\[pid (?<pid>\d+)\].* "(?<command>[A-Z]{3,4}( [^"]*)?)"$""")]
    private static partial Regex Logged();
}
