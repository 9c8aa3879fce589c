using System.Net;
using BenchmarkDotNet.Attributes;
using Ferry.Config;
using Ferry.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.Benchmarks;

/// <summary>A pool, and giving a port and taking it back, which must cost the same at any size of the range. The ports of a busy client stay open in between.</summary>
[MemoryDiagnoser]
public class PortPoolBenchmarks
{
    private const int FirstPort = 20000;
    private const int Warm = 1100;
    private readonly IPAddress _client = IPAddress.Parse("192.0.2.1");
    private PortPool _pool = null!;

    [Params(10, 1_000, 40_000)]
    public int Ports { get; set; }

    [GlobalSetup]
    public void Open()
    {
        _pool = New();
        for (var i = 0; i < Warm; i++)
            GiveAndTakeBack();
    }

    [GlobalCleanup]
    public void Close() => _pool.Dispose();

    [Benchmark]
    public void Construct() => New().Dispose();

    [Benchmark]
    public int GiveAndTakeBack()
    {
        _pool.TryLend(_client, IPAddress.Loopback, 0, [], out var lease);
        using (lease)
            return lease!.Port;
    }

    private PortPool New()
    {
        var zone = new ZoneConfig("bench", 16 << 20, IPAddress.Loopback, FirstPort, FirstPort + Ports - 1);
        return new PortPool(zone, DataPeerPolicy.Control, TimeProvider.System, NullLogger.Instance);
    }
}
