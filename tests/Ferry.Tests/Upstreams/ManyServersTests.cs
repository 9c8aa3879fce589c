using System.Linq;
using System.Runtime.CompilerServices;
using Ferry.Config;
using Ferry.Upstreams;
using static Ferry.Tests.Upstreams.GroupBuilder;

namespace Ferry.Tests.Upstreams;

/// <summary>Many servers are kept in an order and not looked at one by one. The choices must be those that a look at each would make, whatever happens.</summary>
public sealed class ManyServersTests
{
    private readonly GroupBuilder _make = new();

    public static TheoryData<BalanceMethod, int> Cases()
    {
        var cases = new TheoryData<BalanceMethod, int>();
        foreach (var method in new[] { BalanceMethod.RoundRobin, BalanceMethod.LeastConnections, BalanceMethod.Lc, BalanceMethod.Wlc, BalanceMethod.Sed, BalanceMethod.Nq, BalanceMethod.Ovf, BalanceMethod.Fo })
        {
            for (var seed = 1; seed <= 4; seed++)
                cases.Add(method, seed);
        }
        return cases;
    }

    /// <summary>Sessions begin, walk on, fail, succeed and end, over reloads and in time; the plain loop says which server it should have been.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Choices_are_those_of_a_look_at_each_server(BalanceMethod method, int seed)
    {
        var random = new Random(seed);
        UpstreamServerConfig[] servers =
        [
            .. Enumerable.Range(0, 80).Select(i => new UpstreamServerConfig($"10.0.1.{i}", 21)
            {
                Weight = 1 + random.Next(4),
                MaxFails = random.Next(4),
                MaxConnections = random.Next(4) == 0 ? 1 + random.Next(4) : 0,
                Down = random.Next(20) == 0,
                Backup = i > 75,
            }),
        ];
        var group = await _make.MakeAsync(Balanced(method, servers));
        var plain = new Plain(group, method);
        List<UpstreamServer> held = [];
        var (picks, absent) = (0, 0);
        for (var step = 0; step < 4000; step++)
        {
            switch (random.Next(60))
            {
                case 0:
                    group.Servers[random.Next(80)].ReportFailure("refused");
                    break;
                case 1:
                    group.Servers[random.Next(80)].ReportSuccess();
                    break;
                case 2:
                    _make.Time.Advance(TimeSpan.FromSeconds(random.Next(8)));
                    break;
                case 3 when random.Next(8) == 0:
                    var old = group;
                    group = await _make.MakeAsync(Balanced(method, servers), old);
                    plain = new Plain(group, method);
                    break;
                case < 28 when held.Count > 0:
                    var at = random.Next(held.Count);
                    held[at].Release();
                    held.RemoveAt(at);
                    break;
                default:
                    var choice = group.Choose(new ChoiceFacts(Client, Listener));
                    for (var tries = 1 + (random.Next(20) == 0 ? random.Next(6) : 0); tries > 0; tries--)
                    {
                        var expected = plain.Expected(choice, _make.Time.GetTimestamp());
                        var server = choice.TryNext();
                        Assert.Equal(expected?.Index, server?.Index);
                        picks++;
                        if (server is null)
                            break;
                        absent += group.Servers.Count(s => !s.IsAvailable(_make.Time.GetTimestamp())) > 4 ? 1 : 0;
                        held.Add(server);
                        if (tries > 1)
                            server.ReportFailure("refused");
                    }
                    break;
            }
        }
        Assert.InRange(picks, 1500, 4000);
        Assert.InRange(absent, 500, 4000);
    }

    [Fact]
    public async Task A_thousand_equal_servers_take_turns_in_order()
    {
        var group = await _make.MakeAsync([.. Enumerable.Range(0, 1000).Select(i => new UpstreamServerConfig($"10.1.{i / 250}.{i % 250}", 21))]);

        for (var i = 0; i < 2500; i++)
            Assert.Equal(i % 1000, Hold(group).Index);
    }

    [Fact]
    public async Task Many_equals_of_least_conn_share_by_weight_and_one_that_was_away_does_not_catch_up()
    {
        var group = await _make.MakeAsync(Balanced(BalanceMethod.LeastConnections, [.. Enumerable.Range(0, 90).Select(i => Server(i, 2 + i % 3))]));
        var first = Shares(group, 2700);
        Assert.All(first.Index(), s => Assert.InRange(s.Item, 10 * (2 + s.Index % 3) - 1, 10 * (2 + s.Index % 3) + 1));

        group.Servers[2].ReportFailure("refused");
        Assert.Equal(0, Shares(group, 2700)[2]);
        _make.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(1, Shares(group, 90)[2]);
        group.Servers[2].ReportSuccess();
        Assert.InRange(Shares(group, 2700)[2], 38, 42);
    }

    [Fact]
    public async Task A_server_of_many_that_comes_back_to_least_conn_rises_slowly()
    {
        var group = await _make.MakeAsync(
            Balanced(BalanceMethod.LeastConnections, [.. Enumerable.Range(0, 40).Select(i => Server(i) with { SlowStart = TimeSpan.FromSeconds(100) })]));
        group.Servers[5].ReportFailure("refused");
        _make.Time.Advance(TimeSpan.FromSeconds(11));
        Shares(group, 40);
        group.Servers[5].ReportSuccess();

        Assert.InRange(Shares(group, 400)[5], 0, 1);
        _make.Time.Advance(TimeSpan.FromSeconds(50));
        Assert.InRange(Shares(group, 395)[5], 4, 6);
        _make.Time.Advance(TimeSpan.FromSeconds(51));
        Assert.InRange(Shares(group, 400)[5], 9, 11);
    }

    [Theory]
    [InlineData(BalanceMethod.RoundRobin)]
    [InlineData(BalanceMethod.Wlc)]
    public async Task A_server_that_dies_unseen_is_not_chosen_and_comes_back(BalanceMethod method)
    {
        var group = await _make.MakeAsync(Balanced(method, [.. Enumerable.Range(1, 100).Select(i => Server(i))]));
        for (var i = 0; i < 50; i++)
            Hold(group).Release();

        group.Servers[60].ReportFailure("refused");
        group.Servers[0].ReportFailure("refused");
        var during = Enumerable.Range(0, 300).Select(_ => Hold(group).Index).ToList();
        Assert.DoesNotContain(60, during);
        Assert.Equal(98, during.Distinct().Count());

        _make.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Contains(60, Enumerable.Range(0, 300).Select(_ => Hold(group).Index));
    }

    [Theory]
    [InlineData(BalanceMethod.RoundRobin)]
    [InlineData(BalanceMethod.LeastConnections)]
    [InlineData(BalanceMethod.Wlc)]
    [InlineData(BalanceMethod.Sh)]
    [InlineData(BalanceMethod.Random)]
    [InlineData(BalanceMethod.ConsistentHash)]
    public async Task A_pick_takes_no_memory_beside_the_walk_itself(BalanceMethod method)
    {
        var group = await _make.MakeAsync(Hashed(method, Variable("remote_addr"), [.. Enumerable.Range(1, 60).Select(i => Server(i, 1 + i % 3))]) with { Sticky = new StickyConfig(Variable("remote_addr")) });
        var facts = new ChoiceFacts(Other(1), Listener);
        for (var i = 0; i < 1000; i++)
            group.Choose(facts).TryNext()!.Release();

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            group.Choose(facts).TryNext()!.Release();

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 1000 * 100);
    }

    /// <summary>How often each server is chosen by sessions that end at once.</summary>
    private static int[] Shares(UpstreamGroup group, int picks)
    {
        var shares = new int[group.Servers.Length];
        for (var i = 0; i < picks; i++)
        {
            var server = Hold(group);
            shares[server.Index]++;
            server.Release();
        }
        return shares;
    }

    /// <summary>Looks at each server, with turns of its own.</summary>
    private sealed class Plain(UpstreamGroup group, BalanceMethod method)
    {
        private readonly Dictionary<UpstreamServer, long> _turns = group.Servers.ToDictionary(s => s, s => 0L);
        private long _reached;
        private readonly ConditionalWeakTable<UpstreamChoice, HashSet<UpstreamServer>> _tried = [];

        public UpstreamServer? Expected(UpstreamChoice choice, long now)
        {
            var tried = _tried.GetOrCreateValue(choice);
            var open = group.Servers.Where(s => s.IsAvailable(now) && !tried.Contains(s)).ToList();
            var best = Of(open.Where(s => !s.Config.Backup)) ?? Of(open.Where(s => s.Config.Backup));
            if (best is not null)
                tried.Add(best);
            return best;
        }

        private UpstreamServer? Of(IEnumerable<UpstreamServer> servers)
        {
            var list = servers.ToList();
            return method switch
            {
                BalanceMethod.RoundRobin => Turn(list),
                BalanceMethod.LeastConnections => Tagged([.. list.Where(s => list.All(o => s.Sessions * o.Weight <= o.Sessions * s.Weight))]),
                BalanceMethod.Lc => list.MinBy(s => s.Sessions),
                BalanceMethod.Wlc => list.MinBy(s => (double)s.Sessions / s.Weight),
                BalanceMethod.Sed => list.MinBy(s => (s.Sessions + 1.0) / s.Weight),
                BalanceMethod.Nq => list.Find(s => s.Sessions == 0) ?? list.MinBy(s => (s.Sessions + 1.0) / s.Weight),
                BalanceMethod.Fo => list.MaxBy(s => s.Weight),
                _ => list.Where(s => s.Sessions <= s.Weight).MaxBy(s => s.Weight),
            };
        }

        private UpstreamServer? Tagged(List<UpstreamServer> equals)
        {
            var best = equals.MinBy(s => _turns[s]);
            if (best is null)
                return null;
            _reached = Math.Max(_reached, _turns[best]);
            _turns[best] = _reached + (1 << 24) / best.Weight;
            return best;
        }

        private UpstreamServer? Turn(List<UpstreamServer> servers)
        {
            var total = 0L;
            UpstreamServer? best = null;
            foreach (var server in servers)
            {
                var weight = Math.Max(0, server.Weight - server.Tally.LostWeight);
                _turns[server] += weight;
                total += weight;
                if (best is null || _turns[server] > _turns[best])
                    best = server;
            }
            if (best is not null)
                _turns[best] -= total;
            return best;
        }
    }
}
