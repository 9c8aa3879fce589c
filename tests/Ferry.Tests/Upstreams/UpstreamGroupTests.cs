using System.Linq;
using System.Net;
using Ferry.Config;
using Ferry.Upstreams;
using Microsoft.Extensions.Logging.Abstractions;
using static Ferry.Tests.Upstreams.GroupBuilder;

namespace Ferry.Tests.Upstreams;

public sealed class UpstreamGroupTests
{
    private readonly GroupBuilder _make = new();

    [Fact]
    public async Task Every_address_of_a_name_is_a_server_with_the_parameters_of_the_line()
    {
        _make.Names["ftp.example.net"] = [IPAddress.Parse("10.9.9.1"), IPAddress.Parse("2001:db8::7"), IPAddress.Parse("::ffff:10.9.9.1")];
        var line = new UpstreamServerConfig("ftp.example.net", 2121) { Weight = 2, MaxConnections = 5 };

        var group = await _make.MakeAsync(Server(1), line);

        Assert.Equal(["10.0.0.1:21", "ftp.example.net:2121 (10.9.9.1:2121)", "ftp.example.net:2121 ([2001:db8::7]:2121)"], group.Servers.Select(s => s.Name));
        Assert.All(group.Servers.Skip(1), s => Assert.Same(line, s.Config));
        Assert.Equal("12012", Picks(group, 5));
    }

    [Fact]
    public async Task Every_name_that_does_not_resolve_is_an_error_at_its_line()
    {
        _make.Names["empty.example.net"] = [];
        var first = new UpstreamServerConfig("no.example.net", 21) { Position = new ConfigPosition("ferry.conf", 7, 16), Text = "no.example.net:21" };
        var second = new UpstreamServerConfig("empty.example.net", 21) { Position = new ConfigPosition("ferry.conf", 9, 16) };

        var result = await _make.TryMakeAsync(Block(Server(1), first, second));

        Assert.Null(result.Group);
        Assert.Equal([first.Position, second.Position], result.Errors.Select(e => e.Position));
        Assert.All(result.Errors, e => Assert.Equal(ConfigSeverity.Error, e.Severity));
        Assert.Contains("\"no.example.net\" cannot be resolved", result.Errors[0].Message, StringComparison.Ordinal);
        Assert.Equal(17, result.Errors[0].Length);
    }

    [Fact]
    public async Task A_resolver_that_hangs_is_given_up()
    {
        var making = UpstreamGroup.CreateAsync(
            Block(new UpstreamServerConfig("slow.example.net", 21)), (_, _) => Asked(), _make.Time, null, NullLogger.Instance, CancellationToken.None);
        await _asked.Task;

        _make.Time.Advance(ServerAddresses.Limit);

        Assert.Contains("no answer within 30 s", Assert.Single((await making).Errors).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_gives_up_is_told_so()
    {
        using var stop = new CancellationTokenSource();
        var making = UpstreamGroup.CreateAsync(
            Block(new UpstreamServerConfig("slow.example.net", 21)), (_, _) => Asked(), _make.Time, null, NullLogger.Instance, stop.Token);
        await _asked.Task;

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => making);
    }

    [Fact]
    public async Task Sessions_and_failures_survive_a_reload()
    {
        var old = await _make.MakeAsync(Server(1), Server(2), Server(3));
        var held = old.Choose(new ChoiceFacts(Client, Listener)).TryNext()!;
        old.Servers[1].ReportFailure();

        var renewed = await _make.MakeAsync(Block(Server(3), Server(2), Server(1) with { MaxConnections = 1 }, Server(4)), old);

        Assert.Equal([0, 0, 1, 0], renewed.Servers.Select(s => s.Sessions));
        Assert.Equal([0L, 1, 0, 0], renewed.Servers.Select(s => s.Failures));
        Assert.Equal("0303", Picks(renewed, 4));
        held.Release();
        Assert.Equal(0, renewed.Servers[2].Sessions);
        Assert.Contains('2', Picks(renewed, 3));
    }

    [Fact]
    public async Task An_address_that_moved_to_another_name_is_another_server()
    {
        _make.Names["a.example.net"] = _make.Names["b.example.net"] = [IPAddress.Parse("10.9.9.1")];
        var old = await _make.MakeAsync(new UpstreamServerConfig("a.example.net", 21));
        old.Servers[0].ReportFailure();

        var renewed = await _make.MakeAsync(Block(new UpstreamServerConfig("b.example.net", 21), new("a.example.net", 21)), old);

        Assert.Equal([0L, 1], renewed.Servers.Select(s => s.Failures));
    }

    [Fact]
    public async Task A_server_that_is_written_twice_keeps_both_counts()
    {
        var old = await _make.MakeAsync(Server(1), Server(1));
        old.Servers[1].ReportFailure();

        var renewed = await _make.MakeAsync(Block(Server(1), Server(1)), old);

        Assert.Equal([0L, 1], renewed.Servers.Select(s => s.Failures));
    }

    [Fact]
    public async Task What_code_got_wrong_is_an_error_and_no_exception()
    {
        var wrong = Block(Server(1, 0), new UpstreamServerConfig("10.0.0.2", 70_000), Server(3) with { MaxFails = -1 });
        var noKey = Block(Server(1)) with { Balance = BalanceMethod.Hash };
        var strange = Hashed(BalanceMethod.Hash, Variable("bytes_sent"), Server(1));
        var sticky = Block(Server(1)) with { Sticky = new StickyConfig(Variable("status")) { Timeout = TimeSpan.Zero, Prefix4 = 33 } };
        var heavy = Hashed(BalanceMethod.ConsistentHash, Variable("remote_addr"), Server(1, int.MaxValue), Server(2, int.MaxValue));

        Assert.Equal(3, (await _make.TryMakeAsync(wrong)).Errors.Length);
        Assert.Contains("no server that is not \"backup\"", Message(await _make.TryMakeAsync(Block(Server(1) with { Backup = true }))), StringComparison.Ordinal);
        Assert.Contains("has no key", Message(await _make.TryMakeAsync(noKey)), StringComparison.Ordinal);
        Assert.Contains("$bytes_sent", Message(await _make.TryMakeAsync(strange)), StringComparison.Ordinal);
        Assert.Equal(3, (await _make.TryMakeAsync(sticky)).Errors.Length);
        Assert.Contains("more than 65536", Message(await _make.TryMakeAsync(heavy)), StringComparison.Ordinal);
    }

    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static string Message(UpstreamGroupResult result) => Assert.Single(result.Errors).Message;

    private async Task<IPAddress[]> Asked()
    {
        _asked.SetResult();
        await Task.Delay(Timeout.Infinite, CancellationToken.None);
        return [];
    }
}
