using Ferry.FunctionalTests.Harness;
using static Ferry.FunctionalTests.Daemon.DaemonUnderTest;

namespace Ferry.FunctionalTests.Daemon;

public sealed class RulesTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Rules_prints_what_nft_and_iptables_take()
    {
        var file = Write("range_method none;");

        var both = await RunAsync("rules", "-c", file);
        var nft = await RunAsync("rules", "--format", "nft", "-c", file);
        var iptables = await RunAsync("rules", "--format", "iptables", "-c", file);
        var tproxy = await RunAsync("rules", "--format", "tproxy", "-c", file);

        foreach (var result in (ProgramResult[])[both, nft, iptables, tproxy])
            Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        Assert.Contains("\t\tip daddr 127.0.0.1 tcp dport 11000-12000 dnat to :10001\n", nft.Output, StringComparison.Ordinal);
        Assert.Contains("-A FERRY-10001 -d 127.0.0.1 -p tcp -m tcp --dport 11000:12000 -j DNAT --to-destination :10001\n", iptables.Output, StringComparison.Ordinal);
        Assert.Contains("\t\tip daddr 127.0.0.1 tcp dport 11000-12000 tproxy ip to :10001\n", tproxy.Output, StringComparison.Ordinal);
        Assert.Contains(nft.Output, both.Output, StringComparison.Ordinal);
        Assert.Contains(iptables.Output, both.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configuration_without_a_single_port_needs_no_rules()
    {
        var file = _folder.NewFile("plain.conf", "stream { server { listen 127.0.0.1:2121; ftp_ctrl zone=z:1m proxy_ip=127.0.0.1 min_port=11000 max_port=12000; proxy_pass 127.0.0.1:47021; } }");

        var result = await RunAsync("rules", "-c", file);

        Assert.Equal((0, ""), (result.ExitCode, result.Output));
        Assert.Contains("needs no rules", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Transparent_connections_need_rules_and_routes()
    {
        var file = WriteTransparent();

        var both = await RunAsync("rules", "-c", file);
        var routes = await RunAsync("rules", "--format", "routes", "-c", file);

        foreach (var result in (ProgramResult[])[both, routes])
            Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        Assert.Contains("\t\tmeta l4proto { tcp, icmp, icmpv6 } socket transparent 1 meta mark set meta mark | 0x1000\n", both.Output, StringComparison.Ordinal);
        Assert.Contains("-A FERRY-TRANSPARENT -p tcp -m socket --transparent -j MARK --set-xmark 0x1000/0x1000\n", both.Output, StringComparison.Ordinal);
        Assert.EndsWith("# With either, the routes: ferryd rules --format routes | sh\n" + routes.Output, both.Output, StringComparison.Ordinal);
        Assert.Contains("ip -4 route replace local default dev lo table 2121\n", routes.Output, StringComparison.Ordinal);
        // Programs take the rest, and what people are told is a comment.
        Assert.All(routes.Output.TrimEnd('\n').Split('\n'), l => Assert.Matches("^(# |ip |while ip )", l));
    }

    [Fact]
    public async Task Ranges_need_no_routes()
    {
        var result = await RunAsync("rules", "--format", "routes", "-c", Write("range_method none;"));

        Assert.Equal((0, ""), (result.ExitCode, result.Output));
        Assert.Contains("needs no routes", result.Errors, StringComparison.Ordinal);
    }

    [RootFact("setpriv")]
    public async Task Without_the_right_to_transparent_connections_the_start_fails_and_the_test_warns()
    {
        var file = WriteTransparent();
        string[] deprived = ["--bounding-set=-net_raw,-net_admin", Repository.Ferryd, "-c", file];

        var start = await Command.RunAsync("setpriv", deprived);
        var test = await Command.RunAsync("setpriv", [.. deprived, "-t"]);

        const string Told = "\"transparent\" of \"proxy_bind\" is not permitted to this process: it needs root, CAP_NET_RAW or CAP_NET_ADMIN; under systemd, add CAP_NET_RAW to AmbientCapabilities=";
        Assert.Equal((1, 0), (start.ExitCode, test.ExitCode));
        Assert.Contains($"ferryd: {file}:1:", start.Output, StringComparison.Ordinal);
        Assert.Contains(Told, start.Output, StringComparison.Ordinal);
        Assert.Contains($"warning: {Told}", test.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_configuration_has_no_rules()
    {
        var result = await RunAsync("rules", "-c", _folder.NewFile("wrong.conf", "range 1;"));

        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains("wrong.conf:1:", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tool_that_is_not_there_is_an_error_at_the_start_that_names_it_and_the_way_out()
    {
        var result = await RunAsync("-c", Write($"range_method iptables; range iptables_path={_folder["none"]}/iptables;"));

        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"ferryd: ports cannot be redirected to 10001 (range): {_folder["none"]}/iptables-restore: there is no such program", result.Errors, StringComparison.Ordinal);
        Assert.Contains("\"range_method none\"", result.Errors, StringComparison.Ordinal);
        Assert.Contains("\"ferryd rules\"", result.Errors, StringComparison.Ordinal);
    }

    private string WriteTransparent() => _folder.NewFile("transparent.conf", $$"""
        stream { server { listen 127.0.0.1:{{FreePorts.One()}}; ftp_ctrl zone=z:1m proxy_ip=127.0.0.1 min_port=11000 max_port=12000; proxy_pass 127.0.0.1:47021; proxy_bind $remote_addr transparent; } }
        """);

    private string Write(string main) => _folder.NewFile("ferry.conf", $$"""
        {{main}}
        range type=tcp src_ports=11000:12000 dst_port=10001;
        stream {
            server { listen 127.0.0.1:{{FreePorts.One()}}; ftp_ctrl zone=z:1m proxy_ip=127.0.0.1 min_port=11000 max_port=12000; proxy_pass 127.0.0.1:47021; }
            server { listen 127.0.0.1:10001; njtmesh_dest on; ftp_data zone=z; }
        }
        """);
}
