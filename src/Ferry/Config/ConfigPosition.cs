namespace Ferry.Config;

/// <summary>A place in a configuration file, as people count: the first line and the first column are 1.</summary>
/// <param name="File">The file as the user named it, or as <c>include</c> found it.</param>
/// <param name="Line">Line, from 1; 0 where the place is the whole file.</param>
/// <param name="Column">Column in characters, from 1; 0 where the place is the whole line.</param>
public readonly record struct ConfigPosition(string File, int Line, int Column)
{
    /// <summary><c>file:line:column</c>, without the parts that are 0.</summary>
    public override string ToString() => (Line, Column) switch
    {
        (0, _) => File,
        (_, 0) => $"{File}:{Line}",
        _ => $"{File}:{Line}:{Column}",
    };
}
