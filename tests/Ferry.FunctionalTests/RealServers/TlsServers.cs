using System.Collections.Concurrent;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>The servers of a class of tests, each started when a test first asks for it, and shared from then on.</summary>
public sealed class TlsServers : IAsyncLifetime
{
    private readonly ConcurrentDictionary<TlsServer, Lazy<Task<RealServer>>> _servers = new();

    internal Task<RealServer> GetAsync(TlsServer server) =>
        _servers.GetOrAdd(server, key => new Lazy<Task<RealServer>>(() => RealServer.StartAsync(key.Kind(), tls: key.Tls()))).Value;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var server in _servers.Values)
        {
            // What failed to start has failed its test.
            if (server.Value.IsCompletedSuccessfully)
                await (await server.Value).DisposeAsync();
        }
    }
}
