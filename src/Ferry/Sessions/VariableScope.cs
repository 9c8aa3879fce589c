using System.Text;
using Ferry.Config;

namespace Ferry.Sessions;

/// <summary>
/// The variables as they are at one moment of a session. Each is made once, so that what a configuration puts together from others is put together
/// once, and none grows without bound.
/// </summary>
/// <param name="table">The variables of the configuration.</param>
/// <param name="builtIn">The value of a variable of Ferry's; null where the session has none.</param>
internal sealed class VariableScope(VariableTable table, Func<string, string?> builtIn)
{
    /// <summary>A longer value is empty: every name and address is far shorter, and variables that double each other soon are not.</summary>
    public const int LongestValue = 4096;

    private readonly string?[] _values = new string?[table.Count];

    /// <summary>A variable's value; empty where it has none.</summary>
    public string ValueOf(string name)
    {
        var place = table.Find(name);
        return place < 0 ? builtIn(name) ?? "" : _values[place] ??= table[place].ValueIn(this);
    }

    /// <summary>A text with its variables replaced.</summary>
    /// <param name="template">The text.</param>
    /// <param name="captures">Gives what a regular expression has captured by that name, before any variable; null for another name.</param>
    public string Expand(TextTemplate template, Func<string, string?>? captures = null)
    {
        switch (template.Parts)
        {
            case []:
                return "";
            case [var only]:
                return Bounded(ValueOf(only, captures));
        }
        var text = new StringBuilder();
        foreach (var part in template.Parts)
        {
            text.Append(ValueOf(part, captures));
            if (text.Length > LongestValue)
                return "";
        }
        return text.ToString();
    }

    private string ValueOf(TextPart part, Func<string, string?>? captures) =>
        part.IsVariable ? captures?.Invoke(part.Text) ?? ValueOf(part.Text) : part.Text;

    private static string Bounded(string value) => value.Length > LongestValue ? "" : value;
}
