using System.Globalization;
using System.IO;
using System.Linq;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport;
using Ferry.Hosting;
using Ferry.Tests;

namespace Ferry.FunctionalTests.Upstreams;

/// <summary>Servers that a program checks.</summary>
public sealed class HealthProgramTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ManualTimeProvider _clock = new();

    public void Dispose() => _folder.Dispose();

    private string PathOf(string name) => Path.Combine(_folder.Path, name);

    /// <summary>Puts a program in place, whole.</summary>
    private string Program(string script)
    {
        var path = PathOf("check");
        File.WriteAllText(path + ".new", "#!/bin/sh\n" + script + "\n");
        File.SetUnixFileMode(path + ".new", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.Move(path + ".new", path, overwrite: true);
        return path;
    }

    private static string Configuration(string upstream)
    {
        var ports = FreePorts.Range(11);
        return string.Create(CultureInfo.InvariantCulture, $$"""
            stream {
                upstream files { {{upstream}} }
                server { listen 127.0.0.1:{{FreePorts.One()}}; ftp_ctrl zone=z:1M proxy_ip=127.0.0.1 min_port={{ports}} max_port={{ports + 10}}; proxy_pass files; }
            }
            """);
    }

    private Task<TestProxy> StartAsync(string upstream) => TestProxy.StartAsync(Configuration(upstream), _clock);

    private Task UntilAsync(Func<bool> condition, string what) => Wait.Until(
        () =>
        {
            if (condition())
                return true;
            _clock.Advance(TimeSpan.FromMilliseconds(100));
            return false;
        },
        what);

    private static UpstreamServerStatus Server(TestProxy proxy, int index) => proxy.Proxy.GetStatus().Upstreams[0].Servers[index];

    [Fact]
    public async Task What_it_ends_with_takes_a_server_out_and_brings_it_back()
    {
        var sick = PathOf("sick");
        await File.WriteAllTextAsync(sick, "");
        var program = Program("""[ "$1" = 127.0.0.3 ] || [ ! -e "$4" ] || { echo "$1 $2 $3 $FERRY_UPSTREAM_NAME $FERRY_SERVER_NAME $FERRY_SERVER_ADDR $FERRY_SERVER_PORT $FERRY_SERVER_SESSIONS"; exit 7; }""");
        await using var proxy = await StartAsync($"server 127.0.0.2:2121; server 127.0.0.3; health_check interval=5s timeout=1h; health_check_exec {program} $server_addr $server_port \"${{upstream_name}} x\" {sick};");
        await UntilAsync(() => Server(proxy, 0).Checks == ServerCheckStatus.Down && Server(proxy, 1).Checks == ServerCheckStatus.Up, "one server to be down and one to be up");
        Assert.Equal("its program ended with 7: 127.0.0.2 2121 files x files 127.0.0.2:2121 127.0.0.2 2121 0", Server(proxy, 0).CheckFailure);

        File.Delete(sick);
        await UntilAsync(() => Server(proxy, 0).Checks == ServerCheckStatus.Up, "the server to be up");
    }

    [Fact]
    public async Task One_that_hangs_is_killed_with_its_children_when_its_time_is_over()
    {
        var numbers = PathOf("numbers");
        var program = Program($"sleep 1000 & echo $$ $! > {numbers}.new; mv {numbers}.new {numbers}; wait");
        await using var proxy = await StartAsync($"server 127.0.0.2; health_check interval=1h timeout=30s; health_check_exec {program};");
        await UntilAsync(() => File.Exists(numbers), "the program to be at work");
        Assert.Equal(ServerCheckStatus.Unknown, Server(proxy, 0).Checks);

        await UntilAsync(() => Server(proxy, 0).Checks == ServerCheckStatus.Down, "the server to be down");

        Assert.Equal("its program had not ended after 30 s, and was killed", Server(proxy, 0).CheckFailure);
        foreach (var pid in (await File.ReadAllTextAsync(numbers)).Split(' ', StringSplitOptions.TrimEntries))
            await Wait.Until(() => ChildProgramTests.IsGone(pid), "it and its child to be gone");
    }

    [Fact]
    public async Task A_reload_ends_it_and_checks_anew()
    {
        var runs = PathOf("runs");
        var program = Program($"echo $$ >> {runs}; exec sleep 1000");
        var configuration = Configuration($"server 127.0.0.2; health_check interval=1h timeout=1h; health_check_exec {program};");
        await using (var proxy = await TestProxy.StartAsync(configuration, _clock))
        {
            await Wait.Until(() => Runs().Length == 1, "a check");

            Assert.Empty(await proxy.ReloadAsync(configuration));
            await UntilAsync(() => Runs().Length == 2, "another check");

            await Wait.Until(() => ChildProgramTests.IsGone(Runs()[0]), "the first to be gone");
            Assert.Equal(ServerCheckStatus.Unknown, Server(proxy, 0).Checks);
        }
        await Wait.Until(() => ChildProgramTests.IsGone(Runs()[1]), "the second to be gone with the proxy");

        string[] Runs() => File.Exists(runs) ? File.ReadAllLines(runs) : [];
    }

    [Fact]
    public async Task One_that_has_vanished_says_nothing_of_the_servers_and_is_told_once()
    {
        var program = Program("exit 0");
        await using var proxy = await StartAsync($"server 127.0.0.2; server 127.0.0.3; health_check interval=1s timeout=1h; health_check_exec {program};");
        await UntilAsync(() => Server(proxy, 0).Checks == ServerCheckStatus.Up && Server(proxy, 1).Checks == ServerCheckStatus.Up, "the servers to be up");
        File.Delete(program);
        await UntilAsync(() => proxy.Logs.Records.Any(r => r.Event.Id == 355), "the program to be missed");
        var then = _clock.GetUtcNow();
        await UntilAsync(() => _clock.GetUtcNow() - then > TimeSpan.FromSeconds(10), "more checks");

        Assert.All(proxy.Proxy.GetStatus().Upstreams[0].Servers, s => Assert.Equal(ServerCheckStatus.Up, s.Checks));
        Assert.InRange(proxy.Logs.Records.Count(r => r.Event.Id == 355), 1, 2); // two checks may meet it at once

        Program("exit 1");
        await UntilAsync(() => Server(proxy, 0).Checks == ServerCheckStatus.Down, "the server to be down");
    }

    [Fact]
    public async Task So_many_run_at_once_and_not_more()
    {
        var runs = PathOf("runs");
        var program = Program($"echo $$ >> {runs}; exec sleep 1000");
        var servers = string.Concat(Enumerable.Range(1, 20).Select(i => $"server 127.0.0.{i}; "));
        await using var proxy = await StartAsync($"{servers} health_check interval=1h timeout=20s; health_check_exec {program};");

        await Wait.Until(() => File.Exists(runs) && File.ReadAllLines(runs).Length == 16, "the programs to be at work");
        Assert.All(proxy.Proxy.GetStatus().Upstreams[0].Servers, s => Assert.Equal(ServerCheckStatus.Unknown, s.Checks));
        await UntilAsync(() => proxy.Proxy.GetStatus().Upstreams[0].Servers.Count(s => s.Checks == ServerCheckStatus.Down) >= 16, "their servers to be down");
    }
}
