using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.Config;
using Ferry.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.Tests.Hosting;

public sealed class AnnouncedNamesTests
{
    private readonly Dictionary<string, string[]> _names = new(StringComparer.OrdinalIgnoreCase)
    {
        ["ftp.example.com"] = ["2001:db8::9", "192.0.2.9", "192.0.2.10"],
        ["six.example.com"] = ["2001:db8::6", "2001:db8::7"],
        ["blocked.example.com"] = ["0.0.0.0", "::"],
        ["empty.example.com"] = [],
    };

    private readonly List<string> _asked = [];

    private Task<IPAddress[]> Resolve(string name, CancellationToken ct)
    {
        lock (_asked)
            _asked.Add(name);
        return _names.TryGetValue(name, out var addresses)
            ? Task.FromResult<IPAddress[]>([.. addresses.Select(IPAddress.Parse)])
            : throw new SocketException((int)SocketError.HostNotFound);
    }

    private static FerryConfig Config(string proxyAddress, string lines = "") =>
        ConfigFile.Parse($"stream {{\nserver {{ listen 21; {lines} proxy_pass 192.0.2.1;\nftp_ctrl zone=z:64k proxy_ip={proxyAddress} min_port=10000 max_port=10010; }} }}", "f.conf").Config!;

    private async Task<(IReadOnlyDictionary<string, IPAddress> Addresses, IReadOnlyList<ConfigDiagnostic> Errors)> AskAsync(FerryConfig config)
    {
        var (addresses, errors) = await AnnouncedNames.ResolveAsync(config, Resolve, TimeProvider.System, CancellationToken.None);
        return (addresses, errors);
    }

    [Theory]
    [InlineData("ftp.example.com", "192.0.2.9")]
    [InlineData("six.example.com", "2001:db8::6")]
    public async Task Of_the_addresses_of_a_name_the_first_of_IPv4_is_told(string name, string address)
    {
        var (addresses, errors) = await AskAsync(Config(name));

        Assert.Empty(errors);
        Assert.Equal(IPAddress.Parse(address), addresses[name]);
    }

    [Fact]
    public async Task Addresses_and_auto_need_no_resolver_and_a_name_is_asked_for_once()
    {
        Assert.Empty((await AskAsync(Config("auto", "ftp_proxy_ip 10.0.0.0/8 192.0.2.7;"))).Addresses);
        Assert.Empty(_asked);

        var (addresses, _) = await AskAsync(Config("ftp.example.com", "ftp_proxy_ip 10.0.0.0/8 FTP.example.com; ftp_proxy_ip 10.0.0.0/7 six.example.com;"));

        Assert.Equal(["ftp.example.com", "six.example.com"], _asked.Select(n => n.ToLowerInvariant()).Order());
        Assert.Equal(addresses["ftp.example.com"], addresses["FTP.example.com"]);
    }

    [Fact]
    public async Task Each_name_without_a_usable_address_is_an_error_at_its_place()
    {
        var (_, errors) = await AskAsync(Config("no.example.com", "ftp_proxy_ip 10.0.0.0/8 empty.example.com; ftp_proxy_ip 11.0.0.0/8 blocked.example.com;"));

        Assert.Equal(
            ["f.conf:2:45 it has no address", "f.conf:2:88 it has no address that clients could connect to", "f.conf:3:30"],
            errors.Select((e, i) => i == 2 ? $"{e.Position}" : $"{e.Position} {e.Message.Split("resolved: ")[1].Split(';')[0]}").Order(StringComparer.Ordinal));
        Assert.All(errors, e => Assert.Contains("cannot be resolved: ", e.Message, StringComparison.Ordinal));
        Assert.Equal(["empty.example.com", "blocked.example.com", "no.example.com"], errors.Select(e => e.SourceLine!.Substring(e.Position.Column - 1, e.Length)));
    }

    [Fact]
    public async Task A_proxy_does_not_start_with_a_name_that_clients_cannot_be_told()
    {
        // Refused before anybody is asked for it.
        var place = new ProxyAddressConfig(null, new string('a', 300)) { Position = new ConfigPosition("f.conf", 3, 30) };
        var config = Config("auto");
        config = config with { Servers = [config.Servers[0] with { ProxyAddresses = [new ClientProxyAddressConfig(IPNetwork.Parse("10.0.0.0/8"), place)] }] };
        await using var proxy = new FerryProxy(config, NullLoggerFactory.Instance);

        var failure = await Assert.ThrowsAsync<FerryStartException>(() => proxy.StartAsync());
        var found = Assert.Single(await FerryProxy.CheckAsync(config));

        Assert.Contains("f.conf:3:30: the name \"aaa", failure.Message, StringComparison.Ordinal);
        Assert.Equal((place.Position, ConfigSeverity.Error), (found.Position, found.Severity));
        Assert.Contains("it is not a name; correct the name, or write the address", found.Message, StringComparison.Ordinal);
    }
}
