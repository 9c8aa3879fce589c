using System.Linq;
using Ferry.Config;
using Ferry.Hosting;

namespace Ferry.Daemon;

/// <summary><c>ferryd -c FILE</c>, <c>ferryd run</c>: the proxy, until a signal ends it.</summary>
internal static class RunCommand
{
    public static async Task<int> RunAsync(RunArguments arguments)
    {
        var file = ConfigFile.Load(arguments.File, arguments.Prefix);
        // What has no meaning here is told by `ferryd check`, not at every start.
        Report.Diagnostics(file.Diagnostics, arguments.Quiet ? ConfigSeverity.Error : ConfigSeverity.Warning);
        if (file.Config is not { } config)
            return ExitCode.Failure;
        if (config.PidFile is { } pidFile && PidFile.FindOwner(pidFile) is { } owner)
        {
            Report.Error($"another ferryd, process {owner}, is running: the pid file {pidFile} is its own; stop it, or name another file (pid)");
            return ExitCode.Failure;
        }
        if (config.MaxOpenFiles is { } files && OpenFileLimit.TryRaise(files) is { } refused)
            Report.Error(refused);

        using var signals = new Signals();
        await using var proxy = new FerryProxy(config);
        try
        {
            await proxy.StartAsync(signals.StopToken).ConfigureAwait(false);
        }
        catch (FerryStartException e)
        {
            foreach (var error in e.Errors)
                Report.Error(error);
            return ExitCode.Failure;
        }
        catch (OperationCanceledException) when (signals.StopToken.IsCancellationRequested)
        {
            return ExitCode.Ok;
        }

        var daemon = new RunningDaemon(proxy, config, arguments, signals);
        if (daemon.TryWritePidFile() is { } refusal)
        {
            Report.Error(refusal);
            return ExitCode.Failure;
        }
        if (!arguments.Quiet && !Console.IsErrorRedirected)
            Report.Line($"ferryd {VersionCommand.Version} is ready: listening on {string.Join(", ", proxy.EndPoints.AsEnumerable())}");
        await daemon.ServeAsync().ConfigureAwait(false);
        return ExitCode.Ok;
    }
}
