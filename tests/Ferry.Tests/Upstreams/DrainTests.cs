using System.Linq;
using Ferry.Upstreams;
using static Ferry.Tests.Upstreams.GroupBuilder;

namespace Ferry.Tests.Upstreams;

public sealed class DrainTests
{
    private readonly GroupBuilder _make = new();

    [Fact]
    public async Task A_server_that_drains_gets_no_new_session()
    {
        var group = await _make.MakeAsync(Server(1) with { Drain = true }, Server(2));

        Assert.Equal("1111", Picks(group, 4));
        Assert.Equal("1", Walk(group));
    }

    [Fact]
    public async Task The_last_session_of_a_server_that_a_reload_drains_or_removes_is_told()
    {
        var before = await _make.MakeAsync(Server(1), Server(2), Server(3));
        before.EnterForce(null);
        var (first, second) = (before.Choose(new ChoiceFacts(Client, Listener)).TryNext()!, before.Choose(new ChoiceFacts(Client, Listener)).TryNext()!);
        var group = await _make.MakeAsync(Block(Server(1) with { Drain = true }, Server(3)), before);
        Assert.Equal(("10.0.0.1:21", "10.0.0.2:21"), (first.Name, second.Name));

        group.EnterForce(before);
        Assert.Empty(_make.Said);
        first.Release();
        second.Release();

        Assert.Equal([320, 320], _make.Said.Select(s => s.Id));
        Assert.Contains("10.0.0.1:21 is empty", _make.Said[0].Text, StringComparison.Ordinal);
        Assert.Contains("10.0.0.2:21 is empty", _make.Said[1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_empty_already_when_it_is_drained_is_told_at_once()
    {
        var before = await _make.MakeAsync(Server(1), Server(2));
        before.EnterForce(null);
        Picks(before, 2);
        var group = await _make.MakeAsync(Block(Server(1) with { Down = true }, Server(2)), before);

        group.EnterForce(before);

        Assert.Equal(320, Assert.Single(_make.Said).Id);
    }
}
