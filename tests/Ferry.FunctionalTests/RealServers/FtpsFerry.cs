using System.Globalization;
using System.Linq;
using System.Text;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>One Ferry before one server, with a listener for each way to it that its cells take.</summary>
internal sealed class FtpsFerry : IAsyncDisposable
{
    /// <summary>So many cells run at once; each of them has one passive port at a time, and one that is just being given back.</summary>
    private const int PortsOfListener = 16;

    private readonly Dictionary<(bool ImplicitClient, TlsVersion Version, bool Match, UpstreamProtection Protection), int> _ports = [];
    private readonly RealServer _server;
    private readonly TempFolder _certificate;

    private FtpsFerry(RealServer server, TempFolder certificate, TestProxy proxy)
    {
        _server = server;
        _certificate = certificate;
        Proxy = proxy;
    }

    public TestProxy Proxy { get; }

    /// <param name="server">The server.</param>
    /// <param name="cells">The ways to it.</param>
    /// <param name="directives">More directives for every listener.</param>
    /// <param name="starttls">What is said of AUTH on listeners that are not implicit.</param>
    /// <param name="certificate">What clients see; null is <see cref="TestCertificate.Shared"/>.</param>
    public static async Task<FtpsFerry> StartAsync(RealServer server, IEnumerable<FtpsCell> cells, string directives = "", TestCertificate? certificate = null, string starttls = "on")
    {
        var folder = new TempFolder();
        try
        {
            var files = (certificate ?? TestCertificate.Shared).WriteTo(folder.Path);
            Dictionary<(bool, TlsVersion, bool, UpstreamProtection), int> ports = [];
            var text = new StringBuilder();
            foreach (var cell in cells.DistinctBy(c => c.Listener))
            {
                var (port, first) = (FreePorts.One(), FreePorts.Range(PortsOfListener));
                ports.Add(cell.Listener, port);
                text.Append(CultureInfo.InvariantCulture, $$"""
                        server {
                            listen 127.0.0.1:{{port}}{{(cell.Client == ToolTls.Implicit ? " ssl" : "")}};
                            ftp_ctrl zone=ports{{ports.Count}}:1M proxy_ip=127.0.0.1 min_port={{first}} max_port={{first + PortsOfListener - 1}};
                            ssl_certificate {{files.Chain}};
                            ssl_certificate_key {{files.Key}};
                            {{(cell.Client == ToolTls.Implicit ? "" : $"starttls {starttls};")}}
                            {{ToServer(cell)}}
                            {{directives}}
                            proxy_pass behind;
                        }

                    """);
            }
            var proxy = await TestProxy.StartAsync($$"""
                events { worker_connections 1000; }
                stream {
                    upstream behind { server {{server.EndPoint}} max_fails=0; }
                {{text}}
                }
                """);
            var ferry = new FtpsFerry(server, folder, proxy);
            foreach (var (listener, port) in ports)
                ferry._ports.Add(listener, port);
            return ferry;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    public FtpTarget TargetOf(FtpsCell cell) => new("127.0.0.1", _ports[cell.Listener], _server.User, _server.Password);

    /// <summary>Does everything that clients do in a session on the way of a cell.</summary>
    public async Task<string> RunAsync(FtpsCell cell, ToolOptions? options = null)
    {
        using var folder = new TempFolder();
        return await SessionOperations.RunAsync(ToolOf(cell, folder, options), TargetOf(cell), _server, folder);
    }

    /// <summary>Carries a file of so many MiB there and back on the way of a cell.</summary>
    public async Task RunLargeAsync(FtpsCell cell, int mebibytes)
    {
        using var folder = new TempFolder();
        await SessionOperations.RunLargeAsync(ToolOf(cell, folder, null), TargetOf(cell), _server, folder, mebibytes);
    }

    public async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync();
        _certificate.Dispose();
    }

    private static IFtpSessionTool ToolOf(FtpsCell cell, TempFolder folder, ToolOptions? options) =>
        FtpTools.Get(cell.Tool == "resuming" ? "ftplib" : cell.Tool, folder.Path, options ?? cell.ToolOptions);

    private static string ToServer(FtpsCell cell)
    {
        if (cell.Server.IsPlain())
            return "";
        var version = cell.ServerVersion switch
        {
            TlsVersion.Tls12 => "proxy_ssl_protocols TLSv1.2;",
            TlsVersion.Tls13 => "proxy_ssl_protocols TLSv1.3;",
            _ => "",
        };
        var way = cell.Server.IsImplicit() ? "proxy_ssl on;" : cell.Match ? "proxy_starttls match;" : "proxy_starttls on;";
        return $"{way} proxy_ftp_prot {cell.Protection.ToString().ToLowerInvariant()}; {version}";
    }
}
