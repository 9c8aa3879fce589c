using System.Collections.Immutable;
using System.Linq;
using System.Net;
using Ferry.Config;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.Hosting;

/// <summary>Stand-in.</summary>
public sealed partial class FerryProxy(FerryConfig config, ILoggerFactory? loggers = null, TimeProvider? time = null) : IAsyncDisposable
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "Ferry";
    private readonly ILogger _logger = (loggers ?? NullLoggerFactory.Instance).CreateLogger<FerryProxy>();

    /// <summary>The bound control addresses.</summary>
    public ImmutableArray<IPEndPoint> EndPoints { get; } = [.. config.Servers.SelectMany(server => server.Listens, (_, listen) => listen.EndPoint)];

    /// <summary>Starts.</summary>
    public Task StartAsync(CancellationToken ct = default)
    {
        Log.Started(_logger, (time ?? TimeProvider.System).GetUtcNow());
        return Task.CompletedTask;
    }

    /// <summary>Stops.</summary>
    public Task StopAsync(CancellationToken ct = default) => EndPoints.IsDefault ? Task.FromCanceled(ct) : Task.CompletedTask;

    /// <summary>Disposes.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static partial class Log
    {
        [LoggerMessage(500, LogLevel.Information, "started at {Time}")]
        public static partial void Started(ILogger logger, DateTimeOffset time);
    }
}

internal sealed class FerryHostedService(FerryProxy proxy) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => proxy.StartAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => proxy.StopAsync(cancellationToken);
}

/// <summary>Stand-in.</summary>
public static class FerryServiceCollectionExtensions
{
    /// <summary>Adds Ferry.</summary>
    public static IServiceCollection AddFerry(this IServiceCollection services, FerryConfig config) =>
        services
            .AddSingleton(provider => new FerryProxy(config, provider.GetService<ILoggerFactory>(), provider.GetService<TimeProvider>()))
            .AddHostedService<FerryHostedService>();
}
