using System.Collections.Immutable;
using System.Net;
using Ferry.Config;
using Microsoft.Extensions.Logging;

namespace Ferry.Hosting;
#pragma warning disable CS1591, CA1822, CA1001, IDE0060, CA1816

public sealed class FerryProxy : IAsyncDisposable
{
    public FerryProxy(FerryConfig config, ILoggerFactory? loggers = null, TimeProvider? time = null) { }
    public ImmutableArray<IPEndPoint> EndPoints => [];
    public Task StartAsync(CancellationToken ct = default) => throw new NotSupportedException();
    public Task<IReadOnlyList<string>> ReloadAsync(FerryConfig config, CancellationToken ct = default) => throw new NotSupportedException();
    public Task DrainAsync(CancellationToken ct = default) => throw new NotSupportedException();
    public Task StopAsync(CancellationToken ct = default) => throw new NotSupportedException();
    public ProxyStatus GetStatus() => throw new NotSupportedException();
    public ValueTask DisposeAsync() => default;
}

public sealed record ProxyStatus(int Sessions, int Transfers, ImmutableArray<ZoneStatus> Zones);

public sealed record ZoneStatus(string Name, int Used, int Free);
