using Ferry.Telemetry;
using Ferry.Transport;
using Ferry.Upstreams;
using Microsoft.Extensions.Logging;

namespace Ferry.Hosting;

/// <summary>What all generations of a proxy share.</summary>
internal sealed class ProxyParts
{
    private readonly ErrorLog? _errorLog;

    /// <param name="loggers">The embedder's; null: the configuration's <c>error_log</c> lines are honoured.</param>
    /// <param name="time">The clock of everything.</param>
    /// <param name="rangeFile">Where ranges that are added at run time are kept; null: nowhere.</param>
    public ProxyParts(ILoggerFactory? loggers, TimeProvider time, string? rangeFile = null)
    {
        Ranges = new RangeTable(rangeFile);
        Time = time;
        _errorLog = loggers is null ? new ErrorLog([], time) : null;
        Loggers = loggers ?? _errorLog!;
        Logger = Loggers.CreateLogger("Ferry");
        SessionLogger = Loggers.CreateLogger("Ferry.Session");
        Lingering = new LingeringLegs(time);
        Redirects = new RedirectListeners(time, Logger);
        KernelRules = new KernelRules(time, Logger);
    }

    public ILoggerFactory Loggers { get; }

    public TimeProvider Time { get; }

    public ILogger Logger { get; }

    public ILogger SessionLogger { get; }

    public FerryMetrics Metrics { get; } = new();

    /// <summary>Where TLS data connections wait for their peers' ends; they outlive their sessions.</summary>
    public LingeringLegs Lingering { get; }

    /// <summary>The places of programs that check servers.</summary>
    public SemaphoreSlim HealthPrograms { get; } = new(HealthProgram.MostAtOnce);

    /// <summary>The listeners of single ports.</summary>
    public RedirectListeners Redirects { get; }

    /// <summary>What the kernel does for them.</summary>
    public KernelRules KernelRules { get; }

    /// <summary>Ranges that were added at run time.</summary>
    public RangeTable Ranges { get; }

    public LogFiles LogFiles { get; } = new();

    /// <summary>True where <c>error_log</c> is honoured.</summary>
    public bool OwnsErrorLog => _errorLog is not null;

    /// <summary>Sends log messages to the files of a generation from now on.</summary>
    public void UseErrorLogs(IEnumerable<ErrorLogTarget> targets) => _errorLog?.Use(targets);
}
