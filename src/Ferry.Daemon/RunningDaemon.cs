using System.Linq;
using Ferry.Config;
using Ferry.Hosting;
using Microsoft.Extensions.Logging;

namespace Ferry.Daemon;

/// <summary>A proxy that listens, between its start and its end: does what the signals ask for, one after the other.</summary>
internal sealed partial class RunningDaemon(FerryProxy proxy, FerryConfig config, RunArguments arguments, Signals signals)
{
    private readonly SystemdNotifier _systemd = new();
    private FerryConfig _config = config;

    /// <summary>Writes the pid file, if the configuration names one; returns null, or why it could not be written.</summary>
    public string? TryWritePidFile() => _config.PidFile is { } path ? PidFile.TryWrite(path) : null;

    /// <summary>Ends when the proxy has stopped.</summary>
    public async Task ServeAsync()
    {
        _systemd.Ready();
        try
        {
            while (await NextRequestAsync().ConfigureAwait(false) is { } request)
            {
                switch (request)
                {
                    case SignalRequest.Reload:
                        await ReloadAsync().ConfigureAwait(false);
                        break;
                    case SignalRequest.Reopen:
                        proxy.ReopenLogs();
                        break;
                    case SignalRequest.Drain:
                        await DrainAsync().ConfigureAwait(false);
                        return;
                }
            }
            _systemd.Stopping();
            await proxy.StopAsync().ConfigureAwait(false);
        }
        finally
        {
            if (_config.PidFile is { } path)
                PidFile.RemoveOwn(path);
        }
    }

    /// <summary>What the next signal asks for; null: to stop at once, whatever else is still waiting.</summary>
    private async ValueTask<SignalRequest?> NextRequestAsync()
    {
        try
        {
            return await signals.Requests.ReadAsync(signals.StopToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private async Task ReloadAsync()
    {
        _systemd.Reloading();
        try
        {
            var file = ConfigFile.Load(arguments.File, arguments.Prefix);
            if (file.Config is not { } next)
            {
                Refuse([.. file.Diagnostics.Where(d => d.Severity == ConfigSeverity.Error).Select(d => (d.ToString(), d.Format()))]);
                return;
            }
            if (next.PidFile is { } path && path != _config.PidFile && PidFile.FindOwner(path) is { } owner)
            {
                var error = $"the pid file {path} is that of another ferryd, process {owner}";
                Refuse([(error, error)]);
                return;
            }
            var errors = await proxy.ReloadAsync(next, signals.StopToken).ConfigureAwait(false);
            if (errors.Count > 0)
            {
                Show(errors); // the proxy has logged them
                return;
            }
            PutInForce(next);
        }
        catch (OperationCanceledException) when (signals.StopToken.IsCancellationRequested)
        {
            // The stop that cancelled it is what comes next.
        }
        finally
        {
            _systemd.Ready();
        }
    }

    /// <summary>Does for a new configuration what the daemon, not the proxy, does for it.</summary>
    private void PutInForce(FerryConfig next)
    {
        var previous = _config;
        _config = next;
        if (next.MaxOpenFiles is { } files && files != previous.MaxOpenFiles && OpenFileLimit.TryRaise(files) is { } refusal)
            Warn(refusal);
        if (next.PidFile == previous.PidFile)
            return;
        if (TryWritePidFile() is { } error)
            Warn(error);
        if (previous.PidFile is { } old)
            PidFile.RemoveOwn(old);
    }

    private async Task DrainAsync()
    {
        _systemd.Stopping();
        var drain = proxy.DrainAsync(signals.StopToken);
        // A drain may take an hour, and logs are rotated meanwhile. A reload or another drain is too late.
        while (!drain.IsCompleted)
        {
            var request = NextRequestAsync().AsTask();
            if (await Task.WhenAny(drain, request).ConfigureAwait(false) == drain || await request.ConfigureAwait(false) is not { } next)
                break;
            if (next == SignalRequest.Reopen)
                proxy.ReopenLogs();
            else if (next == SignalRequest.Reload)
                Warn("no reload: this process is ending");
        }
        try
        {
            await drain.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (signals.StopToken.IsCancellationRequested)
        {
            // SIGTERM ends the drain.
        }
        await proxy.StopAsync().ConfigureAwait(false);
    }

    /// <summary>Says why a reload changed nothing: a line each in the error log, with the source line where a person may watch.</summary>
    private void Refuse(IReadOnlyCollection<(string Line, string Picture)> errors)
    {
        var log = proxy.Loggers.CreateLogger<RunningDaemon>();
        foreach (var (line, _) in errors)
            Log.ReloadRefused(log, line);
        Show(errors.Select(static e => e.Picture));
    }

    private void Show(IEnumerable<string> errors)
    {
        if (LogsToStandardError)
            return;
        foreach (var error in errors)
            Report.Line(error);
        Report.Error("the reload changed nothing; the configuration before it stays in force");
    }

    private void Warn(string message)
    {
        Log.Warning(proxy.Loggers.CreateLogger<RunningDaemon>(), message);
        if (!LogsToStandardError)
            Report.Error(message);
    }

    // What the error log writes there must not be said twice.
    private bool LogsToStandardError => _config.ErrorLogs.IsEmpty || _config.ErrorLogs.Any(log => log.Path == "stderr");

    private static partial class Log
    {
        [LoggerMessage(800, LogLevel.Error, "The reload changed nothing: {Error}")]
        public static partial void ReloadRefused(ILogger logger, string error);

        [LoggerMessage(801, LogLevel.Warning, "{Message}")]
        public static partial void Warning(ILogger logger, string message);
    }
}
