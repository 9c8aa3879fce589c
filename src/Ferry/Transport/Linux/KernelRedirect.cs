using System.Collections.Immutable;
using System.Linq;
using Ferry.Config;
using Microsoft.Extensions.Logging;

namespace Ferry.Transport.Linux;

/// <summary>The kernel's rules for single ports, as they are at this moment: changed to what is wanted, or left as they were. One caller at a time.</summary>
internal sealed partial class KernelRedirect(ILogger logger)
{
    private static readonly ImmutableSortedDictionary<int, ImmutableArray<RedirectRule>> None = ImmutableSortedDictionary<int, ImmutableArray<RedirectRule>>.Empty;

    private IRuleTool? _tool;
    private (string Tool, string Ports)? _change;
    private ImmutableSortedDictionary<int, ImmutableArray<RedirectRule>> _ports = None;

    /// <summary>Brings these rules about, and no others; what is as it should be is not touched.</summary>
    /// <param name="tools">The programs to try, the first that works is used. Empty, or no rules: what is there is taken away.</param>
    /// <param name="rules">What is wanted.</param>
    /// <returns>Null when it is so; else why not, and nothing has changed.</returns>
    public async Task<string?> ApplyAsync(ImmutableArray<IRuleTool> tools, IEnumerable<RedirectRule> rules)
    {
        var wanted = tools.IsEmpty ? None : rules.Distinct().GroupBy(static r => r.DestinationPort).ToImmutableSortedDictionary(static g => g.Key, static g => g.ToImmutableArray());
        if (wanted.IsEmpty)
            return await RemoveAsync().ConfigureAwait(false);
        // What has been found to work is not asked again whether it does.
        if (_tool is { } found && tools.Contains(found))
            tools = [found];
        List<string> errors = [];
        foreach (var tool in tools)
        {
            if (await TryAsync(tool, wanted).ConfigureAwait(false) is not { } error)
                return null;
            errors.Add(error);
        }
        return string.Join("; ", errors);
    }

    /// <summary>Logs the last change, once. It is the caller's to say when: at a start the log is not open before all else has come about.</summary>
    public void Tell()
    {
        if (_change is var (tool, ports))
            Log.Changed(logger, tool, ports);
        _change = null;
    }

    /// <summary>The programs of a method.</summary>
    public static ImmutableArray<IRuleTool> ToolsOf(FerryConfig config, TimeProvider time)
    {
        var iptables = new IptablesTool(config.IptablesPath ?? "iptables", config.Ip6tablesPath ?? "ip6tables", time);
        return config.RangeMethod switch
        {
            RangeMethod.Auto => [new NftTool(false, time), iptables],
            RangeMethod.Nft => [new NftTool(false, time)],
            RangeMethod.Tproxy => [new NftTool(true, time)],
            RangeMethod.Iptables => [iptables],
            _ => [],
        };
    }

    private async Task<string?> TryAsync(IRuleTool tool, ImmutableSortedDictionary<int, ImmutableArray<RedirectRule>> wanted)
    {
        var shared = _tool?.SharesRulesWith(tool) == true;
        var change = wanted.ToDictionary();
        if (shared)
        {
            foreach (var (port, rules) in _ports)
            {
                if (!wanted.TryGetValue(port, out var next))
                    change.Add(port, []);
                else if (tool.Equals(_tool) && rules.SequenceEqual(next))
                    change.Remove(port);
            }
        }
        if (change.Count > 0)
        {
            if (await tool.ApplyAsync(change).ConfigureAwait(false) is { } error)
            {
                var before = shared ? _ports : None;
                await (shared ? _tool! : tool).ApplyAsync(change.Keys.ToDictionary(static p => p, p => before.GetValueOrDefault(p, []))).ConfigureAwait(false);
                return error;
            }
            _change = (tool.Name, Words(change));
        }
        if (!shared)
            await RemoveAsync().ConfigureAwait(false);
        (_tool, _ports) = (tool, wanted);
        return null;
    }

    private async Task<string?> RemoveAsync()
    {
        if (_tool is not { } tool || _ports.IsEmpty)
            return null;
        var error = await tool.ApplyAsync(_ports.ToDictionary(static p => p.Key, static _ => ImmutableArray<RedirectRule>.Empty)).ConfigureAwait(false);
        if (error is not null)
        {
            Log.NotRemoved(logger, string.Join(", ", _ports.Keys), error);
            return error;
        }
        Log.Removed(logger, tool.Name, string.Join(", ", _ports.Keys));
        _ports = None;
        return null;
    }

    private static string Words(IEnumerable<KeyValuePair<int, ImmutableArray<RedirectRule>>> change) =>
        string.Join(", ", change.Select(static c => c.Value.IsEmpty
            ? $"none to {c.Key}"
            : $"{string.Join(" ", c.Value.Select(static r => r.First == r.Last ? $"{r.First}" : $"{r.First}-{r.Last}").Distinct())} to {c.Key}"));

    private static partial class Log
    {
        [LoggerMessage(112, LogLevel.Information, "the kernel's rules are changed with {Tool}: ports {Ports}")]
        public static partial void Changed(ILogger logger, string tool, string ports);

        [LoggerMessage(113, LogLevel.Information, "the kernel's rules for port {Ports} are removed with {Tool}")]
        public static partial void Removed(ILogger logger, string tool, string ports);

        [LoggerMessage(114, LogLevel.Error, "the kernel's rules for port {Ports} could not be removed: {Error}")]
        public static partial void NotRemoved(ILogger logger, string ports, string error);
    }
}
