using BenchmarkDotNet.Attributes;
using Ferry.Transport;

namespace Ferry.Benchmarks;

/// <summary>The order of one client's ports, without sockets: beginning one, and one more port for a client that holds none or half of the range.</summary>
[MemoryDiagnoser]
public class ClientPortsBenchmarks
{
    private readonly Random _random = new(7);
    private ClientPorts _idle = null!;
    private ClientPorts _holding = null!;

    [Params(10, 1_000, 40_000)]
    public int Ports { get; set; }

    [GlobalSetup]
    public void Hold()
    {
        _idle = New();
        _holding = New();
        for (var i = 0; i < Ports / 2; i++)
            _holding.TryTake(out _);
    }

    [Benchmark]
    public object Construct() => New();

    /// <summary>A client from its first port to its thousandth.</summary>
    [Benchmark]
    public int AThousandFromTheFirst()
    {
        var ports = New();
        var last = 0;
        for (var i = 0; i < 1000; i++)
            last = TakeAndGiveBack(ports);
        return last;
    }

    [Benchmark]
    public int HoldingNone() => TakeAndGiveBack(_idle);

    [Benchmark]
    public int HoldingHalf() => TakeAndGiveBack(_holding);

    private static int TakeAndGiveBack(ClientPorts ports)
    {
        ports.TryTake(out var port);
        ports.GiveBack(port);
        return port;
    }

    private ClientPorts New() => new(20_000, Ports, _random);
}
