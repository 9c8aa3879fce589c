using System.Linq;
using System.Net;
using Ferry.Config;
using static Ferry.Tests.Upstreams.GroupBuilder;

namespace Ferry.Tests.Upstreams;

/// <summary>The golden values were computed by an independent program from the kernel's definitions; its SipHash was held against Python's own.</summary>
public sealed class AddressTableTests
{
    private static readonly string[] Clients =
    [
        "192.168.40.90", "10.0.0.1", "203.0.113.77", "8.8.8.8", "172.16.5.200", "1.2.3.4", "198.51.100.23", "192.0.2.255", "100.64.0.9",
        "2001:db8::5", "2001:db8:1:2:3:4:5:6", "fe80::1",
    ];

    private readonly GroupBuilder _make = new();

    [Theory]
    [InlineData(BalanceMethod.Sh, -1, "000212000021")]
    [InlineData(BalanceMethod.Sh, 0, "111212211121")]
    [InlineData(BalanceMethod.Mh, -1, "121011011100")]
    [InlineData(BalanceMethod.Mh, 0, "121111111111")]
    public async Task Clients_go_where_lvs_sends_them_and_from_a_dead_server_where_its_fallback_does(BalanceMethod method, int failed, string expected)
    {
        var group = await _make.MakeAsync(Balanced(method, Server(1, 4), Server(2, 3), Server(3, 2)));
        if (failed >= 0)
            group.Servers[failed].ReportFailure();

        Assert.Equal(expected, string.Concat(Clients.Select(c => Pick(group, new IPEndPoint(IPAddress.Parse(c), 1)))));
    }

    [Fact]
    public async Task Great_weights_are_shortened_in_the_table_of_maglev()
    {
        var group = await _make.MakeAsync(Balanced(BalanceMethod.Mh, [.. Enumerable.Range(1, 5).Select(i => Server(i, 100 * i)), Server(6, 6500)]));

        Assert.Equal("555353555455", string.Concat(Clients.Select(c => Pick(group, new IPEndPoint(IPAddress.Parse(c), 1)))));
    }

    [Theory]
    [InlineData(BalanceMethod.Sh)]
    [InlineData(BalanceMethod.Mh)]
    public async Task A_mapped_address_counts_as_ipv4_and_the_port_does_not_count(BalanceMethod method)
    {
        var group = await _make.MakeAsync(Balanced(method, Server(1), Server(2), Server(3)));

        foreach (var client in Clients.Take(9).Select(IPAddress.Parse))
            Assert.Equal(Pick(group, new IPEndPoint(client, 1)), Pick(group, new IPEndPoint(client.MapToIPv6(), 2)));
    }

    /// <summary>LVS's table of 256 places would leave out all beyond the third.</summary>
    [Fact]
    public async Task Weights_that_lvs_has_no_place_for_get_their_share()
    {
        var group = await _make.MakeAsync(Balanced(BalanceMethod.Sh, [.. Enumerable.Range(1, 10).Select(i => Server(i, 100))]));

        // The first server has the places that are left: 124 of 1024.
        Assert.All(Spread(group, 10_000), count => Assert.InRange(count, 850, 1300));
    }

    [Fact]
    public async Task Enormous_weights_make_no_enormous_table()
    {
        var group = await _make.MakeAsync(Balanced(BalanceMethod.Sh, Server(1, int.MaxValue), Server(2, int.MaxValue), Server(3, 1)));

        var spread = Spread(group, 10_000);

        Assert.InRange(spread[0], 4000, 6000);
        Assert.Equal(10_000, spread[0] + spread[1] + spread[2]);
    }

    [Theory]
    [InlineData(BalanceMethod.Sh)]
    [InlineData(BalanceMethod.Dh)]
    [InlineData(BalanceMethod.Mh)]
    public async Task A_walk_has_every_server_once_and_the_backup_last(BalanceMethod method)
    {
        var group = await _make.MakeAsync(Balanced(method, Server(1, 2), Server(2) with { Backup = true }, Server(3), Server(4) with { Down = true }, Server(5)));

        var walk = Walk(group);

        Assert.Equal("024", string.Concat(walk[..3].Order()));
        Assert.Equal("1", walk[3..]);
    }
}
