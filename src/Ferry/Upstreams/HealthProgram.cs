using System.Globalization;
using System.Linq;
using Ferry.Config;
using Ferry.Transport.Linux;
using Microsoft.Extensions.Logging;

namespace Ferry.Upstreams;

/// <summary>Checks by a program of the operator's: it runs once for each check and server, and 0 is what it ends with where the server is well.</summary>
/// <param name="group">The upstream's name.</param>
/// <param name="check">How servers are checked.</param>
/// <param name="places">So many programs run at once, of all upstreams together.</param>
/// <param name="time">The clock of the bound.</param>
/// <param name="logger">Where programs that cannot be run are told, and what they print.</param>
internal sealed partial class HealthProgram(string group, HealthCheckConfig check, SemaphoreSlim places, TimeProvider time, ILogger logger)
{
    /// <summary>How many <c>places</c> there are: programs cost memory and processors, and a slow server must not multiply them.</summary>
    public const int MostAtOnce = 16;

    /// <summary>Checks that are put off are told of again after this.</summary>
    private static readonly TimeSpan ToldAgain = TimeSpan.FromMinutes(1);

    private const string Path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    private volatile bool _isMissing;
    private volatile bool _isUnknown;
    private long _putOffToldAt = long.MinValue;

    /// <summary>What arguments may name.</summary>
    public static IReadOnlyList<string> Variables => ConfigVariables.OfPrograms;

    /// <summary>Checks a server.</summary>
    /// <param name="server">Which.</param>
    /// <param name="stop">Gives up at once.</param>
    public async Task<HealthProbeResult> RunAsync(UpstreamServer server, CancellationToken stop)
    {
        // The caller is the heartbeat, whose thread no program is to keep.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var nothing = new HealthProbeResult(null) { IsVoid = true };
        if (!await TakePlaceAsync(server, stop).ConfigureAwait(false))
            return nothing;
        var program = check.Program!;
        ChildProgram? child;
        string error;
        try
        {
            child = ChildProgram.TryStart(
                program.Path, program.Arguments.Select(a => a.Expand(name => ValueOf(name, server))), [Path, "LC_ALL=C", .. Variables.Select(v => $"FERRY_{v.ToUpperInvariant()}={ValueOf(v, server)}")], out error);
        }
        catch
        {
            places.Release();
            throw;
        }
        if (child is null)
        {
            places.Release();
            if (!_isMissing)
                Log.NotStarted(logger, group, program.Path, error);
            _isMissing = true;
            return nothing;
        }
        _isMissing = false;
        _ = GiveBackAsync(child);
        return await WaitAsync(child, server, stop).ConfigureAwait(false) ?? nothing;
    }

    private async Task<bool> TakePlaceAsync(UpstreamServer server, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(check.Timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            await places.WaitAsync(both.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            if (!stop.IsCancellationRequested && IsWorthAWord())
                Log.PutOff(logger, group, server.Name, MostAtOnce);
            return false;
        }
    }

    private bool IsWorthAWord()
    {
        var now = time.GetTimestamp();
        var last = Volatile.Read(ref _putOffToldAt);
        return (last == long.MinValue || time.GetElapsedTime(last, now) >= ToldAgain) && Interlocked.CompareExchange(ref _putOffToldAt, now, last) == last;
    }

    /// <summary>A killed program may still be in the kernel's hands for a while; its place is free when it has gone.</summary>
    private async Task GiveBackAsync(ChildProgram child)
    {
        await child.Ended.ConfigureAwait(false);
        places.Release();
    }

    /// <returns>Null where nothing is known.</returns>
    private async Task<HealthProbeResult?> WaitAsync(ChildProgram child, UpstreamServer server, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(check.Timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        ProgramEnd end;
        try
        {
            end = await child.Ended.WaitAsync(both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            child.Kill();
            return stop.IsCancellationRequested
                ? null
                : new HealthProbeResult($"its program had not ended after {check.Timeout.TotalSeconds:0.###} s, and was killed");
        }
        if (end.FirstLine.Length > 0)
            Log.Printed(logger, group, server.Name, end.FirstLine);
        var words = end.FirstLine.Length > 0 ? $": {end.FirstLine}" : "";
        return end switch
        {
            { PrintedTooMuch: true } => new HealthProbeResult($"its program printed more than {ChildProgram.MostOutput} bytes, and was killed{words}"),
            { ExitCode: 0 } => new HealthProbeResult(null),
            { ExitCode: { } code } => new HealthProbeResult($"its program ended with {code}{words}"),
            { Signal: > 0 } => new HealthProbeResult($"its program was ended by signal {end.Signal}{words}"),
            _ => Unknown(check.Program!.Path),
        };
    }

    /// <summary>Somebody else has reaped it: where SIGCHLD was ignored when Ferry was started, .NET does.</summary>
    private HealthProbeResult? Unknown(string program)
    {
        if (!_isUnknown)
            Log.Unknown(logger, group, program);
        _isUnknown = true;
        return null;
    }

    private string ValueOf(string name, UpstreamServer server) => name switch
    {
        "upstream_name" => group,
        "server_name" => KetamaRing.TextOf(server.Config),
        "server_addr" => server.EndPoint.Address.ToString(),
        "server_port" => (check.Port ?? server.EndPoint.Port).ToString(CultureInfo.InvariantCulture),
        _ => server.Sessions.ToString(CultureInfo.InvariantCulture),
    };

    private static partial class Log
    {
        [LoggerMessage(355, LogLevel.Error, "upstream \"{Upstream}\": the program of its checks could not be started, and nothing is known by it until it can be: {Program}: {Reason}")]
        public static partial void NotStarted(ILogger logger, string upstream, string program, string reason);

        [LoggerMessage(356, LogLevel.Warning, "upstream \"{Upstream}\": a check of server {Server} is put off: {Count} programs of checks run already")]
        public static partial void PutOff(ILogger logger, string upstream, string server, int count);

        [LoggerMessage(358, LogLevel.Error, "upstream \"{Upstream}\": how the program of its checks has ended cannot be told, and nothing is known by it; was Ferry started with SIGCHLD ignored? {Program}")]
        public static partial void Unknown(ILogger logger, string upstream, string program);

        [LoggerMessage(357, LogLevel.Debug, "upstream \"{Upstream}\": the program that checks server {Server} says: {Line}")]
        public static partial void Printed(ILogger logger, string upstream, string server, string line);
    }
}
