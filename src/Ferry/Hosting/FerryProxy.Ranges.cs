using System.Collections.Immutable;
using System.Linq;
using Ferry.Config;

namespace Ferry.Hosting;

public sealed partial class FerryProxy
{
    /// <summary>The ranges in force: those of the configuration, and those added since.</summary>
    internal ImmutableArray<RangeConfig> Ranges => _current is { } current ? _parts.Ranges.All(current.Config.Ranges) : [];

    /// <summary>Redirects another range, until it is removed.</summary>
    /// <returns>Null when it is in force and kept; else nothing has changed, and this is why.</returns>
    internal Task<string?> AddRangeAsync(RangeConfig range, CancellationToken ct = default) => ChangeRangesAsync(
        current => RedirectPlan.Unused(current, [range]).Any()
            ? $"no data server with \"njtmesh_dest\" or \"mesh\" listens on port {range.DestinationPort}"
            : _parts.Ranges.TryAdd(range, current.Ranges),
        ct);

    /// <summary>Redirects a range no more that was added at run time.</summary>
    /// <returns>Null when that is so; else nothing has changed, and this is why.</returns>
    internal Task<string?> RemoveRangeAsync(RangeConfig range, CancellationToken ct = default) =>
        ChangeRangesAsync(current => _parts.Ranges.TryRemove(range, current.Ranges), ct);

    private async Task<string?> ChangeRangesAsync(Func<FerryConfig, string?> change, CancellationToken ct)
    {
        await _changing.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_current is not { } current || _stopping)
                return "the proxy is not running";
            if (current.Config.RangeMethod == RangeMethod.None)
                return "with \"range_method none\" the rules are the operator's";
            var before = _parts.Ranges.Added;
            if (change(current.Config) is { } refusal)
                return refusal;
            var error = await UseRangesAsync(current).ConfigureAwait(false);
            if (error is null)
            {
                error = _parts.Ranges.TrySave();
                if (error is null)
                {
                    await _parts.KernelRules.TellAsync().ConfigureAwait(false);
                    return null;
                }
                _parts.Ranges.Restore(before);
                await UseRangesAsync(current).ConfigureAwait(false);
                return error;
            }
            _parts.Ranges.Restore(before);
            return error;
        }
        finally
        {
            _changing.Release();
        }
    }

    private Task<string?> UseRangesAsync(Generation current) =>
        _parts.KernelRules.UseAsync(current, current.Config, RedirectPlan.Rules(current.Config, _parts.Ranges.All(current.Config.Ranges)));
}
