using System.Collections.Immutable;
using System.Linq;
using System.Net.Sockets;

namespace Ferry.Transport.Linux;

/// <summary>iptables and ip6tables: one transaction each.</summary>
/// <param name="ProgramForIPv4">iptables; the program beside it whose name ends with -restore does the work.</param>
/// <param name="ProgramForIPv6">ip6tables likewise.</param>
/// <param name="Time">The clock.</param>
internal sealed record IptablesTool(string ProgramForIPv4, string ProgramForIPv6, TimeProvider Time) : IRuleTool
{
    // The lock that the programs of the legacy kind hold while they change rules; others wait for it so long.
    private static readonly string[] Waiting = ["-w", "5"];
    public static readonly ImmutableArray<string> Jumps = ["PREROUTING", "OUTPUT"];

    // Families whose rules may be there: a machine without IPv6 has no ip6tables, and need not.
    private readonly HashSet<AddressFamily> _touched = [];

    public string Name => "iptables";

    public bool SharesRulesWith(IRuleTool other) => Equals(other);

    // The families are what it has done, not what it is.
    public bool Equals(IptablesTool? other) =>
        other is not null && ProgramForIPv4 == other.ProgramForIPv4 && ProgramForIPv6 == other.ProgramForIPv6;

    public override int GetHashCode() => HashCode.Combine(ProgramForIPv4, ProgramForIPv6);

    public async Task<string?> ApplyAsync(IReadOnlyDictionary<int, ImmutableArray<RedirectRule>> ports)
    {
        foreach (var family in (AddressFamily[])[AddressFamily.InterNetwork, AddressFamily.InterNetworkV6])
        {
            var own = ports.ToDictionary(static p => p.Key, p => p.Value.Where(r => r.Family == family).ToArray());
            var program = family == AddressFamily.InterNetworkV6 ? ProgramForIPv6 : ProgramForIPv4;
            if (own.Values.Any(static r => r.Length > 0))
                _touched.Add(family);
            if (await ApplyAsync(program, own, _touched.Contains(family)).ConfigureAwait(false) is { } error)
                return error;
        }
        return null;
    }

    private async Task<string?> ApplyAsync(string program, Dictionary<int, RedirectRule[]> ports, bool isTouched)
    {
        if (!isTouched && SystemProgram.Find(program) is null)
            return null;
        var text = "";
        foreach (var (port, rules) in ports)
        {
            List<string> jumps = [];
            foreach (var jump in Jumps)
            {
                // A jump that a process before this one has left behind must not stand there twice.
                var isThere = await SystemProgram.RunAsync(program, [.. Waiting, "-t", "nat", "-C", jump, "-j", NetfilterRules.Chain(port)], "", Time).ConfigureAwait(false) is null;
                if (isThere == (rules.Length == 0))
                    jumps.Add(jump);
            }
            if (isTouched || jumps.Count > 0)
                text += NetfilterRules.Iptables(port, rules, jumps);
        }
        return text.Length == 0
            ? null
            : await SystemProgram.RunAsync($"{program}-restore", ["--noflush", .. Waiting], NetfilterRules.NatTable(text), Time).ConfigureAwait(false);
    }
}
