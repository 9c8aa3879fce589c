using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Sessions;
using Ferry.Hosting;
using Ferry.Upstreams;

namespace Ferry.FunctionalTests.Upstreams;

/// <summary>Servers that an operator changes without a reload, through the public interface.</summary>
public sealed class ServersAtRunTimeTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly int _port = FreePorts.One();
    private readonly int _ports = FreePorts.Range(11);

    public void Dispose() => _folder.Dispose();

    private string StateFile => Path.Combine(_folder.Path, "files.state");

    private string Text(string upstream) => string.Create(CultureInfo.InvariantCulture, $$"""
        stream {
            upstream files { {{upstream}} }
            server { listen 127.0.0.1:{{_port}}; ftp_ctrl zone=ports:1M proxy_ip=127.0.0.1 min_port={{_ports}} max_port={{_ports + 10}}; proxy_pass files; }
        }
        """);

    private string WithState => Text($"state {StateFile};");

    private static UpstreamServerStatus[] Servers(TestProxy proxy) => [.. proxy.Proxy.Upstreams.Single().Servers];

    private static Task<UpstreamChangeResult> Set(TestProxy proxy, IPEndPoint server, UpstreamServerMode mode) =>
        proxy.Proxy.ChangeUpstreamServerAsync("files", server.ToString(), new UpstreamServerChange { Mode = mode });

    private static async Task Done(Task<UpstreamChangeResult> change) => Assert.Equal(UpstreamChangeStatus.Done, (await change).Status);

    [Fact]
    public async Task A_drained_server_finishes_its_transfers_and_gets_no_new_session()
    {
        await using var first = new SmallServer();
        await using var second = new SmallServer();
        await using var proxy = await TestProxy.StartAsync(Text($"server {first.EndPoint};"));
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        await Done(proxy.Proxy.AddUpstreamServerAsync("files", $"{second.EndPoint} weight=2"));
        var data = await client.PasvAsync();
        using var transfer = await client.ConnectDataAsync(data);
        await client.SendAsync("STOR whole");
        await client.ExpectAsync(150);
        await transfer.SendAsync(SmallServer.Payload(50_000));

        await Done(Set(proxy, first.EndPoint, UpstreamServerMode.Drain));
        for (var i = 0; i < 5; i++)
        {
            using var later = await ScriptedClient.LogInAsync(proxy.EndPoint);
            await later.QuitAsync();
        }

        Assert.Equal((1, 5), (first.Script.Connections.Count, second.Script.Connections.Count));
        Assert.Equal((UpstreamServerState.Draining, 1), (Servers(proxy)[0].State, Servers(proxy)[0].Sessions));
        await transfer.SendAsync(SmallServer.Payload(50_000));
        await transfer.EndSendAsync();
        await client.ExpectAsync(226);
        Assert.Equal(100_000, first.Stored["whole"].Length);
        await client.QuitAsync();
        Assert.Contains($"{first.EndPoint} is empty", (await proxy.Logs.EventAsync(320)).Message, StringComparison.Ordinal);
        Assert.Equal((UpstreamServerState.Draining, 0), (Servers(proxy)[0].State, Servers(proxy)[0].Sessions));
        await Done(proxy.Proxy.RemoveUpstreamServerAsync("files", first.EndPoint.ToString()));
        Assert.Equal(2, Assert.Single(Servers(proxy)).Config.Weight);
    }

    [Fact]
    public async Task Changes_survive_a_restart_and_a_reload_in_the_state_file()
    {
        await using var server = new SmallServer();
        await using (var proxy = await TestProxy.StartAsync(WithState))
        {
            using (var early = await ScriptedClient.ConnectAsync(proxy.EndPoint))
                await early.ExpectAsync(421);
            await Done(proxy.Proxy.AddUpstreamServerAsync("files", server.EndPoint.ToString()));
            await Done(proxy.Proxy.AddUpstreamServerAsync("files", "192.0.2.1:2121 max_conns=7 slow_start=30s backup"));
            await Done(Set(proxy, IPEndPoint.Parse("192.0.2.1:2121"), UpstreamServerMode.Drain));
            Assert.Empty(await proxy.ReloadAsync(WithState));
            Assert.Equal((UpstreamServerState.Draining, 7), (Servers(proxy)[1].State, Servers(proxy)[1].Config.MaxConnections));
            using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
            await client.QuitAsync();
        }

        Assert.Equal(
            [$"server {server.EndPoint} weight=1 max_conns=0 max_fails=1 fail_timeout=10s;", "server 192.0.2.1:2121 weight=1 max_conns=7 max_fails=1 fail_timeout=10s slow_start=30s backup drain;"],
            File.ReadAllLines(StateFile));
        await using var again = await TestProxy.StartAsync(WithState);
        Assert.Equal([UpstreamServerState.Up, UpstreamServerState.Draining], Servers(again).Select(s => s.State));
        using var later = await ScriptedClient.LogInAsync(again.EndPoint);
        await later.QuitAsync();
    }

    [Fact]
    public async Task A_change_between_the_reading_of_a_configuration_and_its_reload_is_not_lost()
    {
        File.WriteAllText(StateFile, "server 192.0.2.1;\n");
        await using var proxy = await TestProxy.StartAsync(WithState);
        var read = TestProxy.Read(WithState);
        await Done(proxy.Proxy.AddUpstreamServerAsync("files", "192.0.2.2"));

        Assert.Empty(await proxy.Proxy.ReloadAsync(read));

        Assert.Equal(["192.0.2.1", "192.0.2.2"], Servers(proxy).Select(s => s.Config.Host));
    }

    [Theory]
    [InlineData("server 192.0.2.1;\nserver 192.0.")]
    [InlineData("")]
    public async Task Whoever_is_killed_while_writing_leaves_the_file_of_before(string half)
    {
        File.WriteAllText(StateFile, "server 192.0.2.7;\n");
        File.WriteAllText(StateFile + ".new", half);

        await using var proxy = await TestProxy.StartAsync(WithState);

        Assert.Equal("192.0.2.7", Assert.Single(Servers(proxy)).Config.Host);
        await Done(proxy.Proxy.AddUpstreamServerAsync("files", "192.0.2.8"));
        Assert.Equal(2, File.ReadAllLines(StateFile).Length);
    }

    [Fact]
    public async Task A_state_that_is_broken_or_cannot_be_written_stops_the_start_with_its_place()
    {
        var config = TestProxy.Read(WithState);
        File.WriteAllText(StateFile, "server 192.0.2.1;\nserver nonsense weight=x;\n");
        var broken = await Assert.ThrowsAsync<FerryStartException>(() => TestProxyStart(config));
        Assert.Contains($"{StateFile}:2:24: \"weight=\" needs a number", broken.Message, StringComparison.Ordinal);

        File.Delete(StateFile);
        Directory.CreateDirectory(StateFile + ".new");
        var unwritable = await Assert.ThrowsAsync<FerryStartException>(() => TestProxyStart(config));
        Assert.Contains("test.conf:2:5: the state of upstream \"files\" could not be kept", unwritable.Message, StringComparison.Ordinal);
        Assert.Contains("could not be kept", Assert.Single(await FerryProxy.CheckAsync(config)).Message, StringComparison.Ordinal);

        static async Task TestProxyStart(FerryConfig config)
        {
            await using var proxy = new FerryProxy(config, new CapturedLogs());
            await proxy.StartAsync();
        }
    }

    [Fact]
    public async Task A_change_that_cannot_be_kept_is_refused()
    {
        File.WriteAllText(StateFile, "server 192.0.2.1;\n");
        await using var proxy = await TestProxy.StartAsync(WithState);
        Directory.CreateDirectory(StateFile + ".new");

        var result = await proxy.Proxy.AddUpstreamServerAsync("files", "192.0.2.2");

        Assert.Equal(UpstreamChangeStatus.NotSaved, result.Status);
        Assert.Contains("cannot be written", result.Message, StringComparison.Ordinal);
        Assert.Single(Servers(proxy));
        Assert.Equal("server 192.0.2.1;\n", File.ReadAllText(StateFile));
    }

    [Fact]
    public async Task Answers_say_what_was_wrong()
    {
        await using var proxy = await TestProxy.StartAsync(Text("server 192.0.2.1;"));
        var ferry = proxy.Proxy;

        Assert.Equal(new(UpstreamChangeStatus.UnknownUpstream, "there is no upstream \"filse\"; did you mean \"files\"?"), await ferry.AddUpstreamServerAsync("filse", "192.0.2.2"));
        Assert.Equal(new(UpstreamChangeStatus.Duplicate, "upstream \"files\" has the server 192.0.2.1:21 already"), await ferry.AddUpstreamServerAsync("files", "192.0.2.1:21"));
        Assert.Equal(new(UpstreamChangeStatus.Invalid, "\"weight=\" needs a number from 1 to 65535, not \"0\""), await ferry.AddUpstreamServerAsync("files", "192.0.2.2 weight=0"));
        Assert.Equal(UpstreamChangeStatus.Invalid, (await ferry.AddUpstreamServerAsync("files", "no-such-name.invalid")).Status);
        Assert.Equal(UpstreamChangeStatus.Invalid, (await ferry.ChangeUpstreamServerAsync("files", "192.0.2.1", new UpstreamServerChange())).Status);
        Assert.Equal(UpstreamChangeStatus.Invalid, (await ferry.ChangeUpstreamServerAsync("files", "192.0.2.1", new UpstreamServerChange { Weight = 0 })).Status);
        Assert.Equal(UpstreamChangeStatus.UnknownServer, (await ferry.RemoveUpstreamServerAsync("files", "192.0.2.2")).Status);
        Assert.Equal(UpstreamChangeStatus.LastServer, (await ferry.RemoveUpstreamServerAsync("files", "192.0.2.1:21")).Status);
        await ferry.StopAsync();
        Assert.Equal(UpstreamChangeStatus.NotRunning, (await ferry.RemoveUpstreamServerAsync("files", "192.0.2.1")).Status);
    }

    [Fact]
    public async Task Two_server_blocks_that_name_an_upstream_share_its_servers()
    {
        await using var server = new SmallServer();
        var (port, ports) = (FreePorts.One(), FreePorts.Range(5));
        await using var proxy = await TestProxy.StartAsync(Text($"server {server.EndPoint} max_conns=1;").TrimEnd()[..^1] + string.Create(CultureInfo.InvariantCulture,
            $$""" server { listen 127.0.0.1:{{port}}; ftp_ctrl zone=more:1M proxy_ip=127.0.0.1 min_port={{ports}} max_port={{ports + 4}}; proxy_pass files; } }"""));
        using var client = await ScriptedClient.LogInAsync(new IPEndPoint(IPAddress.Loopback, _port));

        using var other = await ScriptedClient.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port));

        await other.ExpectAsync(421);
        Assert.Equal(1, Assert.Single(Servers(proxy)).Sessions);
    }

    [Fact]
    public async Task A_reload_without_a_state_file_puts_the_configuration_in_force_as_it_is_written()
    {
        var text = Text("server 192.0.2.1;");
        await using var proxy = await TestProxy.StartAsync(text);
        await Done(proxy.Proxy.AddUpstreamServerAsync("files", "192.0.2.2"));

        Assert.Empty(await proxy.ReloadAsync(text));

        Assert.Equal("192.0.2.1", Assert.Single(Servers(proxy)).Config.Host);
        await proxy.Logs.EventAsync(327);
    }
}
