using System.Globalization;
using System.Linq;
using System.Net;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Sessions;
using Ferry.Tests;

namespace Ferry.FunctionalTests.Upstreams;

/// <summary>Names that are resolved while Ferry runs, with a name server on loopback and a clock that the test moves.</summary>
public sealed class NamesAtRunTimeTests
{
    private static Task<TestProxy> StartAsync(ScriptedNameServer names, string server, TimeProvider clock)
    {
        var ports = FreePorts.Range(11);
        return TestProxy.StartAsync(
            string.Create(CultureInfo.InvariantCulture, $$"""
                stream {
                    resolver {{names.EndPoint}};
                    upstream named { server {{server}}; }
                    server { listen 127.0.0.1:{{FreePorts.One()}}; ftp_ctrl zone=ports:1M proxy_ip=127.0.0.1 min_port={{ports}} max_port={{ports + 10}}; proxy_pass named; }
                }
                """),
            clock);
    }

    private static string Addresses(TestProxy proxy) => string.Join(' ', proxy.Proxy.GetStatus().Upstreams[0].Servers.Select(s => s.EndPoint.Address));

    /// <summary>Moves the clock second by second until the addresses are these; how many seconds it took.</summary>
    private static async Task<int> UntilAsync(TestProxy proxy, ManualTimeProvider clock, string addresses)
    {
        var seconds = 0;
        await Wait.Until(
            () =>
            {
                if (Addresses(proxy) == addresses)
                    return true;
                clock.Advance(TimeSpan.FromSeconds(1));
                seconds++;
                return false;
            },
            () => $"the addresses {addresses}, which are {Addresses(proxy)}");
        return seconds;
    }

    [Fact]
    public async Task Sessions_follow_a_name_to_its_new_address_and_running_ones_stay()
    {
        var clock = new ManualTimeProvider();
        await using var first = new SmallServer(IPAddress.Parse("127.0.0.2"));
        await using var names = new ScriptedNameServer(ScriptedNameServer.Addresses(["127.0.0.2"], ttl: 30));
        await using var proxy = await StartAsync(names, $"ftp.example.com:{first.EndPoint.Port} resolve", clock);
        using var old = await ScriptedClient.LogInAsync(proxy.EndPoint);
        await using var second = ScriptedServer.Start(static c => c.SendAsync("220 second"), IPAddress.Parse("127.0.0.3"), first.EndPoint.Port);
        var asked = names.Questions.Count;
        names.Use(ScriptedNameServer.Addresses(["127.0.0.3"], ttl: 30));
        clock.Advance(TimeSpan.FromSeconds(28));
        Assert.Equal(asked, names.Questions.Count);

        await UntilAsync(proxy, clock, "127.0.0.3");
        using var young = await ScriptedClient.ConnectAsync(proxy.EndPoint);

        Assert.Equal("220 second", (await young.ExpectAsync(220)).Lines[0]);
        Assert.Equal(1000, (await old.DownloadAsync("1000")).Length);
        await old.QuitAsync();
        Assert.Contains("127.0.0.2", (await proxy.Logs.EventAsync(320)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failures_keep_the_addresses_and_a_name_that_is_gone_does_not()
    {
        var clock = new ManualTimeProvider();
        await using var names = new ScriptedNameServer(ScriptedNameServer.Addresses(["127.0.0.2", "127.0.0.3"], ttl: 5));
        await using var proxy = await StartAsync(names, "ftp.example.com resolve", clock);
        Assert.Equal("127.0.0.2 127.0.0.3", Addresses(proxy));

        names.Use(static q => [q.Answer(0x8182).ToArray()]);
        await Wait.Until(() => Moved(clock, proxy.Logs.EventAsync(323)), "the failure to be told");
        Assert.Equal("127.0.0.2 127.0.0.3", Addresses(proxy));

        names.Use(static q => [[1, 2, 3], q.Answer().A(q.Name, "127.0.0.9").Claim(3).ToArray(), q.Answer(0x8183).ToArray()]);
        await UntilAsync(proxy, clock, "");
        await proxy.Logs.EventAsync(324);
        using (var client = await ScriptedClient.ConnectAsync(proxy.EndPoint))
            await client.ExpectAsync(421);

        names.Use(q => q.IsTcp
            ? [Framed(q.Type == NameQuestion.A ? q.Answer().A(q.Name, "127.0.0.4").ToArray() : q.Answer().ToArray())]
            : [q.Answer(0x8380).ToArray()]);
        await UntilAsync(proxy, clock, "127.0.0.4");
        Assert.Contains(names.Questions, q => q.IsTcp);
    }

    [Fact]
    public async Task A_service_tells_servers_ports_and_backups()
    {
        var clock = new ManualTimeProvider();
        await using var names = new ScriptedNameServer(static q => [q switch
        {
            { Type: NameQuestion.Srv, Name: "_ftp._tcp.example.com" } => q.Answer().Srv(q.Name, 10, 3, 2121, "a.example.com").Srv(q.Name, 10, 1, 2122, "b.example.com").Srv(q.Name, 20, 9, 2123, "b.example.com").ToArray(),
            { Type: NameQuestion.A, Name: "a.example.com" } => q.Answer().A(q.Name, "127.0.0.2").ToArray(),
            { Type: NameQuestion.A, Name: "b.example.com" } => q.Answer().A(q.Name, "127.0.0.3").ToArray(),
            _ => q.Answer().ToArray(),
        }]);
        await using var proxy = await StartAsync(names, "example.com service=ftp resolve", clock);

        Assert.Equal(
            ["127.0.0.2:2121 3 False", "127.0.0.3:2122 1 False", "127.0.0.3:2123 9 True"],
            proxy.Proxy.GetStatus().Upstreams[0].Servers.Select(s => $"{s.EndPoint} {s.Config.Weight} {s.Config.Backup}"));
        Assert.Equal("a.example.com:2121 (127.0.0.2:2121)", proxy.Proxy.GetStatus().Upstreams[0].Servers[0].Name);
    }

    [Fact]
    public async Task All_addresses_of_a_name_are_tried_before_a_client_hears_of_it()
    {
        var clock = new ManualTimeProvider();
        await using var alive = new SmallServer(IPAddress.Parse("127.0.0.7"));
        await using var names = new ScriptedNameServer(ScriptedNameServer.Addresses(["127.0.0.4", "127.0.0.5", "127.0.0.6", "127.0.0.7"]));
        await using var proxy = await StartAsync(names, $"ftp.example.com:{alive.EndPoint.Port} resolve", clock);

        for (var i = 0; i < 4; i++)
        {
            using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
            await client.QuitAsync();
        }

        Assert.Equal(4, alive.Script.Connections.Count);
    }

    private static byte[] Framed(byte[] message) => [(byte)(message.Length >> 8), (byte)message.Length, .. message];

    private static bool Moved(ManualTimeProvider clock, Task awaited)
    {
        clock.Advance(TimeSpan.FromSeconds(1));
        return awaited.IsCompleted;
    }
}
