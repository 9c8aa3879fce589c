using System.Diagnostics;
using System.IO;

namespace Ferry.FunctionalTests.Upstreams;

/// <summary>An NGINX of the test's own: own prefix, one process, in the foreground, ended by its handle.</summary>
internal sealed class NginxProcess : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly string _folder;
    private readonly Task _log;

    private NginxProcess(Process process, string folder, Task log)
    {
        _process = process;
        _folder = folder;
        _log = log;
    }

    /// <summary>Starts NGINX with the inside of a <c>stream</c> block, and returns when it listens.</summary>
    public static async Task<NginxProcess> StartAsync(string stream)
    {
        var folder = Directory.CreateTempSubdirectory("ferry-nginx-").FullName;
        var file = Path.Combine(folder, "nginx.conf");
        await File.WriteAllTextAsync(file, $$"""
            load_module {{NginxFactAttribute.StreamModule}};
            daemon off;
            master_process off;
            pid {{folder}}/nginx.pid;
            error_log stderr notice;
            events { worker_connections 512; }
            stream {
            {{stream}}
            }
            """);
        var process = Process.Start(new ProcessStartInfo(NginxFactAttribute.Program, ["-p", folder, "-e", "stderr", "-c", file]) { RedirectStandardError = true })!;
        var said = new List<string>();
        var listens = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var log = Task.Run(async () =>
        {
            while (await process.StandardError.ReadLineAsync() is { } line)
            {
                said.Add(line);
                // The first thing that NGINX says once its listening sockets are open.
                if (line.Contains("event method", StringComparison.Ordinal))
                    listens.TrySetResult();
            }
            listens.TrySetException(new InvalidOperationException("nginx ended: " + string.Join('\n', said)));
        });
        var nginx = new NginxProcess(process, folder, log);
        try
        {
            await listens.Task.WaitAsync(Limit);
            return nginx;
        }
        catch
        {
            await nginx.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync().WaitAsync(Limit);
        await _log.WaitAsync(Limit);
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
