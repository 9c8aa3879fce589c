namespace Ferry.Daemon;

internal static class DemoCommand
{
    public const int DefaultPort = 2121;

    public static Task<int> RunAsync(int port, string? root) => Task.FromResult(port + (root?.Length ?? 0));
}
