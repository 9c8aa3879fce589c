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

    /// <summary>TEMPORARY.</summary>
    public string Format() => SourceLine is null ? ToString() : $"{this}\n    {SourceLine}\n    {new string(' ', Math.Max(0, Position.Column - 1))}^";

    private static string Word(ConfigSeverity severity) => severity switch
    {
        ConfigSeverity.Note => "note",
        ConfigSeverity.Warning => "warning",
        _ => "error",
    };
}
