using System.Globalization;
using System.Linq;
using System.Net;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>
/// A vsftpd that knows nothing of the PROXY protocol, on a machine of its own behind a haproxy on the server's, which takes the headers off both kinds of
/// connections and passes these on from the addresses that they name. The passive ports are the same on both machines, and the way back leads over haproxy's.
/// </summary>
internal sealed class GatedServer : IAsyncDisposable
{
    private const string GateAddress = "10.99.0.1";
    private const string InnerAddress = "10.99.0.2";

    private readonly TransparentSetting _setting;
    private readonly TempFolder _folder = new();
    private RealServer? _server;
    private ChildProcess? _gate;

    private GatedServer(TransparentSetting setting) => _setting = setting;

    public RealServer Server => _server ?? throw new InvalidOperationException("vsftpd was not started.");

    public FtpTarget Target => new(Namespaces.FerryAddress, TransparentSetting.GateListen, Server.User, Server.Password, _setting.Machines.Client);

    public string Log => TransparentSetting.Read(_folder["vsftpd.log"]);

    private string Inner => _setting.Machines.Server + "-inner";

    public static async Task<GatedServer> StartAsync(TransparentSetting setting)
    {
        var made = new GatedServer(setting);
        try
        {
            await made.JoinAsync();
            made._server = await RealServer.StartAsync(ServerKind.Vsftpd, new IPEndPoint(IPAddress.Parse(InnerAddress), 21), made.Inner, new RealServerTls(),
                ["xferlog_enable=YES", $"vsftpd_log_file={made._folder["vsftpd.log"]}", $"pasv_min_port={TransparentSetting.GateFirst}", $"pasv_max_port={TransparentSetting.GateFirst + TransparentSetting.GatePorts - 1}"]);
            var file = made._folder.NewFile("haproxy.cfg", $"""
                defaults
                    mode tcp
                    timeout connect 10s
                    timeout client 30s
                    timeout server 30s
                    source 0.0.0.0 usesrc clientip
                listen control
                    bind {Namespaces.ServerAddress}:{TransparentSetting.GatePort} accept-proxy
                    server inner {InnerAddress}:21
                {string.Join('\n', Enumerable.Range(TransparentSetting.GateFirst, TransparentSetting.GatePorts).Select(Data))}

                """);
            made._gate = await ChildProcess.StartAsync("haproxy", ["-db", "-f", file], setting.Machines.Server);
            await made._gate.ListeningAsync(TransparentSetting.GatePort);
            return made;
        }
        catch
        {
            await made.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_gate is not null)
            await _gate.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
        await Command.RunAsync("ip", ["netns", "delete", Inner]);
        _folder.Dispose();
    }

    // Each port by itself: without one in the server's line it would be that of the header, where clients have connected to.
    private static string Data(int port) => string.Create(CultureInfo.InvariantCulture, $"""
        listen data{port}
            bind {Namespaces.ServerAddress}:{port} accept-proxy
            server inner {InnerAddress}:{port}
        """);

    private async Task JoinAsync()
    {
        await TransparentSetting.IpAsync("netns", "add", Inner);
        await TransparentSetting.IpAsync("-n", Inner, "link", "set", "lo", "up");
        await TransparentSetting.IpAsync("-n", _setting.Machines.Server, "link", "add", "to-inner", "type", "veth", "peer", "name", "eth0", "netns", Inner);
        foreach (var (netns, device, address) in ((string, string, string)[])[(_setting.Machines.Server, "to-inner", GateAddress), (Inner, "eth0", InnerAddress)])
        {
            await TransparentSetting.IpAsync("-n", netns, "address", "add", $"{address}/24", "dev", device);
            await TransparentSetting.IpAsync("-n", netns, "link", "set", device, "up");
        }
        await TransparentSetting.IpAsync("-n", Inner, "route", "add", "default", "via", GateAddress);
    }
}
