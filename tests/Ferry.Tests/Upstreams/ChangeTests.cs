using System.Linq;
using Ferry.Config;
using Ferry.Upstreams;
using static Ferry.Tests.Upstreams.GroupBuilder;

namespace Ferry.Tests.Upstreams;

public sealed class ChangeTests
{
    private readonly GroupBuilder _make = new();

    private static UpstreamChangeStatus Do(UpstreamGroup group, LinesChange change) => group.TryChange(change, null).Status;

    private static UpstreamChangeStatus Set(UpstreamGroup group, string server, UpstreamServerMode? mode = null, int? weight = null, int? most = null) =>
        Do(group, UpstreamGroup.Change(server, new UpstreamServerChange { Mode = mode, Weight = weight, MaxConnections = most }));

    [Fact]
    public async Task A_server_that_is_added_gets_its_turn_and_one_that_is_removed_none()
    {
        var group = await _make.MakeAsync(Server(1), Server(2));
        var running = group.Choose(new ChoiceFacts(Client, Listener)).TryNext()!;

        Assert.Equal(UpstreamChangeStatus.Done, Do(group, UpstreamGroup.Add(Server(3), null)));
        Assert.Equal("120", Picks(group, 3));
        Assert.Equal(UpstreamChangeStatus.Done, Do(group, UpstreamGroup.Remove("10.0.0.1:21")));

        Assert.Equal("0101", Picks(group, 4));
        Assert.Equal(["10.0.0.2:21", "10.0.0.3:21"], group.Servers.Select(s => s.Name));
        Assert.DoesNotContain(_make.Said, s => s.Id == 320);
        running.Release();
        Assert.Contains("10.0.0.1:21 is empty", Assert.Single(_make.Said, s => s.Id == 320).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_drained_server_gets_no_new_session_and_is_told_empty_and_comes_back()
    {
        var group = await _make.MakeAsync(Server(1), Server(2));
        var running = group.Choose(new ChoiceFacts(Client, Listener)).TryNext()!;

        Assert.Equal(UpstreamChangeStatus.Done, Set(group, "10.0.0.1:21", UpstreamServerMode.Drain));
        Assert.Equal("1111", Picks(group, 4));
        Assert.Equal((UpstreamServerState.Draining, 1), (State(group, 0), group.Servers[0].Sessions));
        running.Release();
        Assert.Equal(0, group.Servers[0].Sessions);
        Assert.Single(_make.Said, s => s.Id == 320);

        Assert.Equal(UpstreamChangeStatus.Done, Set(group, "10.0.0.1:21", UpstreamServerMode.Up));
        Assert.Equal(2, Picks(group, 4).Count(c => c == '0'));
        Assert.Equal(UpstreamServerState.Up, State(group, 0));
    }

    private UpstreamServerState State(UpstreamGroup group, int index) => group.Servers[index].StateAt(_make.Time.GetTimestamp());

    [Fact]
    public async Task A_walk_that_has_begun_does_not_come_to_a_server_that_is_put_down_meanwhile()
    {
        var group = await _make.MakeAsync(Server(1), Server(2));
        var walk = group.Choose(new ChoiceFacts(Client, Listener));
        Assert.Equal(0, walk.TryNext()!.Index);

        Set(group, "10.0.0.2:21", UpstreamServerMode.Down);

        Assert.Null(walk.TryNext());
        Assert.Equal(UpstreamServerState.Down, State(group, 1));
    }

    [Fact]
    public async Task A_weight_acts_at_once_and_turns_go_on_where_they_were()
    {
        var group = await _make.MakeAsync(Server(1), Server(2));
        Assert.Equal("0", Picks(group, 1));

        Set(group, "10.0.0.1:21", weight: 3);

        Assert.Equal("0100" + "0100", Picks(group, 8));
    }

    [Fact]
    public async Task A_limit_that_is_raised_serves_those_who_wait()
    {
        var group = await _make.MakeAsync(Block(Server(1) with { MaxConnections = 1 }) with { QueueLength = 3 });
        group.Choose(new ChoiceFacts(Client, Listener)).TryNext();
        var waiting = group.Choose(new ChoiceFacts(Client, Listener)).WaitAsync(CancellationToken.None).AsTask();
        Assert.False(waiting.IsCompleted);

        Set(group, "10.0.0.1:21", most: 2);

        Assert.Equal(2, (await waiting)!.Sessions);
    }

    [Fact]
    public async Task A_server_that_is_added_or_put_up_begins_slowly()
    {
        var slow = TimeSpan.FromSeconds(100);
        var group = await _make.MakeAsync(Server(1) with { SlowStart = slow }, Server(2) with { SlowStart = slow });
        Set(group, "10.0.0.1:21", UpstreamServerMode.Down);
        Set(group, "10.0.0.1:21", UpstreamServerMode.Up);
        Do(group, UpstreamGroup.Add(Server(3) with { SlowStart = slow }, null));

        Assert.Equal([UpstreamServerState.SlowStart, UpstreamServerState.Up, UpstreamServerState.SlowStart], Enumerable.Range(0, 3).Select(i => State(group, i)));
        Assert.InRange(Picks(group, 100).Count(c => c == '1'), 98, 100);
        _make.Time.Advance(TimeSpan.FromSeconds(101));
        Assert.Equal("012".Order(), Picks(group, 3).Order());
    }

    [Fact]
    public async Task What_cannot_be_is_refused_and_changes_nothing()
    {
        var group = await _make.MakeAsync(Server(1), Server(2) with { Text = "10.0.0.2" }, Server(3) with { Backup = true });
        var set = group.Set;

        Assert.Equal(UpstreamChangeStatus.Duplicate, Do(group, UpstreamGroup.Add(Server(2) with { Text = "10.0.0.2:21" }, null)));
        Assert.Equal(UpstreamChangeStatus.UnknownServer, Do(group, UpstreamGroup.Remove("10.0.0.9:21")));
        Assert.Equal(UpstreamChangeStatus.UnknownServer, Set(group, "10.0.0.2:22", UpstreamServerMode.Down));
        Assert.Equal("upstream \"files\" has no server 10.0.0.1:22; did you mean \"10.0.0.1:21\"?", group.TryChange(UpstreamGroup.Remove("10.0.0.1:22"), null).Message);
        Assert.Same(set, group.Set);
        Assert.Equal(UpstreamChangeStatus.Done, Do(group, UpstreamGroup.Remove("10.0.0.2")));
        Assert.Equal(UpstreamChangeStatus.LastServer, Do(group, UpstreamGroup.Remove("10.0.0.1:21")));
    }

    [Fact]
    public async Task What_the_method_does_not_allow_is_refused()
    {
        var group = await _make.MakeAsync(Hashed(BalanceMethod.ConsistentHash, Variable("remote_addr"), Server(1)));

        Assert.Equal(UpstreamChangeStatus.Invalid, Do(group, UpstreamGroup.Add(Server(2) with { Backup = true }, null)));
        Assert.Equal(UpstreamChangeStatus.Invalid, Do(group, UpstreamGroup.Add(Server(2) with { SlowStart = TimeSpan.FromSeconds(1) }, null)));
        Assert.Equal(UpstreamChangeStatus.Done, Set(group, "10.0.0.1:21", weight: 60_000));
        Assert.Equal(UpstreamChangeStatus.Invalid, Do(group, UpstreamGroup.Add(Server(2, 6000), null)));
        Assert.Single(group.Servers);
    }

    [Fact]
    public async Task What_cannot_be_kept_is_not_done()
    {
        var group = await _make.MakeAsync(Server(1), Server(2));

        var result = group.TryChange(UpstreamGroup.Remove("10.0.0.1:21"), static _ => "the disk is full");

        Assert.Equal(new UpstreamChangeResult(UpstreamChangeStatus.NotSaved, "the disk is full"), result);
        Assert.Equal(2, group.Servers.Length);
    }

    [Fact]
    public async Task A_reload_takes_changes_back_and_says_so()
    {
        var before = await _make.MakeAsync(Server(1), Server(2));
        Set(before, "10.0.0.1:21", UpstreamServerMode.Drain);

        var group = await _make.MakeAsync(Block(Server(1), Server(2)), before);
        group.EnterForce(before);

        Assert.Equal("01", string.Concat(Picks(group, 2).Order()));
        Assert.Single(_make.Said, s => s.Id == 327);
    }

    [Fact]
    public async Task Sessions_choose_while_servers_change_and_every_count_is_right()
    {
        var group = await _make.MakeAsync(Server(1), Server(2), Server(3));
        var isOver = false;
        var sessions = Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            var count = 0;
            while (!Volatile.Read(ref isOver) || count == 0)
            {
                group.Choose(new ChoiceFacts(Client, Listener)).TryNext()!.Release();
                count++;
            }
            return count;
        })).ToArray();

        for (var i = 0; i < 500; i++)
        {
            Do(group, UpstreamGroup.Add(Server(4), null));
            Set(group, "10.0.0.2:21", i % 2 == 0 ? UpstreamServerMode.Down : UpstreamServerMode.Up, i % 7 + 1);
            Do(group, UpstreamGroup.Remove("10.0.0.4:21"));
        }
        Volatile.Write(ref isOver, true);

        Assert.All(await Task.WhenAll(sessions), c => Assert.True(c > 0));
        Assert.Equal(3, group.Servers.Length);
        Assert.All(group.Servers, s => Assert.Equal(0, s.Sessions));
    }
}
