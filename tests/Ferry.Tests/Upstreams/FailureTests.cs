using Ferry.Upstreams;
using Microsoft.Extensions.Logging;
using static Ferry.Tests.Upstreams.GroupBuilder;

namespace Ferry.Tests.Upstreams;

public sealed class FailureTests
{
    private readonly GroupBuilder _make = new();

    [Fact]
    public async Task A_failed_server_is_left_alone_for_its_fail_timeout()
    {
        var group = await _make.MakeAsync(Server(1), Server(2));

        group.Servers[0].ReportFailure("refused");

        Assert.Equal("111", Picks(group, 3));
        _make.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("111", Picks(group, 3));
        _make.Time.Advance(TimeSpan.FromTicks(1));
        Assert.Contains('0', Picks(group, 2));
    }

    [Fact]
    public async Task One_session_tries_a_failed_server_again_and_its_success_clears_the_failures()
    {
        var group = await _make.MakeAsync(Server(1), Server(2) with { Backup = true });
        var server = group.Servers[0];
        server.ReportFailure("refused");
        _make.Time.Advance(TimeSpan.FromSeconds(11));

        Assert.Equal("0", Picks(group, 1));
        Assert.Equal("11", Picks(group, 2));
        server.ReportSuccess();
        Assert.Equal("00", Picks(group, 2));
        Assert.Equal(1, server.Failures);
    }

    [Fact]
    public async Task A_failure_of_the_session_that_tries_again_makes_the_server_wait_as_long_again()
    {
        var group = await _make.MakeAsync(Server(1), Server(2) with { Backup = true });
        group.Servers[0].ReportFailure("refused");
        _make.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal('0', Pick(group));
        _make.Time.Advance(TimeSpan.FromSeconds(5));

        group.Servers[0].ReportFailure("refused");

        _make.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal('1', Pick(group));
        _make.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal('0', Pick(group));
    }

    [Fact]
    public async Task Success_of_a_session_that_was_older_than_the_failure_clears_nothing()
    {
        var group = await _make.MakeAsync(Server(1), Server(2));
        var older = group.Choose(new ChoiceFacts(Client, Listener)).TryNext()!;

        older.ReportFailure("refused");
        older.ReportSuccess();

        Assert.Equal("11", Picks(group, 2));
    }

    [Fact]
    public async Task A_greeting_does_not_make_good_what_failed_on_data()
    {
        var group = await _make.MakeAsync(Server(1), Server(2) with { Backup = true });
        var server = group.Servers[0];
        server.ReportFailure("its data port is closed", isOfData: true);
        _make.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal('0', Pick(group));

        server.ReportSuccess();
        Assert.Equal('1', Pick(group));
        server.ReportSuccess(isOfData: true);
        Assert.Equal('0', Pick(group));
    }

    [Fact]
    public async Task Data_that_flows_makes_nothing_good_that_failed_elsewhere()
    {
        var group = await _make.MakeAsync(Server(1), Server(2) with { Backup = true });
        group.Servers[0].ReportFailure("refused");
        _make.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal('0', Pick(group));

        group.Servers[0].ReportSuccess(isOfData: true);

        Assert.Equal('1', Pick(group));
    }

    [Fact]
    public async Task A_server_that_has_recovered_starts_slowly()
    {
        var group = await _make.MakeAsync(Server(1) with { SlowStart = TimeSpan.FromSeconds(30) }, Server(2));
        var server = group.Servers[0];
        Assert.Null(server.Tally.RisingSince);
        server.ReportFailure("refused");
        _make.Time.Advance(TimeSpan.FromSeconds(11));
        Picks(group, 2);
        _make.Time.Advance(TimeSpan.FromSeconds(1));

        server.ReportSuccess();

        Assert.Equal(_make.Time.GetTimestamp(), server.Tally.RisingSince);
    }

    [Fact]
    public async Task As_many_failures_as_max_fails_make_a_server_unavailable()
    {
        var group = await _make.MakeAsync(Server(1) with { MaxFails = 3 }, Server(2));
        bool Available() => group.Servers[0].IsAvailable(_make.Time.GetTimestamp());

        group.Servers[0].ReportFailure("refused");
        group.Servers[0].ReportFailure("refused");
        Assert.True(Available());
        group.Servers[0].ReportFailure("refused");
        Assert.False(Available());
    }

    [Fact]
    public async Task Failures_before_a_success_after_the_window_no_longer_count()
    {
        var group = await _make.MakeAsync(Server(1) with { MaxFails = 2 }, Server(2) with { Down = true });
        group.Servers[0].ReportFailure("refused");
        _make.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal('0', Pick(group));
        group.Servers[0].ReportSuccess();

        group.Servers[0].ReportFailure("refused");

        Assert.True(group.Servers[0].IsAvailable(_make.Time.GetTimestamp()));
    }

    [Fact]
    public async Task A_max_fails_of_0_never_gives_a_server_up()
    {
        var group = await _make.MakeAsync(Server(1) with { MaxFails = 0 }, Server(2) with { Down = true });

        for (var i = 0; i < 50; i++)
            group.Servers[0].ReportFailure("refused");

        Assert.Equal('0', Pick(group));
        Assert.Equal(50, group.Servers[0].Failures);
    }

    [Fact]
    public async Task The_only_server_is_never_given_up()
    {
        var group = await _make.MakeAsync(Server(1));

        group.Servers[0].ReportFailure("refused");

        Assert.Equal('0', Pick(group));
        Assert.Empty(_make.Said);
    }

    [Fact]
    public async Task Nothing_is_left_when_all_have_failed()
    {
        var group = await _make.MakeAsync(Server(1), Server(2));
        foreach (var server in group.Servers)
            server.ReportFailure("refused");

        Assert.Equal('-', Pick(group));
    }

    [Fact]
    public async Task A_failure_lowers_the_weight_which_grows_back_pick_by_pick()
    {
        var group = await _make.MakeAsync(Server(1, 4) with { MaxFails = 2 }, Server(2, 4));

        group.Servers[0].ReportFailure("refused");

        // Effective weights 2:4, 3:4, 4:4 by NGINX's rule: turns 2,4>1 | 5,2>0 | 2,6>1 | 6,2>0.
        Assert.Equal("1010", Picks(group, 4));
        group.Servers[0].ReportFailure("refused");
        _make.Time.Advance(TimeSpan.FromSeconds(11));
        // 2:4, 3:4, 4:4 again: 0,6>1 | 3,4>1 | 7,1>0, and from then on it is being tried, so the other has all.
        Assert.Equal("110111", Picks(group, 6));
    }

    [Fact]
    public async Task The_log_says_when_a_server_goes_is_tried_and_comes_back()
    {
        var group = await _make.MakeAsync(Server(1) with { MaxFails = 2, FailTimeout = TimeSpan.FromSeconds(30) }, Server(2) with { Backup = true });
        var server = group.Servers[0];

        server.ReportFailure("it is tired");
        server.ReportFailure("it is away");
        server.ReportFailure("it is silent");
        _make.Time.Advance(TimeSpan.FromSeconds(31));
        Picks(group, 3);
        server.ReportSuccess();
        server.ReportSuccess();

        Assert.Equal(
            [
                (340, LogLevel.Information, "upstream \"files\": server 10.0.0.1:21 has failed a session (1 of 2): it is tired"),
                (340, LogLevel.Information, "upstream \"files\": server 10.0.0.1:21 has failed a session (2 of 2): it is away"),
                (300, LogLevel.Warning, "upstream \"files\": server 10.0.0.1:21 is unavailable for 30 s after 2 failure(s)"),
                (340, LogLevel.Information, "upstream \"files\": server 10.0.0.1:21 has failed a session (3 of 2): it is silent"),
                (301, LogLevel.Information, "upstream \"files\": server 10.0.0.1:21 is tried again"),
                (302, LogLevel.Information, "upstream \"files\": server 10.0.0.1:21 is available again"),
            ],
            _make.Said);
    }
}
