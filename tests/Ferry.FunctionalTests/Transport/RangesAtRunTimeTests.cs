using System.Linq;
using System.Net;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.FunctionalTests.Transport;

/// <summary>Ranges that are added to a running proxy and taken away, as the admin server will.</summary>
public sealed class RangesAtRunTimeTests : IDisposable
{
    private readonly FakeIptables _programs = new();
    private readonly TempFolder _folder = new();
    private readonly int _port = FreePorts.One();
    private readonly FerryConfig _config;

    public RangesAtRunTimeTests() => _config = new FerryConfig
    {
        Ranges = [new RangeConfig(61000, 61010, _port)],
        RangeMethod = RangeMethod.Iptables,
        IptablesPath = _programs.ForIPv4,
        Ip6tablesPath = _programs.ForIPv6,
        RangeFile = _folder["ranges"],
        Servers =
        [
            new ServerConfig
            {
                Listens = [new ListenConfig(new IPEndPoint(IPAddress.Loopback, FreePorts.One()))],
                Zone = new ZoneConfig("z", 1 << 20, IPAddress.Loopback, 61000, 61010),
                Data = new DataConfig { RedirectPort = _port },
                Upstream = new UpstreamConfig { Name = "u", Servers = [new UpstreamServerConfig("127.0.0.1", 47021)] },
            },
        ],
    };

    private RangeConfig Added => new(62000, 62010, _port);

    public void Dispose()
    {
        _programs.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_range_that_is_added_stays_through_a_reload_and_a_restart_until_it_is_removed()
    {
        await using (var proxy = await StartAsync())
        {
            Assert.Null(await proxy.AddRangeAsync(Added));
            Assert.Contains("--dport 62000:62010", _programs.Said(), StringComparison.Ordinal);
            Assert.Empty(await proxy.ReloadAsync(_config));
            Assert.Equal([_config.Ranges[0], Added], proxy.Ranges.AsEnumerable());
            Assert.Equal("", _programs.Said());
        }
        Assert.Contains($"-X FERRY-{_port}", _programs.Said(), StringComparison.Ordinal);

        await using var next = await StartAsync();
        Assert.Contains("--dport 62000:62010", _programs.Said(), StringComparison.Ordinal);
        Assert.Null(await next.RemoveRangeAsync(Added));
        Assert.DoesNotContain("62000", _programs.Said(), StringComparison.Ordinal);
        Assert.Equal(_config.Ranges.AsEnumerable(), next.Ranges);
    }

    [Fact]
    public async Task What_cannot_be_made_or_kept_is_not_there()
    {
        await using var proxy = await StartAsync();
        _programs.Said();
        Assert.Contains("listens on port 1", await proxy.AddRangeAsync(Added with { DestinationPort = 1 }), StringComparison.Ordinal);
        Assert.Contains("in the configuration", await proxy.RemoveRangeAsync(_config.Ranges[0]), StringComparison.Ordinal);
        Assert.Equal("", _programs.Said());
        _programs.Break("iptables");
        Assert.Contains("no such luck", await proxy.AddRangeAsync(Added), StringComparison.Ordinal);
        Assert.Equal(_config.Ranges.AsEnumerable(), proxy.Ranges);

        _programs.Mend("iptables");
        _folder.NewFolder("ranges"); // in the place of the file
        Assert.Contains("cannot be written", await proxy.AddRangeAsync(Added), StringComparison.Ordinal);
        Assert.Equal(_config.Ranges.AsEnumerable(), proxy.Ranges);
        Assert.DoesNotContain("62000", _programs.Said().Split("COMMIT")[^2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reload_whose_rules_cannot_be_made_changes_nothing()
    {
        await using var proxy = await StartAsync();
        _programs.Break("iptables");
        var wider = _config with { Ranges = [new RangeConfig(61000, 61020, _port)] };
        Assert.Contains("no such luck", Assert.Single(await proxy.ReloadAsync(wider)), StringComparison.Ordinal);
        Assert.Equal(1, proxy.GetStatus().Generation);
        _programs.Mend("iptables");
        _programs.Said();
        Assert.Empty(await proxy.ReloadAsync(wider));
        Assert.Contains("--dport 61000:61020", _programs.Said(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rules_that_are_the_operators_are_not_changed()
    {
        await using var proxy = new FerryProxy(_config with { RangeMethod = RangeMethod.None }, NullLoggerFactory.Instance);
        await proxy.StartAsync();
        Assert.Contains("the operator's", await proxy.AddRangeAsync(Added), StringComparison.Ordinal);
        Assert.Equal("", _programs.Said());
    }

    private async Task<FerryProxy> StartAsync()
    {
        var proxy = new FerryProxy(_config, NullLoggerFactory.Instance);
        await proxy.StartAsync();
        return proxy;
    }
}
