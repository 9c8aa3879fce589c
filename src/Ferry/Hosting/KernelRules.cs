using System.Collections.Immutable;
using System.Linq;
using Ferry.Config;
using Ferry.Transport.Linux;
using Microsoft.Extensions.Logging;

namespace Ferry.Hosting;

/// <summary>
/// The rules that all living generations need together: sessions of an older one go on using its ports. The newest says which program makes them.
/// </summary>
internal sealed class KernelRules(TimeProvider time, ILogger logger) : IDisposable
{
    private readonly SemaphoreSlim _changing = new(1, 1);
    private readonly KernelRedirect _kernel = new(logger);
    private ImmutableDictionary<Generation, ImmutableArray<RedirectRule>> _wanted = ImmutableDictionary<Generation, ImmutableArray<RedirectRule>>.Empty;
    private ImmutableArray<IRuleTool> _tools = [];

    /// <summary>Makes the rules of a generation, beside those of the others.</summary>
    /// <returns>Null when they are made; else why not, and nothing has changed.</returns>
    public async Task<string?> UseAsync(Generation generation, FerryConfig config, ImmutableArray<RedirectRule> rules)
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            var tools = KernelRedirect.ToolsOf(config, time);
            var wanted = _wanted.SetItem(generation, rules);
            if (await ApplyAsync(tools, wanted).ConfigureAwait(false) is { } error)
                return $"ports cannot be redirected to {string.Join(", ", rules.Select(static r => r.DestinationPort).Distinct())} (range): {error}; "
                    + "with \"range_method none\" the rules are yours to make, and \"ferryd rules\" prints them";
            (_wanted, _tools) = (wanted, tools);
            return null;
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Takes the rules away that only this generation has needed.</summary>
    public async Task LetGoAsync(Generation generation)
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            _wanted = _wanted.Remove(generation);
            // What could not be removed has been logged, and is replaced at the next start.
            await ApplyAsync(_tools, _wanted).ConfigureAwait(false);
            _kernel.Tell();
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Logs what <see cref="UseAsync"/> has changed, now that it is in force.</summary>
    public async Task TellAsync()
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            _kernel.Tell();
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Takes all of them away.</summary>
    public async Task RemoveAsync()
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            _wanted = _wanted.Clear();
            await ApplyAsync(_tools, _wanted).ConfigureAwait(false);
        }
        finally
        {
            _changing.Release();
        }
    }

    public void Dispose() => _changing.Dispose();

    private Task<string?> ApplyAsync(ImmutableArray<IRuleTool> tools, ImmutableDictionary<Generation, ImmutableArray<RedirectRule>> wanted) =>
        _kernel.ApplyAsync(tools, wanted.Values.SelectMany(static r => r));
}
