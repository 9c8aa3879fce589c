using System.Diagnostics;
using System.IO;
using System.Text;

namespace Ferry.FunctionalTests.Harness;

/// <summary>What a program said, standard output and error together, and how it ended.</summary>
internal sealed record CommandResult(string CommandLine, int ExitCode, string Output)
{
    /// <summary>Fails the test unless the program ended with 0.</summary>
    public CommandResult Succeeded()
    {
        Assert.True(ExitCode == 0, ToString());
        return this;
    }

    public override string ToString() => $"{CommandLine}\nended with {ExitCode} and said:\n{Output}";
}

/// <summary>A program that runs to its end within a bound.</summary>
internal static class Command
{
    private const int MostOutput = 4 << 20;

    public static async Task<CommandResult> RunAsync(
        string program, IEnumerable<string> arguments, string input = "", string? netns = null,
        IReadOnlyDictionary<string, string>? environment = null, TimeSpan? bound = null)
    {
        string[] line = netns is null ? [program, .. arguments] : ["ip", "netns", "exec", netns, program, .. arguments];
        var start = new ProcessStartInfo(line[0], line[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;

        var output = new StringBuilder();
        using var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, e) => Append(output, e.Data);
        process.ErrorDataReceived += (_, e) => Append(output, e.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading its input; its exit code tells why.
        }
        try
        {
            await Wait.For(process.WaitForExitAsync(), $"the end of {string.Join(' ', line)}", bound ?? TimeSpan.FromSeconds(40));
        }
        catch (TimeoutException e)
        {
            process.Kill(entireProcessTree: true);
            lock (output)
                throw new TimeoutException($"{e.Message} It said:\n{output}");
        }
        lock (output)
            return new CommandResult(string.Join(' ', line), process.ExitCode, output.ToString());
    }

    private static void Append(StringBuilder output, string? line)
    {
        lock (output)
        {
            if (line is not null && output.Length < MostOutput)
                output.AppendLine(line);
        }
    }
}
