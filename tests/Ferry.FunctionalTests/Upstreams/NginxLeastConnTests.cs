using System.Globalization;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.Upstreams;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.FunctionalTests.Upstreams;

/// <summary>Clients that come, stay and go are sent to the same servers by the <c>least_conn</c> of this machine's NGINX and by Ferry's.</summary>
public sealed class NginxLeastConnTests
{
    private static readonly int[] Weights = [4, 3, 2, 1, 5];

    [NginxFact]
    public async Task Sessions_that_stay_for_different_times()
    {
        using var ended = new SemaphoreSlim(0);
        await using var servers = new Servers(ended);
        var front = FreePorts.One();
        var lines = string.Concat(servers.Ports.Select((p, i) => string.Create(CultureInfo.InvariantCulture, $"server 127.0.0.1:{p} weight={Weights[i]}; ")));
        await using var nginx = await NginxProcess.StartAsync(string.Create(
            CultureInfo.InvariantCulture, $"upstream it {{ least_conn; {lines} }} server {{ listen 127.0.0.1:{front}; proxy_pass it; }}"));
        var group = (await UpstreamGroup.CreateAsync(
            new UpstreamConfig { Name = "it", Servers = [.. servers.Ports.Select((p, i) => new UpstreamServerConfig("127.0.0.1", p) { Weight = Weights[i] })], Balance = BalanceMethod.LeastConnections },
            (_, _) => throw new InvalidOperationException("there is no name"), TimeProvider.System, null, NullLogger.Instance, CancellationToken.None)).Group!;

        List<(Socket Client, UpstreamServer Server)> open = [];
        List<int> nginxChose = [], ferryChose = [];
        try
        {
            for (var i = 0; i < 400; i++)
            {
                // Of five turns two end a session, an old one or a new one.
                if (open.Count > 3 && i % 5 is 2 or 4)
                {
                    var (client, server) = open[i % 5 == 2 ? 0 : open.Count - 2];
                    open.Remove((client, server));
                    client.Dispose();
                    server.Release();
                    // NGINX ends its connection to the server after it has counted.
                    await Wait.For(ended.WaitAsync(), "NGINX to end a connection");
                    continue;
                }
                var (socket, number) = await Wait.For(AskAsync(front), "NGINX to choose a server");
                open.Add((socket, group.Choose(new ChoiceFacts(new IPEndPoint(IPAddress.Loopback, i + 1), new IPEndPoint(IPAddress.Loopback, front))).TryNext()!));
                open[^1].Server.ReportSuccess();
                nginxChose.Add(number);
                ferryChose.Add(open[^1].Server.Index);
            }
        }
        finally
        {
            open.ForEach(o => o.Client.Dispose());
        }

        Assert.Equal(nginxChose, ferryChose);
        Assert.Equal(5, nginxChose.Distinct().Count());
    }

    private static async Task<(Socket Client, int Number)> AskAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port));
        var answer = new byte[1];
        return (socket, await socket.ReceiveAsync(answer) == 1 ? answer[0] : -1);
    }

    private sealed class Servers(SemaphoreSlim ended) : IAsyncDisposable
    {
        private readonly HoldingListener[] _all = [.. Weights.Select((_, i) => new HoldingListener(i, ended))];

        public int[] Ports => [.. _all.Select(l => l.Port)];

        public async ValueTask DisposeAsync()
        {
            foreach (var listener in _all)
                await listener.DisposeAsync();
        }
    }
}
