using System.Collections.Immutable;

namespace Ferry.FunctionalTests.Harness;

/// <summary>The built <c>ferryd</c> as a process of its own.</summary>
internal sealed class FerrydProcess : IAsyncDisposable
{
    private readonly ChildProcess _child;

    private FerrydProcess(ChildProcess child) => _child = child;

    public int Pid => _child.Pid;

    public bool HasExited => _child.HasExited;

    public string Output => _child.Output;

    /// <summary>Starts <c>ferryd -c FILE -p PREFIX</c> and returns when it listens on the port.</summary>
    /// <param name="configuration">The file.</param>
    /// <param name="prefix">What its relative paths are relative to.</param>
    /// <param name="port">A port that it listens on.</param>
    /// <param name="netns">The network namespace that it runs in.</param>
    /// <param name="etc">A folder that it sees as /etc; only with a namespace, whose mounts are its own.</param>
    public static async Task<FerrydProcess> StartAsync(string configuration, string prefix, int port, string? netns = null, string? etc = null)
    {
        string[] line = [.. With(etc), Repository.Ferryd, "-c", configuration, "-p", prefix];
        var child = await ChildProcess.StartAsync(line[0], line[1..], netns);
        try
        {
            await child.ListeningAsync(port);
            return new FerrydProcess(child);
        }
        catch
        {
            await child.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs <c>ferryd</c> to its end, as for <c>-t</c>.</summary>
    public static Task<CommandResult> RunAsync(params ImmutableArray<string> arguments) => Command.RunAsync(Repository.Ferryd, arguments);

    /// <summary>Runs <c>ferryd -t</c> in a network namespace, with a folder that it sees as /etc.</summary>
    public static Task<CommandResult> CheckAsync(string configuration, string prefix, string netns, string etc)
    {
        string[] line = [.. With(etc), Repository.Ferryd, "-t", "-c", configuration, "-p", prefix];
        return Command.RunAsync(line[0], line[1..], netns: netns);
    }

    /// <summary>Sends a signal by its name, such as HUP.</summary>
    public Task SignalAsync(string name) => _child.SignalAsync(name);

    /// <summary>Ends when the process has ended, with its exit code.</summary>
    public Task<int> ExitedAsync(TimeSpan? bound = null) => _child.ExitedAsync(bound);

    /// <summary>The first line of its output, past or to come, that begins with the text.</summary>
    public Task<string> SaidAsync(string text) => _child.SaidAsync(text);

    public ValueTask DisposeAsync() => _child.DisposeAsync();

    private static string[] With(string? etc) => etc is null ? [] : ["sh", "-c", "mount --bind \"$0\" /etc && exec \"$@\"", etc];
}
