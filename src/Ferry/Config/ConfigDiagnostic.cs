using System.Text;

namespace Ferry.Config;

/// <summary>How much a <see cref="ConfigDiagnostic"/> matters.</summary>
public enum ConfigSeverity
{
    /// <summary>Accepted, and without effect here; said once a directive.</summary>
    Note,

    /// <summary>Accepted, and probably not what was meant.</summary>
    Warning,

    /// <summary>The configuration cannot be used.</summary>
    Error,
}

/// <summary>One finding in a configuration.</summary>
/// <param name="Severity">How much it matters.</param>
/// <param name="Position">Where it is.</param>
/// <param name="Length">How many characters from there the finding covers, at least 1.</param>
/// <param name="Message">What is wrong and the way out, in one line without the position.</param>
/// <param name="SourceLine">The line of the file that the position is in, or null where there is none to show.</param>
public sealed record ConfigDiagnostic(ConfigSeverity Severity, ConfigPosition Position, int Length, string Message, string? SourceLine)
{
    /// <summary><c>file:line:column: severity: message</c>, in one line.</summary>
    public override string ToString() => $"{Position}: {Word(Severity)}: {Message}";

    /// <summary>The form that compilers use: <see cref="ToString"/>, the line of the file, and a caret under the place; the first alone where there is no line to show.</summary>
    public string Format()
    {
        if (SourceLine is null || Position.Column == 0)
            return ToString();
        var text = new StringBuilder(ToString()).Append('\n');
        // Nothing in a file may act on the terminal that shows it.
        foreach (var c in SourceLine)
            text.Append(char.IsControl(c) && c != '\t' ? '?' : c);
        text.Append('\n');
        // A tab under a tab, so that the caret lines up whatever a tab's width.
        var start = Math.Min(Position.Column - 1, SourceLine.Length);
        foreach (var c in SourceLine.AsSpan(0, start))
            text.Append(c == '\t' ? "\t" : new string(' ', Cells(c)));
        var marked = 0;
        foreach (var c in SourceLine.AsSpan(start, Math.Clamp(Length, 0, SourceLine.Length - start)))
            marked += Cells(c);
        return text.Append('^').Append('~', Math.Max(0, marked - 1)).ToString();
    }

    /// <summary>How many cells of a terminal a character takes: two for those of East Asia (UAX 11, wide), and for a pair of surrogates together.</summary>
    private static int Cells(char c) => c switch
    {
        >= '\u1100' and <= '\u115f' or >= '\u2e80' and <= '\ua4cf' or >= '\uac00' and <= '\ud7a3' or >= '\uf900' and <= '\ufaff'
            or >= '\ufe30' and <= '\ufe6f' or >= '\uff00' and <= '\uff60' or >= '\uffe0' and <= '\uffe6' => 2,
        _ => 1,
    };

    private static string Word(ConfigSeverity severity) => severity switch
    {
        ConfigSeverity.Note => "note",
        ConfigSeverity.Warning => "warning",
        _ => "error",
    };
}
