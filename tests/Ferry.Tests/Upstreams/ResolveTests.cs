using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.Config;
using Ferry.Upstreams;
using static Ferry.Tests.Upstreams.GroupBuilder;

namespace Ferry.Tests.Upstreams;

public sealed class ResolveTests
{
    private static readonly UpstreamServerConfig Named = new("ftp.example.com", 21) { Resolve = true, Text = "ftp.example.com" };

    private readonly GroupBuilder _make = new();
    private LineAnswer _answer = Answer(10);
    private int _asked;

    private static ServerPlace Place(string address, UpstreamServerConfig? line = null) => new(line ?? Named, new IPEndPoint(IPAddress.Parse(address), 21), true);

    private static LineAnswer Answer(int seconds, params string[] addresses) => new([.. addresses.Select(a => Place(a))], TimeSpan.FromSeconds(seconds), null);

    private static LineAnswer Failed(string why) => new([], TimeSpan.Zero, why);

    private Task<UpstreamGroupResult> TryMakeAsync(UpstreamConfig config, UpstreamGroup? previous = null) =>
        UpstreamGroup.CreateAsync(config, static (_, _) => throw new SocketException(), Find, _make.Time, previous, _make, CancellationToken.None);

    private async Task<UpstreamGroup> MakeAsync(LineAnswer answer, params UpstreamServerConfig[] others)
    {
        _answer = answer;
        var result = await TryMakeAsync(Block([Named, .. others]));
        Assert.Empty(result.Errors);
        return result.Group!;
    }

    private Task<LineAnswer> Find(UpstreamServerConfig line, CancellationToken ct)
    {
        _asked++;
        return Task.FromResult(_answer);
    }

    private void Pass(UpstreamGroup group, int seconds, LineAnswer answer)
    {
        _answer = answer;
        _make.Time.Advance(TimeSpan.FromSeconds(seconds));
        group.Sweep(_make.Time.GetTimestamp());
    }

    private static string Addresses(UpstreamGroup group) => string.Join(' ', group.Servers.Select(s => s.EndPoint.Address));

    [Fact]
    public async Task A_name_is_asked_for_again_when_its_answer_is_out_of_date_and_not_before()
    {
        var group = await MakeAsync(Answer(30, "10.0.0.1", "10.0.0.2"));
        Assert.Equal(("10.0.0.1 10.0.0.2", 1), (Addresses(group), _asked));

        Pass(group, 29, Answer(30, "10.0.0.2", "10.0.0.3"));
        Assert.Equal(("10.0.0.1 10.0.0.2", 1), (Addresses(group), _asked));
        Pass(group, 1, _answer);

        Assert.Equal(("10.0.0.2 10.0.0.3", 2), (Addresses(group), _asked));
        Assert.Equal((322, "upstream \"files\": name ftp.example.com has other addresses now: 10.0.0.2:21, 10.0.0.3:21"), (_make.Said[0].Id, _make.Said[0].Text));
    }

    [Fact]
    public async Task A_server_that_stays_keeps_its_counts_and_its_sessions()
    {
        var group = await MakeAsync(Answer(10, "10.0.0.1", "10.0.0.2"));
        var (first, second) = (group.Choose(new ChoiceFacts(Client, Listener)).TryNext()!, group.Choose(new ChoiceFacts(Client, Listener)).TryNext()!);

        Pass(group, 10, Answer(10, "10.0.0.9", "10.0.0.2"));

        Assert.Equal([1, 0], group.Servers.Select(s => s.Sessions));
        Assert.Equal("10.0.0.1", first.EndPoint.Address.ToString());
        first.Release();
        second.Release();
        Assert.All(group.Servers, s => Assert.Equal(0, s.Sessions));
        Assert.Contains("10.0.0.1:21) is empty", Assert.Single(_make.Said, s => s.Id == 320).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_walk_that_began_before_does_not_come_to_an_address_that_is_gone()
    {
        var group = await MakeAsync(Answer(10, "10.0.0.1", "10.0.0.2"));
        var walk = group.Choose(new ChoiceFacts(Client, Listener));
        Assert.Equal("10.0.0.1", walk.TryNext()!.EndPoint.Address.ToString());

        Pass(group, 10, Answer(10, "10.0.0.1", "10.0.0.3"));

        Assert.Null(walk.TryNext());
    }

    [Fact]
    public async Task The_same_addresses_in_another_order_change_nothing()
    {
        var group = await MakeAsync(Answer(10, "10.0.0.1", "10.0.0.2"));
        var set = group.Set;

        Pass(group, 10, Answer(10, "10.0.0.2", "10.0.0.1"));

        Assert.Equal(2, _asked);
        Assert.Same(set, group.Set);
    }

    [Fact]
    public async Task While_resolution_fails_the_addresses_stay_and_it_is_told_once()
    {
        var group = await MakeAsync(Answer(10, "10.0.0.1"));

        Pass(group, 10, Failed("no name server answered"));
        Pass(group, 4, _answer);
        Assert.Equal(2, _asked);
        Pass(group, 1, _answer);
        Pass(group, 5, _answer);
        Assert.Equal((4, "10.0.0.1"), (_asked, Addresses(group)));
        Assert.Equal((323, "upstream \"files\": name ftp.example.com cannot be resolved: no name server answered; its 1 known address(es) stay in use"), (Assert.Single(_make.Said).Id, _make.Said[0].Text));

        Pass(group, 5, Answer(10, "10.0.0.2"));
        Assert.Equal("10.0.0.2", Addresses(group));
    }

    [Fact]
    public async Task A_name_that_is_gone_takes_its_servers_along_and_comes_back_with_them()
    {
        var group = await MakeAsync(Answer(10, "10.0.0.1"));

        Pass(group, 10, Answer(1));
        Assert.Equal('-', Pick(group));
        Assert.Equal([324, 320], _make.Said.Select(s => s.Id));
        Pass(group, 4, Answer(10, "10.0.0.1"));
        Assert.Equal('-', Pick(group));
        Pass(group, 1, _answer);

        Assert.Equal('0', Pick(group));
    }

    [Fact]
    public async Task Addresses_of_a_family_that_could_not_be_asked_for_stay()
    {
        var group = await MakeAsync(Answer(10, "10.0.0.1", "2001:db8::1"));

        Pass(group, 10, Answer(10, "10.0.0.2") with { Unanswered = [("ftp.example.com", AddressFamily.InterNetworkV6)] });

        Assert.Equal("2001:db8::1 10.0.0.2", Addresses(group));
    }

    [Fact]
    public async Task A_new_address_begins_slowly_and_one_that_stays_does_not()
    {
        var slow = Named with { SlowStart = TimeSpan.FromSeconds(100) };
        _answer = new LineAnswer([Place("10.0.0.1", slow)], TimeSpan.FromSeconds(10), null);
        var group = (await TryMakeAsync(Block(slow))).Group!;

        Pass(group, 10, new LineAnswer([Place("10.0.0.1", slow), Place("10.0.0.2", slow)], TimeSpan.FromSeconds(1000), null));

        Assert.InRange(Picks(group, 100).Count(c => c == '1'), 0, 1);
        Pass(group, 100, _answer);
        Assert.Equal(50, Picks(group, 100).Count(c => c == '1'));
    }

    [Fact]
    public async Task A_name_that_cannot_be_resolved_at_the_start_is_a_warning_and_comes_later()
    {
        _answer = Failed("no name server answered");
        var result = await TryMakeAsync(Block(Named));
        Assert.Empty(result.Errors);
        Assert.Equal("name ftp.example.com cannot be resolved yet: no name server answered; it is asked for again while Ferry runs", Assert.Single(result.Warnings).Message);
        Assert.Equal('-', Pick(result.Group!));

        Pass(result.Group!, 5, Answer(10, "10.0.0.1"));

        Assert.Equal('0', Pick(result.Group!));
    }

    [Fact]
    public async Task A_hash_without_servers_has_nobody_to_give()
    {
        _answer = Failed("no name server answered");
        foreach (var method in new[] { BalanceMethod.Hash, BalanceMethod.ConsistentHash })
        {
            var group = (await TryMakeAsync(Hashed(method, Variable("remote_addr"), Named))).Group!;
            Assert.Equal('-', Pick(group));
        }
    }

    [Fact]
    public async Task A_reload_while_resolution_fails_keeps_what_was_known()
    {
        var before = await MakeAsync(Answer(10, "10.0.0.1"));
        _answer = Failed("no name server answered");

        var result = await TryMakeAsync(Block(Named with { Weight = 7 }), before);

        Assert.Empty(result.Warnings);
        Assert.Equal(("10.0.0.1", 7), (Addresses(result.Group!), result.Group!.Servers[0].Config.Weight));
    }

    [Fact]
    public async Task Those_who_wait_get_a_place_on_a_server_that_is_new()
    {
        _answer = Answer(10, "10.0.0.1");
        var narrow = Named with { MaxConnections = 1 };
        _answer = new LineAnswer([Place("10.0.0.1", narrow)], TimeSpan.FromSeconds(10), null);
        var group = (await TryMakeAsync(Block(narrow) with { QueueLength = 5 })).Group!;
        group.Choose(new ChoiceFacts(Client, Listener)).TryNext();
        var waiting = group.Choose(new ChoiceFacts(Client, Listener)).WaitAsync(CancellationToken.None).AsTask();
        Assert.False(waiting.IsCompleted);

        Pass(group, 10, new LineAnswer([Place("10.0.0.1", narrow), Place("10.0.0.2", narrow)], TimeSpan.FromSeconds(10), null));

        Assert.Equal("10.0.0.2", (await waiting)!.EndPoint.Address.ToString());
    }

    [Fact]
    public async Task A_retired_group_asks_no_more()
    {
        var group = await MakeAsync(Answer(10, "10.0.0.1"));

        group.Retire();
        Pass(group, 100, Answer(10, "10.0.0.2"));

        Assert.Equal((1, "10.0.0.1"), (_asked, Addresses(group)));
    }

    [Fact]
    public async Task More_weight_than_a_ring_holds_leaves_the_servers_as_they_are()
    {
        _answer = Answer(10, "10.0.0.1");
        var group = (await TryMakeAsync(Hashed(BalanceMethod.ConsistentHash, Variable("remote_addr"), Named))).Group!;
        var heavy = Named with { Weight = 60_000 };

        Pass(group, 10, new LineAnswer([Place("10.0.0.1", heavy), Place("10.0.0.2", heavy)], TimeSpan.FromSeconds(10), null));

        Assert.Equal("10.0.0.1", Addresses(group));
        Assert.Equal(323, Assert.Single(_make.Said).Id);
    }
}
