using System.Net;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.Tests;
using Ferry.Upstreams;

namespace Ferry.FunctionalTests.Upstreams;

/// <summary>Agents on real connections, good ones and others.</summary>
public sealed class AgentCheckTests
{
    private static async Task<AgentResult> AskAsync(Func<ScriptedConnection, Task> script, string? send = null)
    {
        await using var agent = ScriptedServer.Start(script);
        var check = new AgentCheck(new AgentCheckConfig(agent.Port) { Send = send }, Wait.Bound, null);
        var result = await Wait.For(check.RunAsync(IPAddress.Loopback, TimeProvider.System, default), "the agent's answer");
        await agent.DoneAsync();
        return result;
    }

    [Theory]
    [InlineData("50% maxconn:30\n")]
    [InlineData("50% maxconn:30\r\n")]
    [InlineData("50% maxconn:30\rdown\n")]
    public async Task An_answer_is_the_first_line(string line)
    {
        var result = await AskAsync(c => c.Wire.SendRawAsync(line));
        Assert.Equal((50, 30, null), (result.Answer!.Value.Percent, result.Answer.Value.MaxConnections, result.Answer.Value.IsUp));
    }

    [Fact]
    public async Task It_may_come_in_pieces()
    {
        var result = await AskAsync(c => c.Wire.SendBytewiseAsync("down # of itself\n"));
        Assert.Equal(("down # of itself", false), (result.Answer!.Value.Text, result.Answer.Value.IsUp));
    }

    [Fact]
    public async Task An_agent_is_told_who_is_meant()
    {
        var result = await AskAsync(
            async c =>
            {
                Assert.Equal("files web1", await c.ReadLineAsync());
                await c.Wire.SendRawAsync("drain\n");
            },
            "files web1\n");
        Assert.Equal(AgentMode.Drain, result.Answer!.Value.Mode);
    }

    [Theory]
    [InlineData("", "it closed the connection without an answer")]
    [InlineData("maxconn:3", "it closed the connection within its line")]
    public async Task Half_a_line_is_no_answer(string sent, string failure)
    {
        var result = await AskAsync(c => sent.Length == 0 ? Task.CompletedTask : c.Wire.SendRawAsync(sent));
        Assert.Equal((null, failure), (result.Answer, result.Failure));
    }

    [Fact]
    public async Task A_line_without_end_is_given_up()
    {
        var result = await AskAsync(c => ProbeRig.FloodAsync(() => c.Wire.SendRawAsync("up up up up \u0001\u0002 ")));
        Assert.Equal("its line does not end", result.Failure);
    }

    [Fact]
    public async Task Bytes_of_no_meaning_change_nothing()
    {
        var result = await AskAsync(c => c.Wire.SendRawAsync("\u0016\u0003\u0001\u0002\n"));
        Assert.Equal((null, null, null, null), (result.Answer!.Value.Percent, result.Answer.Value.MaxConnections, result.Answer.Value.Mode, result.Answer.Value.IsUp));
        Assert.Equal("????", result.Answer.Value.Unknown);
    }

    [Fact]
    public async Task A_silent_agent_is_given_up_when_its_time_is_over()
    {
        var clock = new ManualTimeProvider();
        await using var agent = ScriptedServer.Start(static c => c.ExpectEndAsync());
        var check = new AgentCheck(new AgentCheckConfig(agent.Port), TimeSpan.FromSeconds(5), null);
        var asking = check.RunAsync(IPAddress.Loopback, clock, default);
        await agent.ConnectedAsync();
        Assert.False(asking.IsCompleted);

        clock.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal("no answer within 5 s", (await Wait.For(asking, "the end")).Failure);
    }

    [Fact]
    public async Task Nobody_at_the_port_is_no_answer_and_a_stop_is_nothing()
    {
        var check = new AgentCheck(new AgentCheckConfig(FreePorts.One()), Wait.Bound, null);
        Assert.EndsWith("failed (ConnectionRefused)", (await check.RunAsync(IPAddress.Loopback, TimeProvider.System, default)).Failure, StringComparison.Ordinal);

        using var stop = new CancellationTokenSource();
        await using var agent = ScriptedServer.Start(static c => c.ExpectEndAsync());
        var asking = new AgentCheck(new AgentCheckConfig(agent.Port), Wait.Bound, null).RunAsync(IPAddress.Loopback, TimeProvider.System, stop.Token);
        await agent.ConnectedAsync();
        await stop.CancelAsync();
        Assert.True((await Wait.For(asking, "the end")).IsVoid);
    }

    /// <summary>The whole of it: the agent of one of two servers drains it and takes it back, while clients come.</summary>
    [Fact]
    public async Task Clients_go_where_agents_send_them()
    {
        var clock = new ManualTimeProvider();
        var says = "drain\n";
        await using var agent = ScriptedServer.Start(c => AnswerAsync(c, says), IPAddress.Parse("127.0.0.2"));
        await using var other = ScriptedServer.Start(static c => AnswerAsync(c, "ready\n"), IPAddress.Parse("127.0.0.3"), agent.Port);
        await using var first = ScriptedServer.Start(static c => GreetAsync(c, "first"), IPAddress.Parse("127.0.0.2"));
        await using var second = ScriptedServer.Start(static c => GreetAsync(c, "second"), IPAddress.Parse("127.0.0.3"));
        var ports = FreePorts.Range(11);
        await using var proxy = await TestProxy.StartAsync(
            $$"""
            stream {
                upstream two { server {{first.EndPoint}}; server {{second.EndPoint}}; health_check interval=1h type=connect agent_port={{agent.Port}} agent_interval=1s "agent_send=who?\n"; }
                server { listen 127.0.0.1:{{FreePorts.One()}}; ftp_ctrl zone=z:1M proxy_ip=127.0.0.1 min_port={{ports}} max_port={{ports + 10}}; proxy_pass two; }
            }
            """,
            clock);
        await UntilAsync("drain");
        Assert.Equal(["220 second", "220 second"], [await GreetingAsync(), await GreetingAsync()]);
        Assert.Equal(Ferry.Upstreams.UpstreamServerState.Draining, Status().State);

        says = "ready\n";
        await UntilAsync("ready");

        Assert.Contains("220 first", new[] { await GreetingAsync(), await GreetingAsync() });

        Ferry.Hosting.UpstreamServerStatus Status() => proxy.Proxy.GetStatus().Upstreams[0].Servers[0];

        Task UntilAsync(string answer) => Wait.Until(
            () =>
            {
                if (Status().AgentAnswer == answer)
                    return true;
                clock.Advance(TimeSpan.FromMilliseconds(100));
                return false;
            },
            $"the agent to have said {answer}");

        async Task<string> GreetingAsync()
        {
            using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint);
            return (await client.ExpectAsync(220)).Lines[0];
        }
    }

    private static async Task AnswerAsync(ScriptedConnection c, string line)
    {
        Assert.Equal("who?", await c.ReadLineAsync());
        await c.Wire.SendRawAsync(line);
    }

    private static async Task GreetAsync(ScriptedConnection c, string name)
    {
        try
        {
            await c.SendAsync($"220 {name}");
            await c.ReadLineAsync();
        }
        catch (System.Net.Sockets.SocketException)
        {
            // A check that only connects has gone.
        }
    }
}
