using System.Runtime.InteropServices;
using Ferry.Config;

namespace Ferry.Daemon;

/// <summary><c>ferryd -s NAME</c>, <c>ferryd reload|quit|stop|reopen</c>: signals the ferryd that the pid file names.</summary>
internal static class SignalCommand
{
    public static readonly string[] Names = ["reload", "quit", "stop", "reopen"];

    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="arguments">Which configuration names the pid file.</param>
    /// <param name="pidFile">The pid file itself, which saves reading the configuration; may be null.</param>
    public static int Run(string name, RunArguments arguments, string? pidFile)
    {
        if ((pidFile ?? FindPidFile(name, arguments)) is not { } path)
            return ExitCode.Failure;
        if (PidFile.TryRead(path, out var error) is not { } pid)
            return Fail(error);
        if (!DaemonProcess.IsAlive(pid))
            return Fail($"ferryd is not running: the pid file {path} names process {pid}, which has ended");
        if (!DaemonProcess.IsFerry(pid))
            return Fail($"ferryd is not running: the pid file {path} names process {pid}, which is another program; it was not signalled");
        if (Libc.kill(pid, NumberOf(name)) == 0)
            return ExitCode.Ok;
        return Fail(Marshal.GetLastPInvokeError() switch
        {
            Libc.ESRCH => $"ferryd is not running: process {pid} of {path} has just ended",
            Libc.EPERM => $"process {pid} may not be signalled by this user; try it as root or as the user that runs ferryd",
            _ => $"process {pid} could not be signalled: {Marshal.GetLastPInvokeErrorMessage()}",
        });
    }

    private static string? FindPidFile(string name, RunArguments arguments)
    {
        var file = ConfigFile.Load(arguments.File, arguments.Prefix);
        if (file.Config is not { } config)
        {
            Report.Diagnostics(file.Diagnostics, ConfigSeverity.Error);
            Report.Error(name == "reload"
                ? "the configuration has errors: nothing was signalled"
                : "the configuration has errors, so its pid file is not known: name it with --pid-file FILE");
            return null;
        }
        if (config.PidFile is null)
            Report.Error($"the configuration {arguments.File} names no pid file (pid), so the running ferryd cannot be found");
        return config.PidFile;
    }

    private static int NumberOf(string name) => name switch
    {
        "reload" => Libc.SIGHUP,
        "quit" => Libc.SIGQUIT,
        "reopen" => Libc.SIGUSR1,
        _ => Libc.SIGTERM,
    };

    private static int Fail(string error)
    {
        Report.Error(error);
        return ExitCode.Failure;
    }
}
