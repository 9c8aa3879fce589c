using System.Collections.Immutable;
using System.Linq;
using System.Net;
using Ferry.Config;
using Ferry.Upstreams;
using static Ferry.Tests.Upstreams.GroupBuilder;

namespace Ferry.Tests.Upstreams;

/// <summary>The golden values were computed by an independent program from the description of NGINX's hashes; NginxHashTests compares with NGINX itself.</summary>
public sealed class HashTests
{
    private static readonly string[] Clients =
    [
        .. Enumerable.Range(90, 16).Select(i => $"192.168.40.{i}"),
        "10.0.0.1", "127.0.0.1", "2001:db8::1", "fe80::1", "::1", "2001:db8:0:1::",
    ];

    private static readonly UpstreamServerConfig[] Four =
    [
        new("192.168.40.91", 21),
        new("192.168.40.92", 21) { Weight = 3 },
        new("ftp.example.net", 2121) { Weight = 2, Text = "ftp.example.net:2121" },
        new("2001:db8::5", 21),
    ];

    private readonly GroupBuilder _make = new() { Names = { ["ftp.example.net"] = [IPAddress.Parse("10.9.9.9")] } };

    [Theory]
    [InlineData(BalanceMethod.ConsistentHash, "remote_addr", "3213130331213221130312")]
    [InlineData(BalanceMethod.ConsistentHash, "binary_remote_addr", "3011111221202012311113")]
    [InlineData(BalanceMethod.Hash, "remote_addr", "0231222231111102032111")]
    public async Task Clients_go_where_nginx_sends_them(BalanceMethod method, string variable, string expected)
    {
        var group = await _make.MakeAsync(Hashed(method, Variable(variable), Four));

        Assert.Equal(expected, string.Concat(Clients.Select(c => Pick(group, new IPEndPoint(IPAddress.Parse(c), 1)))));
    }

    [Theory]
    [InlineData(BalanceMethod.ConsistentHash, "3210 2130 1032 3210 1320 3021")]
    [InlineData(BalanceMethod.Hash, "0213 2103 3201 1203 2013 2031")]
    public async Task A_walk_goes_on_where_nginx_goes_on(BalanceMethod method, string expected)
    {
        var group = await _make.MakeAsync(Hashed(method, Variable("remote_addr"), Four));

        Assert.Equal(expected, string.Join(' ', Clients.Take(6).Select(c => Walk(group, new IPEndPoint(IPAddress.Parse(c), 1)))));
    }

    [Fact]
    public async Task A_key_may_have_several_variables_and_text()
    {
        ImmutableArray<TextPart> parts = [new("remote_addr", true), new(":", false), new("remote_port", true), new("@", false), new("server_addr", true), new("/", false), new("server_port", true)];
        var group = await _make.MakeAsync(Hashed(BalanceMethod.ConsistentHash, new TextTemplate("", parts), Four));
        var listener = new IPEndPoint(IPAddress.Parse("10.1.1.1"), 21);

        var picks = Enumerable.Range(5000, 16).Select(port => group.Choose(new ChoiceFacts(new IPEndPoint(Client.Address, port), listener)).TryNext()!.Index);

        Assert.Equal("1110230021001122", string.Concat(picks));
    }

    [Theory]
    [InlineData("remote_addr")]
    [InlineData("binary_remote_addr")]
    public async Task A_mapped_address_counts_as_ipv4(string variable)
    {
        var group = await _make.MakeAsync(Hashed(BalanceMethod.ConsistentHash, Variable(variable), Four));

        foreach (var client in Clients.Take(18).Select(IPAddress.Parse))
            Assert.Equal(Pick(group, new IPEndPoint(client, 1)), Pick(group, new IPEndPoint(client.MapToIPv6(), 1)));
    }

    [Theory]
    [InlineData(BalanceMethod.ConsistentHash)]
    [InlineData(BalanceMethod.Hash)]
    public async Task Only_the_clients_of_a_failed_server_move(BalanceMethod method)
    {
        var group = await _make.MakeAsync(Hashed(method, Variable("remote_addr"), Server(1), Server(2), Server(3)));
        var clients = Enumerable.Range(0, 300).Select(i => new IPEndPoint(new IPAddress([10, 1, (byte)(i / 256), (byte)i]), 1)).ToList();
        var before = clients.Select(c => Pick(group, c)).ToList();

        group.Servers[1].ReportFailure("refused");
        var during = clients.Select(c => Pick(group, c)).ToList();
        _make.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal('1', Pick(group, clients[before.IndexOf('1')]));
        group.Servers[1].ReportSuccess();
        var after = clients.Select(c => Pick(group, c)).ToList();

        Assert.DoesNotContain('1', during);
        Assert.All(before.Zip(during), p => Assert.True(p.First == '1' || p.First == p.Second));
        Assert.Equal(before, after);
    }

    [Theory]
    [InlineData(BalanceMethod.ConsistentHash)]
    [InlineData(BalanceMethod.Hash)]
    public async Task After_twenty_misses_round_robin_finds_the_last_server_and_then_the_backup(BalanceMethod method)
    {
        var down = Enumerable.Range(1, 99).Select(i => Server(i, 9) with { Down = true });
        var group = await _make.MakeAsync(Hashed(method, Variable("remote_addr"), [.. down, Server(100), Server(101) with { Backup = true }]));
        var choice = group.Choose(new ChoiceFacts(Client, Listener));

        Assert.Equal([99, 100], [choice.TryNext()!.Index, choice.TryNext()!.Index]);
        Assert.Null(choice.TryNext());
    }

    [Theory]
    [InlineData(BalanceMethod.ConsistentHash)]
    [InlineData(BalanceMethod.Hash)]
    public async Task A_full_server_hands_its_clients_on(BalanceMethod method)
    {
        var group = await _make.MakeAsync(Hashed(method, Variable("remote_addr"), [.. Four.Select(s => s with { MaxConnections = 1 })]));

        var servers = Enumerable.Range(0, 4).Select(_ => group.Choose(new ChoiceFacts(Client, Listener)).TryNext()!.Index).ToList();

        Assert.Equal([0, 1, 2, 3], servers.Order());
        Assert.Equal('-', Pick(group));
    }

    [Theory]
    [InlineData(BalanceMethod.ConsistentHash)]
    [InlineData(BalanceMethod.Hash)]
    public async Task An_empty_key_is_balanced_by_round_robin(BalanceMethod method)
    {
        var group = await _make.MakeAsync(Hashed(method, new TextTemplate("", []), Server(1), Server(2)));

        Assert.Equal("0101", Picks(group, 4));
    }

    [Fact]
    public async Task The_addresses_of_one_name_share_its_place_on_the_ring()
    {
        _make.Names["ftp.example.net"] = [IPAddress.Parse("10.9.9.1"), IPAddress.Parse("10.9.9.2")];
        var two = await _make.MakeAsync(Hashed(BalanceMethod.ConsistentHash, Variable("remote_addr"), Four));
        var client = new IPEndPoint(IPAddress.Parse("192.168.40.91"), 1);

        // The name is the third line, so its addresses are the servers 2 and 3; golden: the client's is the name.
        Assert.Equal("2323", string.Concat(Enumerable.Range(0, 4).Select(_ => Pick(two, client))));
    }

    [Fact]
    public void The_ring_has_160_points_for_each_unit_of_weight_and_closes()
    {
        var ring = new KetamaRing([("192.168.40.91:21", 160), ("192.168.40.92:21", 480), ("ftp.example.net:2121", 320), ("[2001:db8::5]:21", 160)]);

        Assert.Equal(1120, ring.Count);
        Assert.Equal((0, 0, 1), (ring.Find(0), ring.Find(0x141a35), ring.Find(0x141a36)));
        Assert.Equal((1119, 1120), (ring.Find(0xff965230), ring.Find(0xff965231)));
        Assert.Equal((3, 1, 3), (ring.OwnerAt(0), ring.OwnerAt(1119), ring.OwnerAt(1120)));
    }

    [Fact]
    public void Of_equal_points_the_first_owner_keeps_the_point()
    {
        var ring = new KetamaRing([("a:1", 160), ("a:1", 320), ("b:1", 160)]);

        Assert.Equal(160 * 3, ring.Count);
        Assert.Equal(160, Enumerable.Range(0, ring.Count).Count(i => ring.OwnerAt((uint)i) == 0));
        Assert.Equal(160, Enumerable.Range(0, ring.Count).Count(i => ring.OwnerAt((uint)i) == 1));
    }
}
