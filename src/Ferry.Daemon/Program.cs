namespace Ferry.Daemon;

internal static class Program
{
    private static Task<int> Main(string[] args) => CommandLine.InvokeAsync(args);
}
