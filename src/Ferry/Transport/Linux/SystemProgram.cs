using System.ComponentModel;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text;

namespace Ferry.Transport.Linux;

/// <summary>Runs a program of the system to its end: no shell, bounded time, bounded output.</summary>
internal static class SystemProgram
{
    private const int MostOutput = 1000;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    // Where distributions put the administrator's programs, which services and users often do not have on their path.
    private static readonly string[] Folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin"];

    /// <summary>The program's absolute path; null where there is none.</summary>
    /// <param name="program">A path, or a name that is looked up.</param>
    public static string? Find(string program)
    {
        if (program.Contains('/', StringComparison.Ordinal))
            return File.Exists(program) ? program : null;
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Where(static f => f.StartsWith('/'));
        return Folders.Concat(path).Select(f => Path.Combine(f, program)).FirstOrDefault(File.Exists);
    }

    /// <summary>Runs it.</summary>
    /// <param name="program">A path, or a name that is looked up.</param>
    /// <param name="arguments">What it is told.</param>
    /// <param name="input">What it reads.</param>
    /// <param name="time">The clock of the bound.</param>
    /// <returns>Null when it has ended with 0; else why it did not, with its first words.</returns>
    public static async Task<string?> RunAsync(string program, string[] arguments, string input, TimeProvider time)
    {
        if (Find(program) is not { } path)
            return $"{program}: there is no such program";
        var start = new ProcessStartInfo(path, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["LC_ALL"] = "C";
        using var process = new Process { StartInfo = start };
        try
        {
            process.Start();
        }
        catch (Win32Exception e)
        {
            return $"{path}: {e.Message}";
        }
        using var limit = new CancellationTokenSource(Limit, time);
        try
        {
            var errors = ReadAsync(process.StandardError, limit.Token);
            var output = ReadAsync(process.StandardOutput, limit.Token);
            await WriteAsync(process.StandardInput, input, limit.Token).ConfigureAwait(false);
            var words = await errors.ConfigureAwait(false);
            if (words.Length == 0)
                words = await output.ConfigureAwait(false);
            await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
            return process.ExitCode == 0 ? null : $"{path}: {(words.Length == 0 ? "no reason given" : words)} (exit code {process.ExitCode})";
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            return $"{path}: not done after {Limit.TotalSeconds} seconds";
        }
    }

    private static async Task WriteAsync(StreamWriter writer, string input, CancellationToken ct)
    {
        try
        {
            await writer.WriteAsync(input.AsMemory(), ct).ConfigureAwait(false);
            await writer.FlushAsync(ct).ConfigureAwait(false);
            writer.Close();
        }
        catch (IOException)
        {
            // It ended without reading; its exit code tells why.
        }
    }

    /// <summary>The first words in one line; the rest is read, so that the program does not wait for a reader, and dropped.</summary>
    private static async Task<string> ReadAsync(StreamReader reader, CancellationToken ct)
    {
        var text = new StringBuilder();
        var buffer = new char[256];
        while (await reader.ReadAsync(buffer, ct).ConfigureAwait(false) is > 0 and var count)
            text.Append(buffer.AsSpan(0, Math.Min(count, MostOutput - text.Length)));
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsControl(text[i]))
                text[i] = ' ';
        }
        return text.ToString().Trim();
    }
}
