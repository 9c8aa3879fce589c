using System.Collections.Immutable;
using System.Net;
using Ferry.Config;
using Ferry.Sessions;
using Ferry.Telemetry;
using Ferry.Transport;
using Ferry.Transport.Tls;
using Ferry.Upstreams;

namespace Ferry.Hosting;

/// <summary>One configuration at work. It is kept alive by being in force and by each of its sessions; with the last of them its logs and ports go.</summary>
internal sealed class Generation
{
    private readonly Func<Generation, Task> _ended;
    private int _holds = 1;

    public Generation(FerryConfig config, Func<Generation, Task> ended)
    {
        Config = config;
        _ended = ended;
    }

    public FerryConfig Config { get; }

    public ImmutableArray<ControlServer> Servers { get; set; } = [];

    public ImmutableArray<UpstreamGroup> Groups { get; set; } = [];

    /// <summary>The checks of its groups' servers, which go on as long as it is in force.</summary>
    public ImmutableArray<HealthMonitor> Monitors { get; set; } = [];

    public ImmutableArray<PortPool> Pools { get; set; } = [];

    /// <summary>The control addresses, by what the configuration names.</summary>
    public Dictionary<IPEndPoint, ControlListener> Listeners { get; } = [];

    /// <summary>What its servers speak TLS with.</summary>
    public List<ReloadingTlsContext> TlsContexts { get; } = [];

    /// <summary>The services that are asked where users belong.</summary>
    public List<RouteLookup> Lookups { get; } = [];

    /// <summary>The logs that it holds open.</summary>
    public List<LogFile> Logs { get; } = [];

    public List<ErrorLogTarget> ErrorLogs { get; } = [];

    /// <summary>A session of this generation begins; false where the generation has ended already.</summary>
    public bool TryHold()
    {
        while (Volatile.Read(ref _holds) is > 0 and var holds)
        {
            if (Interlocked.CompareExchange(ref _holds, holds + 1, holds) == holds)
                return true;
        }
        return false;
    }

    /// <summary>A session of this generation has ended, or the generation is no longer in force.</summary>
    public Task LetGoAsync() => Interlocked.Decrement(ref _holds) == 0 ? _ended(this) : Task.CompletedTask;
}
