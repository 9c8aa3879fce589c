using System.Collections.Immutable;
using System.Linq;
using System.Text.RegularExpressions;

namespace Ferry.Config;

/// <summary>
/// The regular expressions of <c>map</c>. Names come from clients, so matching takes time in proportion to the name, whatever the expression:
/// without backtracking, which leaves out back references and looking around.
/// </summary>
internal static class MapRegex
{
    /// <summary>Makes the expression.</summary>
    /// <param name="pattern">As nginx has it, without its <c>~</c> or <c>~*</c>.</param>
    /// <param name="ignoreCase">Whether case is of no matter.</param>
    /// <param name="fault">What is wrong with it where there is none.</param>
    public static Regex? TryCreate(string pattern, bool ignoreCase, out string fault)
    {
        fault = "";
        try
        {
            // PCRE's other spelling of a named group.
            return new Regex(pattern.Replace("(?P<", "(?<", StringComparison.Ordinal),
                RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | (ignoreCase ? RegexOptions.IgnoreCase : RegexOptions.None));
        }
        catch (RegexParseException e)
        {
            fault = $"it cannot be read, from character {e.Offset + 1} on ({e.Error})";
        }
        catch (NotSupportedException)
        {
            fault = "it looks ahead or behind, refers back, or is too large: what it is held against comes from outside, so only what is matched in one pass is taken";
        }
        return null;
    }

    /// <summary>The captures that the value of a line may name: $1 to $9 as far as there are such groups, and named ones.</summary>
    public static ImmutableArray<string> Captures(Regex regex)
    {
        var groups = regex.GetGroupNames().Where(n => n != "0").ToList();
        // PCRE numbers named groups too, .NET behind all others: where both kinds are mixed, a number would mean two things.
        var isMixed = groups.Exists(IsNumber) && !groups.TrueForAll(IsNumber);
        return [.. groups.Where(n => !IsNumber(n)), .. isMixed ? [] : Enumerable.Range(1, Math.Min(9, groups.Count)).Select(n => n.ToString(System.Globalization.CultureInfo.InvariantCulture))];
    }

    private static bool IsNumber(string name) => char.IsAsciiDigit(name[0]);
}
