using Ferry.Config;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ferry.Hosting;

/// <summary>Puts a proxy into a host.</summary>
public static class FerryServiceCollectionExtensions
{
    /// <summary>Adds a proxy that starts and drains with the host and logs with its loggers.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="config">What the proxy does.</param>
    public static IServiceCollection AddFerry(this IServiceCollection services, FerryConfig config) => services.AddFerry(_ => config);

    /// <summary>As <see cref="AddFerry(IServiceCollection, FerryConfig)"/>, with a configuration made when the host is built.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="config">Makes the configuration.</param>
    public static IServiceCollection AddFerry(this IServiceCollection services, Func<IServiceProvider, FerryConfig> config)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(config);
        services.AddSingleton(provider => new FerryProxy(config(provider), provider.GetService<ILoggerFactory>(), provider.GetService<TimeProvider>()));
        services.AddHostedService(static provider => new FerryHostedService(provider.GetRequiredService<FerryProxy>()));
        return services;
    }
}
