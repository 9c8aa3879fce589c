using System.Linq;
using System.Net.Sockets;
using Ferry.Config;
using Ferry.Transport;
using Microsoft.Extensions.Logging;

namespace Ferry.Hosting;

/// <summary>Single ports that stand for a zone's.</summary>
internal sealed partial class GenerationBuilder
{
    /// <summary>The pool of a server's passive ports: the one before where it fits, so that leases and the order of ports go on.</summary>
    private PortPool ClientPool(ServerConfig config)
    {
        var redirects = RedirectPlan.EndPoints(config);
        var pool = _previous?.Pools.FirstOrDefault(p => p.Fits(config.Zone, config.Data.Peer, redirects));
        if (pool is null)
        {
            _newPools.Add(pool = new PortPool(config.Zone, config.Data.Peer, _parts.Time, _parts.Logger));
            if (pool.Redirect(_parts.Redirects, redirects, out var failed) is var error and not SocketError.Success)
                _errors.Add($"cannot listen on {failed}, which stands for ports {config.Zone.MinPort}-{config.Zone.MaxPort} of zone \"{config.Zone.Name}\": {Reason(error)}");
        }
        if (_config.RangeMethod is RangeMethod.Tproxy or RangeMethod.None)
            BeTransparent(pool);
        return pool;
    }

    private void BeTransparent(PortPool pool)
    {
        foreach (var redirect in pool.Redirects)
        {
            // Rules that the operator has made may be of the other kind, which needs nothing.
            if (!redirect.TryBeTransparent(out var error) && _config.RangeMethod == RangeMethod.Tproxy)
                _errors.Add($"cannot take connections of TPROXY on {redirect.EndPoint}: {(error == SocketError.AccessDenied ? "not permitted; it needs root or CAP_NET_ADMIN" : error)}");
        }
    }

    /// <summary>The last step of a generation, because the kernel acts on it at once.</summary>
    private async Task ChangeRulesAsync()
    {
        var ranges = _parts.Ranges.All(_config.Ranges);
        foreach (var range in RedirectPlan.Unused(_config, ranges))
            Log.RangeUnused(_parts.Logger, range.Position, range.First, range.Last, range.DestinationPort);
        if (await _parts.KernelRules.UseAsync(_made, _config, RedirectPlan.Rules(_config, ranges)).ConfigureAwait(false) is { } error)
            _errors.Add(error);
    }

    private static partial class Log
    {
        [LoggerMessage(523, LogLevel.Warning, "{Position}: ports {First}-{Last} are not redirected: no data server with \"njtmesh_dest\" or \"mesh\" listens on port {Destination}")]
        public static partial void RangeUnused(ILogger logger, ConfigPosition position, int first, int last, int destination);
    }
}
