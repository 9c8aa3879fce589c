using System.Collections.Immutable;
using System.Linq;

namespace Ferry.Transport.Linux;

/// <summary>nftables: everything in one transaction.</summary>
/// <param name="IsTransparent">TPROXY in place of a change of the destination port.</param>
/// <param name="Time">The clock.</param>
internal sealed record NftTool(bool IsTransparent, TimeProvider Time) : IRuleTool
{
    private const string Program = "nft";

    public string Name => Program;

    public bool SharesRulesWith(IRuleTool other) => other is NftTool;

    public Task<string?> ApplyAsync(IReadOnlyDictionary<int, ImmutableArray<RedirectRule>> ports) =>
        SystemProgram.RunAsync(Program, ["-f", "-"], string.Concat(ports.Select(p => NetfilterRules.NftRemoval(p.Key) + Text(p.Key, p.Value))), Time);

    private string Text(int port, ImmutableArray<RedirectRule> rules) =>
        rules.IsEmpty ? "" : IsTransparent ? NetfilterRules.Tproxy(port, rules) : NetfilterRules.Nft(port, rules);
}
