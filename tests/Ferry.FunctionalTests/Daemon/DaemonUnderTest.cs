using System.Diagnostics;
using System.IO;
using System.Runtime.InteropServices;

namespace Ferry.FunctionalTests.Daemon;

/// <summary>What a program that has ended left behind.</summary>
internal sealed record ProgramResult(int ExitCode, string Output, string Errors);

/// <summary>The built ferryd, as a process.</summary>
internal static partial class DaemonUnderTest
{
    // Far beyond what any of it takes: a test that reaches it has failed.
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public const int SIGHUP = 1;
    public const int SIGINT = 2;
    public const int SIGQUIT = 3;
    public const int SIGUSR1 = 10;
    public const int SIGTERM = 15;

    /// <summary>The program of the same configuration as this test, found from the repository's root.</summary>
    public static string Program { get; } = Find();

    public static Task<ProgramResult> RunAsync(params string[] arguments) => RunProgramAsync(Program, arguments);

    public static async Task<ProgramResult> RunProgramAsync(string program, params string[] arguments)
    {
        using var process = Start(program, arguments);
        using var limit = new CancellationTokenSource(Limit);
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = process.StandardError.ReadToEndAsync(limit.Token);
        try
        {
            await process.WaitForExitAsync(limit.Token);
            return new ProgramResult(process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
    }

    public static Process Start(string program, params string[] arguments) => Process.Start(new ProcessStartInfo(program, arguments)
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    public static void Signal(Process process, int signal) => Assert.Equal(0, kill(process.Id, signal));

    [LibraryImport("libc")]
    private static partial int kill(int pid, int sig);

    private static string Find()
    {
        // …/tests/Ferry.FunctionalTests/bin/Release/net10.0/
        var here = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/'));
        var root = here;
        while (!File.Exists(Path.Combine(root.FullName, "Ferry.slnx")))
            root = root.Parent ?? throw new DirectoryNotFoundException($"no Ferry.slnx above {here}");
        return Path.Combine(root.FullName, "src", "Ferry.Daemon", "bin", here.Parent!.Name, here.Name, "ferryd");
    }
}
