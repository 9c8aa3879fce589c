using System.Net;
using BenchmarkDotNet.Attributes;
using Ferry.Telemetry;
using Microsoft.Extensions.Logging;

namespace Ferry.Benchmarks;

/// <summary>What the thread that serves a session pays for its lines; the file's own thread does the rest.</summary>
[MemoryDiagnoser]
public class LogBenchmarks
{
    private static readonly Action<ILogger, string, int, Exception?> PortGiven =
        LoggerMessage.Define<string, int>(LogLevel.Information, new EventId(1), "session {Session}: port {Port} given");

    private static readonly SessionRecord EndedSession = new()
    {
        SessionId = "k3f9",
        Start = new DateTimeOffset(2026, 11, 22, 1, 28, 34, TimeSpan.Zero),
        Duration = TimeSpan.FromSeconds(61.5),
        Client = IPEndPoint.Parse("192.0.2.7:50021"),
        Listener = IPEndPoint.Parse("198.51.100.1:21"),
        Server = "ftp1.example:21",
        Upstream = IPEndPoint.Parse("192.0.2.91:21"),
        UpstreamConnectTime = TimeSpan.FromMilliseconds(12),
        User = "alice",
        LoggedIn = true,
        EndReason = "client_quit",
        Commands = 7,
        Transfers = 1,
    };

    private static readonly TransferRecord EndedTransfer = new()
    {
        SessionId = "k3f9",
        End = new DateTimeOffset(2026, 11, 22, 1, 28, 34, TimeSpan.Zero),
        Duration = TimeSpan.FromSeconds(2.5),
        Client = IPEndPoint.Parse("192.0.2.7:50021"),
        Upstream = IPEndPoint.Parse("192.0.2.91:21"),
        User = "alice",
        Verb = "RETR",
        Path = "/pub/a file.bin"u8.ToArray(),
        Direction = TransferDirection.Download,
        Type = TransferType.Image,
        Bytes = 1048576,
        Outcome = TransferRecord.Complete,
    };

    private LogFile _file = null!;
    private AccessLog _json = null!;
    private AccessLog _format = null!;
    private TransferLog _transferJson = null!;
    private TransferLog _xferlog = null!;
    private ILogger _logger = null!;

    [GlobalSetup]
    public void Open()
    {
        if (!new LogFiles().TryOpen("/dev/null", LogSyntax.Text, out var file, out var error))
            throw new InvalidOperationException(error);
        _file = file;
        _json = new AccessLog(file, TimeProvider.System);
        _format = new AccessLog(file, TimeProvider.System, valueOf => $"{valueOf("remote_addr")} [{valueOf("time_local")}] {valueOf("status")} {valueOf("session_time")}");
        _transferJson = new TransferLog(file, TimeProvider.System, isJson: true);
        _xferlog = new TransferLog(file, TimeProvider.System, isJson: false);
        _logger = new ErrorLog([new ErrorLogTarget(file, LogLevel.Information)], TimeProvider.System).CreateLogger("Ferry.Benchmarks");
    }

    [GlobalCleanup]
    public async Task CloseAsync() => await _file.DisposeAsync();

    [Benchmark]
    public void A_session_as_JSON() => _json.Write(EndedSession);

    [Benchmark]
    public void A_session_by_a_format() => _format.Write(EndedSession);

    [Benchmark]
    public void A_transfer_as_JSON() => _transferJson.Write(EndedTransfer);

    [Benchmark]
    public void A_transfer_as_xferlog() => _xferlog.Write(EndedTransfer);

    [Benchmark]
    public void A_message() => PortGiven(_logger, "k3f9", 10004, null);
}
