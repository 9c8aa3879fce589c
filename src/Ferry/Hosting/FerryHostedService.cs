using Microsoft.Extensions.Hosting;

namespace Ferry.Hosting;

/// <summary>Starts and drains a proxy with its host.</summary>
internal sealed class FerryHostedService(FerryProxy proxy) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => proxy.StartAsync(cancellationToken);

    /// <summary>Drains for as long as the host waits, then stops.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        try
        {
            await proxy.DrainAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The host's patience is over; what still runs is ended.
        }
        await proxy.StopAsync(CancellationToken.None).ConfigureAwait(false);
    }
}
