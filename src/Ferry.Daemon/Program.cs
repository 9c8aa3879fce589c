namespace Ferry.Daemon;

internal static class Program
{
    private static Task<int> Main(string[] args)
    {
        // Continuations of socket calls run on the epoll threads that found the sockets ready, as NGINX's do: one hop to
        // another thread less for every line and every block. Read once by the runtime, when the first socket is made.
        const string inline = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";
        if (Environment.GetEnvironmentVariable(inline) is null)
            Environment.SetEnvironmentVariable(inline, "1");

        return CommandLine.InvokeAsync(args);
    }
}
