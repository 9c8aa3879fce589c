using System.Net.Sockets;
using BenchmarkDotNet.Attributes;
using Ferry.Protocol;

namespace Ferry.Benchmarks;

/// <summary>What a command and its reply cost before any byte is sent.</summary>
[MemoryDiagnoser]
public class ControlEngineBenchmarks
{
    private readonly ControlEngine _engine = new(AddressFamily.InterNetwork);
    private readonly byte[] _noop = "NOOP\r\n"u8.ToArray();
    private readonly byte[] _done = "200 NOOP ok.\r\n"u8.ToArray();
    private readonly byte[] _passive = "227 Entering Passive Mode (192,168,40,91,156,64).\r\n"u8.ToArray();

    [GlobalSetup]
    public void Greet() => _engine.OnReply("220 ready"u8);

    [Benchmark]
    public int Noop()
    {
        LineScanner.TryRead(_noop, out var command, out _);
        var forwarded = _engine.OnCommand(command);
        LineScanner.TryRead(_done, out var reply, out _);
        return (int)forwarded.Kind + (int)_engine.OnReply(reply).Kind;
    }

    [Benchmark]
    public int Pasv()
    {
        _engine.OnCommand("PASV"u8);
        LineScanner.TryRead(_passive, out var reply, out _);
        return _engine.OnReply(reply).Port;
    }
}
