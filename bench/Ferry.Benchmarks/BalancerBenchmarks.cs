using System.Linq;
using System.Net;
using BenchmarkDotNet.Attributes;
using Ferry.Config;
using Ferry.Upstreams;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.Benchmarks;

/// <summary>What choosing a server costs a session, from <c>Choose</c> to <c>Release</c>.</summary>
[MemoryDiagnoser]
public class BalancerBenchmarks
{
    private readonly ChoiceFacts[] _facts =
    [
        .. Enumerable.Range(0, 1024).Select(i => new ChoiceFacts(
            new IPEndPoint(new IPAddress([10, 0, (byte)(i >> 8), (byte)i]), 50_000), new IPEndPoint(IPAddress.Parse("192.168.40.136"), 21))),
    ];
    private static readonly TextTemplate Key = new("$remote_addr", [new TextPart("remote_addr", true)]);
    private UpstreamGroup _group = null!;
    private int _next;

    [Params(10, 1000)]
    public int Servers { get; set; }

    [ParamsAllValues]
    public BalanceMethod Method { get; set; }

    [Params(false, true)]
    public bool IsSticky { get; set; }

    [GlobalSetup]
    public async Task SetupAsync()
    {
        var config = new UpstreamConfig
        {
            Name = "files",
            Servers = [.. Enumerable.Range(0, Servers).Select(i => new UpstreamServerConfig($"10.1.{i / 250}.{1 + i % 250}", 21) { Weight = 1 + i % 3 })],
            Balance = Method,
            HashKey = Key,
            Sticky = IsSticky ? new StickyConfig(Key) : null,
        };
        var result = await UpstreamGroup.CreateAsync(config, Dns.GetHostAddressesAsync, TimeProvider.System, null, NullLogger.Instance, CancellationToken.None);
        _group = result.Group!;
    }

    [Benchmark]
    public int Pick()
    {
        var server = _group.Choose(_facts[_next++ & 1023]).TryNext()!;
        server.Release();
        return server.Index;
    }
}
