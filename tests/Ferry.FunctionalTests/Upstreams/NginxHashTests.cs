using System.Globalization;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ferry.Config;
using Ferry.Upstreams;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.FunctionalTests.Upstreams;

/// <summary>A thousand clients are sent to the same servers by the NGINX of this machine and by Ferry, with healthy servers and with servers that fail.</summary>
public sealed class NginxHashTests
{
    private const int Clients = 1000;

    /// <summary>Clients that ask NGINX at a time.</summary>
    private const int AtATime = 8;

    [NginxFact]
    public Task Consistent_hash_of_the_address() => CompareAsync("hash $remote_addr consistent;", BalanceMethod.ConsistentHash, Variable("remote_addr"));

    [NginxFact]
    public Task Consistent_hash_of_the_binary_address() => CompareAsync("hash $binary_remote_addr consistent;", BalanceMethod.ConsistentHash, Variable("binary_remote_addr"));

    [NginxFact]
    public Task Hash_of_the_address() => CompareAsync("hash $remote_addr;", BalanceMethod.Hash, Variable("remote_addr"));

    [NginxFact]
    public Task Hash_of_text_and_the_server_address() => CompareAsync(
        "hash a$server_addr/$remote_addr;",
        BalanceMethod.Hash,
        new TextTemplate("", [new("a", false), new("server_addr", true), new("/", false), new("remote_addr", true)]));

    [NginxFact]
    public Task Round_robin_one_after_the_other() => CompareAsync("", BalanceMethod.RoundRobin, null, atATime: 1);

    /// <summary>
    /// Five servers of different weights; then the same with one that is down and one where nobody listens, so that the walks are compared too;
    /// then that one is given up after three failures, so that what failures do to the weights is compared.
    /// </summary>
    private static async Task CompareAsync(string method, BalanceMethod balance, TextTemplate? key, int atATime = AtATime)
    {
        await using var listeners = new Listeners(5);
        using var nobody = BoundAndDeaf();
        int[] weights = [4, 3, 2, 1, 5];
        UpstreamServerConfig[] healthy = [.. listeners.Ports.Select((port, i) => Line(port, weights[i]))];
        var deaf = Line(((IPEndPoint)nobody.LocalEndPoint!).Port, 4) with { FailTimeout = TimeSpan.FromMinutes(10) };
        UpstreamServerConfig[] failing = [.. healthy.Take(3), Line(listeners.Ports[3], 3) with { Down = true }, healthy[4], deaf with { MaxFails = 0 }];
        UpstreamServerConfig[] givenUp = [.. failing.SkipLast(1), deaf with { MaxFails = 3 }];
        var front = FreePorts(3);
        await using var nginx = await NginxProcess.StartAsync(
            Block("healthy", front[0], method, healthy) + Block("failing", front[1], method, failing) + Block("given_up", front[2], method, givenUp));

        foreach (var (port, servers, living) in new[] { (front[0], healthy, 5), (front[1], failing, 4), (front[2], givenUp, 4) })
        {
            var group = (await UpstreamGroup.CreateAsync(
                new UpstreamConfig { Name = "it", Servers = [.. servers], Balance = balance, HashKey = key },
                (_, _) => throw new InvalidOperationException("there is no name"), TimeProvider.System, null, NullLogger.Instance, CancellationToken.None)).Group!;
            var nginxChose = await AskAllAsync(port, atATime);
            var ferryChose = Enumerable.Range(0, Clients).Select(i => ChooseLiving(group, new IPEndPoint(Source(i), 50_000), port, deaf.Port)).ToArray();
            Assert.Equal(nginxChose, ferryChose);
            Assert.Equal(living, nginxChose.Distinct().Count());
        }
    }

    /// <summary>Walks on from the server where nobody listens, as a session does.</summary>
    private static byte ChooseLiving(UpstreamGroup group, IPEndPoint client, int listener, int deaf)
    {
        var choice = group.Choose(new ChoiceFacts(client, new IPEndPoint(IPAddress.Loopback, listener)));
        while (choice.TryNext() is { } server)
        {
            server.Release();
            if (server.EndPoint.Port == deaf)
            {
                server.ReportFailure();
                continue;
            }
            server.ReportSuccess();
            return (byte)server.Index;
        }
        return 255;
    }

    private static async Task<byte[]> AskAllAsync(int port, int atATime)
    {
        var chose = new byte[Clients];
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var options = new ParallelOptions { MaxDegreeOfParallelism = atATime, CancellationToken = limit.Token };
        await Parallel.ForEachAsync(Enumerable.Range(0, Clients), options, async (i, ct) =>
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(Source(i), 0));
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), ct);
            var answer = new byte[1];
            chose[i] = await socket.ReceiveAsync(answer, ct) == 1 ? answer[0] : (byte)254;
        });
        return chose;
    }

    private static IPAddress Source(int i) => new([127, (byte)(1 + i % 7), (byte)(i / 250), (byte)(1 + i % 250)]);

    private static UpstreamServerConfig Line(int port, int weight) => new("127.0.0.1", port) { Text = $"127.0.0.1:{port}", Weight = weight };

    private static TextTemplate Variable(string name) => new($"${name}", [new TextPart(name, true)]);

    private static string Block(string name, int port, string method, UpstreamServerConfig[] servers)
    {
        var text = new StringBuilder($"upstream {name} {{ {method}\n");
        foreach (var server in servers)
            text.Append(CultureInfo.InvariantCulture, $"server {server.Text} weight={server.Weight} max_fails={server.MaxFails} fail_timeout={server.FailTimeout.TotalSeconds}s{(server.Down ? " down" : "")};\n");
        return text.Append(CultureInfo.InvariantCulture, $"}}\nserver {{ listen 127.0.0.1:{port}; proxy_pass {name}; }}\n").ToString();
    }

    /// <summary>A port that stays taken and refuses every connection.</summary>
    private static Socket BoundAndDeaf()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private static int[] FreePorts(int count)
    {
        var sockets = Enumerable.Range(0, count).Select(_ => BoundAndDeaf()).ToArray();
        int[] ports = [.. sockets.Select(s => ((IPEndPoint)s.LocalEndPoint!).Port)];
        foreach (var socket in sockets)
            socket.Dispose();
        return ports;
    }

    private sealed class Listeners(int count) : IAsyncDisposable
    {
        private readonly NamedListener[] _all = [.. Enumerable.Range(0, count).Select(i => new NamedListener(i))];

        public int[] Ports => [.. _all.Select(l => l.Port)];

        public async ValueTask DisposeAsync()
        {
            foreach (var listener in _all)
                await listener.DisposeAsync();
        }
    }
}
