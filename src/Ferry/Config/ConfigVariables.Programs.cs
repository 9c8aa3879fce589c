using System.Collections.Immutable;
using System.Linq;

namespace Ferry.Config;

/// <summary>What the arguments of <c>health_check_exec</c> may name.</summary>
internal static partial class ConfigVariables
{
    public static readonly ImmutableArray<string> OfPrograms = ["upstream_name", "server_name", "server_addr", "server_port", "server_sessions"];

    /// <summary>Cuts an argument at its variables; reports those that there are not.</summary>
    public static TextTemplate? ParseArgument(ConfigToken word, ConfigFindings findings) => Cut(
        word.Text,
        [word],
        name => OfPrograms.Contains(name)
            ? null
            : $"unknown variable {ConfigFindings.Show("$" + name)} of \"health_check_exec\"; it is one of {string.Join(", ", OfPrograms.Select(v => "$" + v))}{Spelling.DidYouMean("$" + name, OfPrograms.Select(v => "$" + v))}",
        findings);
}
