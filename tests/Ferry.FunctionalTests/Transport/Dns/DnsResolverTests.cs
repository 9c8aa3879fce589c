using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.Tests.Transport.Dns;
using Ferry.Transport.Dns;

namespace Ferry.FunctionalTests.Transport.Dns;

public sealed class DnsResolverTests
{
    private static DnsResolver Resolver(ScriptedNameServer server, TimeSpan? timeout = null) => Over(new ResolverConfig { Servers = [server.EndPoint], Timeout = timeout ?? Wait.Bound });

    private static DnsResolver Over(ResolverConfig config) => new(config, TimeProvider.System, new SystemNames("/nonexistent", "/nonexistent"));

    private static async Task<string> AskAsync(DnsResolver resolver, string name = "ftp.example.com")
    {
        var answer = await Wait.For(resolver.ResolveAsync(name, CancellationToken.None), "an answer");
        return answer.Failure ?? $"{string.Join(',', answer.Addresses)} for {answer.Lifetime.TotalSeconds} s";
    }

    private static byte[] Framed(byte[] message) => [(byte)(message.Length >> 8), (byte)message.Length, .. message];

    [Fact]
    public async Task All_addresses_of_both_families_are_found_for_the_shortest_of_their_times()
    {
        await using var server = new ScriptedNameServer(static q =>
            [(q.Type == NameQuestion.A ? q.Answer().A(q.Name, "192.0.2.1", 60).A(q.Name, "192.0.2.2", 50) : q.Answer().Aaaa(q.Name, "2001:db8::1", 40)).ToArray()]);

        Assert.Equal("192.0.2.1,192.0.2.2,2001:db8::1 for 40 s", await AskAsync(Resolver(server)));
        Assert.Equal("192.0.2.1,192.0.2.2 for 50 s", await AskAsync(Over(new ResolverConfig { Servers = [server.EndPoint], IPv6 = false })));
        Assert.Equal("2001:db8::1 for 7 s", await AskAsync(Over(new ResolverConfig { Servers = [server.EndPoint], IPv4 = false, Valid = TimeSpan.FromSeconds(7) })));
    }

    [Fact]
    public async Task Questions_differ_in_number_and_port()
    {
        await using var server = new ScriptedNameServer(ScriptedNameServer.Addresses(["192.0.2.1"]));
        for (var i = 0; i < 20; i++)
            await AskAsync(Resolver(server));

        Assert.True(server.Ports.Distinct().Count() > 20);
        Assert.True(server.Questions.Select(q => q.Bytes[0] << 8 | q.Bytes[1]).Distinct().Count() > 30);
    }

    [Fact]
    public async Task Aliases_are_followed_within_an_answer_and_beyond_it()
    {
        await using var server = new ScriptedNameServer(static q => [q switch
        {
            { Type: not NameQuestion.A } => q.Answer().ToArray(),
            { Name: "ftp.example.com" } => q.Answer().Cname("ftp.example.com", "a.example.com", 30).Cname("A.example.com", "b.example.net", 20).ToArray(),
            { Name: "b.example.net" } => q.Answer().A("b.example.net", "192.0.2.7").A("ftp.example.com", "192.0.2.66").ToArray(),
            _ => q.Answer(0x8183).ToArray(),
        }]);

        Assert.Equal("192.0.2.7 for 20 s", await AskAsync(Resolver(server)));
    }

    [Theory]
    [InlineData("ftp.example.com")]
    [InlineData("x.example.com")]
    public async Task Aliases_that_lead_in_a_circle_or_on_and_on_have_an_end(string first)
    {
        var number = 0;
        await using var server = new ScriptedNameServer(q =>
            [q.Name == "ftp.example.com" ? q.Answer().Cname(q.Name, q.Name).ToArray() : q.Answer().Cname(q.Name, $"x{Interlocked.Increment(ref number)}.example.com").ToArray()]);

        Assert.Equal("it is an alias of an alias more than 8 times", await AskAsync(Resolver(server), first));
        Assert.InRange(server.Questions.Count, 2, 20);
    }

    [Fact]
    public async Task A_truncated_answer_is_asked_for_by_tcp_whatever_pieces_it_comes_in()
    {
        var cut = 0;
        await using var server = new ScriptedNameServer(q =>
        {
            if (!q.IsTcp)
                return [q.Answer(0x8380).ToArray()];
            var answer = q.Answer();
            for (var i = 0; q.Type == NameQuestion.A && i < 60; i++)
                answer.A(q.Name, $"192.0.2.{i}");
            var whole = Framed(answer.ToArray());
            // A cut at each place in turn.
            var at = Interlocked.Increment(ref cut) % (whole.Length - 1) + 1;
            return [whole[..at], whole[at..]];
        });

        for (var i = 0; i < 20; i++)
            Assert.StartsWith("192.0.2.0,192.0.2.1,192.0.2.2,", await AskAsync(Resolver(server)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_addresses_than_are_used_are_left_out()
    {
        await using var server = new ScriptedNameServer(static q =>
        {
            if (!q.IsTcp)
                return [q.Answer(0x8380).ToArray()];
            var answer = q.Answer();
            for (var i = 0; q.Type == NameQuestion.A && i < 500; i++)
                answer.A(q.Name, $"10.0.{i / 250}.{i % 250}");
            return [Framed(answer.ToArray())];
        });

        Assert.Equal(DnsResolver.MaxAddresses, (await Resolver(server).ResolveAsync("x.example", CancellationToken.None)).Addresses.Length);
    }

    [Fact]
    public async Task Forged_and_broken_answers_are_passed_over_for_the_right_one()
    {
        await using var server = new ScriptedNameServer(static q =>
        [
            [],
            [1, 2, 3],
            new DnsBytes(q.Bytes, id: (q.Bytes[0] << 8 | q.Bytes[1]) ^ 1).A(q.Name, "203.0.113.66").ToArray(),
            q.Answer(0x0100).A(q.Name, "203.0.113.66").ToArray(),
            q.Answer().A(q.Name, "203.0.113.66").Claim(9).ToArray(),
            .. q.Type == NameQuestion.A ? [q.Answer().A("other.example.com", "203.0.113.66").A(q.Name, "192.0.2.1").ToArray()] : (byte[][])[q.Answer().ToArray()],
        ]);

        Assert.Equal("192.0.2.1 for 60 s", await AskAsync(Resolver(server)));
    }

    [Fact]
    public async Task A_flood_of_strays_is_given_up()
    {
        await using var server = new ScriptedNameServer(static _ => Enumerable.Repeat(new byte[] { 1, 2, 3 }, 70));

        Assert.Equal("no name server answered", await AskAsync(Resolver(server)));
    }

    [Fact]
    public async Task A_name_that_does_not_exist_has_no_addresses_and_that_is_an_answer()
    {
        await using var server = new ScriptedNameServer(static q => [q.Answer(0x8183).ToArray()]);

        Assert.Equal(" for 1 s", await AskAsync(Resolver(server)));
    }

    [Fact]
    public async Task The_next_server_is_asked_when_one_fails_or_is_not_there()
    {
        using var nobody = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var gone = (IPEndPoint)nobody.LocalEndPoint!;
        nobody.Dispose();
        await using var failing = new ScriptedNameServer(static q => [q.Answer(0x8182).ToArray()]);
        await using var good = new ScriptedNameServer(ScriptedNameServer.Addresses(["192.0.2.1"]));

        Assert.Equal("192.0.2.1 for 60 s", await AskAsync(Over(new ResolverConfig { Servers = [gone, failing.EndPoint, good.EndPoint] })));
        Assert.Equal($"name server {failing.EndPoint} answered that it has failed (SERVFAIL)", await AskAsync(Resolver(failing)));
    }

    [Fact]
    public async Task Silence_ends_with_the_resolver_timeout()
    {
        await using var server = new ScriptedNameServer(static _ => []);

        Assert.Equal("no answer within 0.2 s", await AskAsync(Resolver(server, TimeSpan.FromMilliseconds(200))));
    }

    [Fact]
    public async Task One_family_that_cannot_be_asked_for_is_told()
    {
        await using var server = new ScriptedNameServer(static q => [(q.Type == NameQuestion.A ? q.Answer().A(q.Name, "192.0.2.1") : q.Answer(0x8182)).ToArray()]);

        var answer = await Resolver(server).ResolveAsync("ftp.example.com", CancellationToken.None);

        Assert.Equal(("192.0.2.1", AddressFamily.InterNetworkV6), (string.Join(',', answer.Addresses), answer.Unanswered));
        Assert.Null(answer.Failure);
    }

    [Theory]
    [InlineData("ftp", "_ftp._tcp.example.com")]
    [InlineData("_files._tcp", "_files._tcp.example.com")]
    public async Task A_service_has_targets_with_their_addresses(string service, string asked)
    {
        await using var server = new ScriptedNameServer(static q => [q switch
        {
            { Type: NameQuestion.Srv } => q.Answer().Srv(q.Name, 10, 5, 2121, "A.example.com", 90).Srv(q.Name, 20, 0, 21, "b.example.com", 80).Srv(q.Name, 0, 0, 21, "").Srv(q.Name, 0, 0, 0, "c.example.com").ToArray(),
            { Type: NameQuestion.A, Name: "a.example.com" } => q.Answer().A(q.Name, "192.0.2.1", 70).A(q.Name, "192.0.2.2", 70).ToArray(),
            { Type: NameQuestion.A } => q.Answer(0x8182).ToArray(),
            _ => q.Answer().ToArray(),
        }]);

        var answer = await Wait.For(Resolver(server).ResolveServiceAsync(service, "example.com", CancellationToken.None), "an answer");

        Assert.Equal(asked, server.Questions.First().Name);
        Assert.Null(answer.Failure);
        Assert.Equal(
            [("a.example.com", 2121, 10, 5, "192.0.2.1,192.0.2.2"), ("b.example.com", 21, 20, 0, "")],
            answer.Targets.Select(t => (t.Host, t.Port, t.Priority, t.Weight, string.Join(',', t.Answer.Addresses))));
        Assert.Equal(AddressFamily.InterNetwork, answer.Targets[1].Answer.Unanswered);
    }
}
