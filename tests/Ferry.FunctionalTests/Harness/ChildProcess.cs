using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;

namespace Ferry.FunctionalTests.Harness;

/// <summary>
/// A program that runs beside the tests, in a process group of its own. A small shell holds the other end of a pipe to this process
/// and ends the group when the pipe closes, so that nothing is left behind even when the tests are killed.
/// </summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private const string Guard = """
        exec 3<&0
        "$@" </dev/null 3<&- &
        child=$!
        echo "pid $child"
        { read -r line; kill -KILL 0; } <&3 >/dev/null 2>&1 &
        reader=$!
        exec 3<&-
        wait "$child"
        code=$?
        kill -KILL "$reader" 2>/dev/null
        exit "$code"
        """;

    private readonly Process _guard;
    private readonly StringBuilder _output = new();
    private readonly TaskCompletionSource<int> _pid = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<(string Text, TaskCompletionSource<string> Source)> _waiters = [];

    private ChildProcess(string[] line, IReadOnlyDictionary<string, string>? environment)
    {
        CommandLine = string.Join(' ', line);
        var start = new ProcessStartInfo("setsid", ["sh", "-c", Guard, "guard", .. line])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        _guard = new Process { StartInfo = start };
        _guard.OutputDataReceived += (_, e) => Take(e.Data);
        _guard.ErrorDataReceived += (_, e) => Take(e.Data);
        _guard.Start();
        _guard.BeginOutputReadLine();
        _guard.BeginErrorReadLine();
    }

    public string CommandLine { get; }

    /// <summary>The process id of the program itself.</summary>
    public int Pid => _pid.Task.Result;

    public bool HasExited => _guard.HasExited;

    /// <summary>What the program has said so far on standard output and error.</summary>
    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    public static async Task<ChildProcess> StartAsync(
        string program, IEnumerable<string> arguments, string? netns = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        string[] line = netns is null ? [program, .. arguments] : ["ip", "netns", "exec", netns, program, .. arguments];
        var child = new ChildProcess(line, environment);
        await Wait.For(child._pid.Task, $"the start of {child.CommandLine}");
        return child;
    }

    /// <summary>Ends when something listens on the port in the program's network namespace; fails when the program ends before.</summary>
    public async Task ListeningAsync(int port)
    {
        await Wait.Until(
            () => HasExited || KernelSockets.IsListening(Pid, port),
            () => $"{CommandLine} to listen on {port}. It said:\n{Output}");
        Assert.False(HasExited, $"{CommandLine} ended. It said:\n{Output}");
    }

    /// <summary>The first line, past or to come, that begins with the text; fails when the program ends without it.</summary>
    public async Task<string> SaidAsync(string text, TimeSpan? bound = null)
    {
        var source = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_output)
        {
            if (_output.ToString().Split('\n').FirstOrDefault(l => l.StartsWith(text, StringComparison.Ordinal)) is { } past)
                return past;
            _waiters.Add((text, source));
        }
        // The end comes after the last line of output.
        var ended = _guard.WaitForExitAsync();
        await Task.WhenAny(source.Task, ended, Task.Delay(bound ?? Wait.Bound));
        Assert.True(source.Task.IsCompleted, $"{CommandLine} did not say {text}{(ended.IsCompleted ? " and ended" : "")}. It said:\n{Output}");
        return await source.Task;
    }

    /// <summary>Sends a signal by its name, such as HUP, to the program alone.</summary>
    public async Task SignalAsync(string name) =>
        (await Command.RunAsync("kill", [$"-{name}", Pid.ToString(CultureInfo.InvariantCulture)])).Succeeded();

    /// <summary>Ends when the program has ended, with its exit code.</summary>
    public async Task<int> ExitedAsync(TimeSpan? bound = null)
    {
        await Wait.For(_guard.WaitForExitAsync(), $"the end of {CommandLine}", bound);
        return _guard.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_guard.HasExited)
        {
            try
            {
                // Closing the pipe is the order to end; processes of ended sessions go with the group.
                _guard.StandardInput.Close();
            }
            catch (IOException)
            {
                // It is ending by itself just now.
            }
            await Wait.For(_guard.WaitForExitAsync(), $"the end of {CommandLine}");
        }
        _guard.Dispose();
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            _pid.TrySetException(new InvalidOperationException($"{CommandLine} did not start: {Output}"));
            return;
        }
        if (!_pid.Task.IsCompleted && line.StartsWith("pid ", StringComparison.Ordinal))
        {
            _pid.SetResult(int.Parse(line.AsSpan(4), CultureInfo.InvariantCulture));
            return;
        }
        lock (_output)
        {
            _output.Append(line).Append('\n');
            foreach (var (_, source) in _waiters.FindAll(w => line.StartsWith(w.Text, StringComparison.Ordinal)))
                source.TrySetResult(line);
        }
    }
}
