using System.Linq;
using System.Net;
using Ferry.Config;
using Ferry.Upstreams;
using static Ferry.Tests.Upstreams.GroupBuilder;

namespace Ferry.Tests.Upstreams;

public sealed class StickyTests
{
    private static readonly StickyConfig ByAddress = new(Variable("remote_addr"));

    private readonly GroupBuilder _make = new();

    [Fact]
    public async Task A_client_comes_back_to_its_server_as_long_as_it_comes_in_time()
    {
        var group = await _make.MakeAsync(Sticky(ByAddress, Server(1), Server(2), Server(3)));

        Assert.Equal("012", PicksOf(group, 1, 2, 3));
        // Each session renews the time, so that four times 299 s are not too long.
        for (var i = 0; i < 4; i++)
        {
            _make.Time.Advance(TimeSpan.FromSeconds(299));
            Assert.Equal("11", PicksOf(group, 2, 2));
        }
        // The others were away for longer; it is the turn of the first server again.
        Assert.Equal("01", PicksOf(group, 3, 1));
    }

    [Fact]
    public async Task The_time_that_is_written_counts()
    {
        var group = await _make.MakeAsync(Sticky(ByAddress with { Timeout = TimeSpan.FromSeconds(10) }, Server(1), Server(2)));

        Assert.Equal("000", PicksOf(group, 1, 1, 1));
        _make.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("11", PicksOf(group, 1, 1));
    }

    [Theory]
    [InlineData(24, "10.1.2.3", "10.1.2.250", true)]
    [InlineData(24, "10.1.2.3", "10.1.3.3", false)]
    [InlineData(20, "10.1.16.3", "10.1.31.3", true)]
    [InlineData(20, "10.1.16.3", "10.1.32.3", false)]
    [InlineData(0, "10.1.16.3", "192.0.2.1", true)]
    [InlineData(32, "10.1.16.3", "10.1.16.2", false)]
    [InlineData(24, "2001:db8:1:2::3", "2001:db8:1:2:ffff::4", true)]
    [InlineData(24, "2001:db8:1:2::3", "2001:db8:1:3::3", false)]
    [InlineData(24, "::ffff:10.1.2.3", "10.1.2.4", true)]
    public async Task A_network_is_one_client(int netmask, string first, string second, bool isSame)
    {
        foreach (var variable in new[] { "remote_addr", "binary_remote_addr" })
        {
            var group = await _make.MakeAsync(Sticky(new StickyConfig(Variable(variable)) { Prefix4 = netmask, Prefix6 = 64 }, Server(1), Server(2)));

            var one = Pick(group, new IPEndPoint(IPAddress.Parse(first), 1));

            Assert.Equal(isSame, one == Pick(group, new IPEndPoint(IPAddress.Parse(second), 1)));
        }
    }

    [Fact]
    public async Task A_client_of_a_server_that_fails_or_is_full_moves_and_stays_with_the_new_one()
    {
        var group = await _make.MakeAsync(Sticky(ByAddress, Server(1), Server(2) with { MaxConnections = 1 }, Server(3)));
        Assert.Equal("012", PicksOf(group, 1, 2, 3));

        group.Servers[0].ReportFailure();
        var moved = Pick(group, Other(1));
        Assert.NotEqual('0', moved);
        _make.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(moved, Pick(group, Other(1)));

        var full = await _make.MakeAsync(Sticky(ByAddress, Server(1) with { MaxConnections = 1 }, Server(2)));
        var held = Hold(full, Other(1));
        Assert.Equal("01", held.Index + "" + Pick(full, Other(1)));
        held.Release();
        Assert.Equal('1', Pick(full, Other(1)));
    }

    [Fact]
    public async Task A_client_whose_server_refuses_stays_with_the_one_that_took_it()
    {
        var group = await _make.MakeAsync(Sticky(ByAddress, Server(1), Server(2), Server(3)));

        var last = Walk(group, Other(1))[^1];

        Assert.Equal(last, Pick(group, Other(1)));
    }

    [Fact]
    public async Task Clients_leave_a_backup_when_another_server_is_back_but_not_for_another_backup()
    {
        var group = await _make.MakeAsync(Sticky(ByAddress, Server(1), Server(2) with { Backup = true }, Server(3) with { Backup = true }));
        group.Servers[0].ReportFailure();

        Assert.Equal("12" + "1122", PicksOf(group, 1, 2, 1, 1, 2, 2));
        _make.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal("0", PicksOf(group, 1));
        group.Servers[0].ReportSuccess();
        Assert.Equal("000", PicksOf(group, 2, 1, 2));
    }

    [Fact]
    public async Task Clients_stay_over_a_reload_whatever_place_their_server_has_then()
    {
        var old = await _make.MakeAsync(Sticky(ByAddress, Server(1), Server(2), Server(3)));
        Assert.Equal("012", PicksOf(old, 1, 2, 3));

        var renewed = await _make.MakeAsync(Sticky(ByAddress, Server(9), Server(3), Server(1)) with { Balance = BalanceMethod.LeastConnections }, old);
        Assert.Equal("21", PicksOf(renewed, 1, 3));
        var moved = Pick(renewed, Other(2));
        Assert.Equal(new string(moved, 3), PicksOf(renewed, 2, 2, 2));

        // Sessions of the old generation that choose late see the same table.
        Assert.Equal(renewed.Servers[moved - '0'].EndPoint.Equals(old.Servers[0].EndPoint) || renewed.Servers[moved - '0'].EndPoint.Equals(old.Servers[2].EndPoint),
            Hold(old, Other(2)).EndPoint.Equals(renewed.Servers[moved - '0'].EndPoint));
    }

    [Fact]
    public async Task Another_key_begins_anew()
    {
        var old = await _make.MakeAsync(Sticky(ByAddress, Server(1), Server(2)));
        Assert.Equal("01", PicksOf(old, 1, 2));

        var renewed = await _make.MakeAsync(Sticky(ByAddress with { Prefix4 = 31 }, Server(1), Server(2)), old);

        // 10.1.0.2 is the network's own address now.
        Assert.Equal("0", PicksOf(renewed, 2));
    }

    [Fact]
    public async Task Beyond_the_most_entries_the_one_unused_for_longest_goes()
    {
        var group = await _make.MakeAsync(Sticky(ByAddress with { MaxEntries = 2 }, Server(1), Server(2), Server(3)));

        Assert.Equal("01", PicksOf(group, 1, 2));
        Assert.Equal("0", PicksOf(group, 1));
        // The third client takes the place of the second.
        Assert.Equal("2" + "0" + "2", PicksOf(group, 3, 1, 3));
        Assert.Equal("0", PicksOf(group, 2));
    }

    [Fact]
    public async Task An_empty_key_ties_nobody()
    {
        var group = await _make.MakeAsync(Sticky(new StickyConfig(Variable("ftp_user")), Server(1), Server(2)));

        Assert.Equal("0101", Picks(group, 4));
    }

    [Fact]
    public async Task Long_keys_differ_by_what_is_beyond_their_beginning()
    {
        var group = await _make.MakeAsync(Sticky(new StickyConfig(Variable("ftp_user")), Server(1), Server(2), Server(3)));
        string[] users = ["anna", new string('x', 400) + "1", new string('x', 400) + "2"];

        for (var round = 0; round < 3; round++)
            Assert.Equal("012", string.Concat(users.Select(u => group.Choose(new ChoiceFacts(Client, Listener) { User = u }).TryNext()!.Index)));
    }

    private static UpstreamConfig Sticky(StickyConfig sticky, params UpstreamServerConfig[] servers) => Block(servers) with { Sticky = sticky };

    private static string PicksOf(UpstreamGroup group, params int[] clients) => string.Concat(clients.Select(c => Pick(group, Other(c))));
}
