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
        foreach (var c in SourceLine.AsSpan(0, Math.Min(Position.Column - 1, SourceLine.Length)))
            text.Append(c == '\t' ? '\t' : ' ');
        return text.Append('^').Append('~', Math.Max(0, Length - 1)).ToString();
    }

    private static string Word(ConfigSeverity severity) => severity switch
    {
        ConfigSeverity.Note => "note",
        ConfigSeverity.Warning => "warning",
        _ => "error",
    };
}
