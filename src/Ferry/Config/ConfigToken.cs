namespace Ferry.Config;

internal enum ConfigTokenKind
{
    Word,
    Semicolon,
    Open,
    Close,
    End,
}

/// <summary>A word or a mark of a configuration, with its place.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Source">The file it is in.</param>
/// <param name="Start">Offset of its first character (of a quoted word: the quote).</param>
/// <param name="Length">Characters it takes in the file, quotes and escapes included.</param>
/// <param name="Text">The word without quotes and escapes.</param>
internal readonly record struct ConfigToken(ConfigTokenKind Kind, ConfigSource Source, int Start, int Length, string Text)
{
    public int End => Start + Length;

    public bool IsQuoted => Length > 0 && Source.Text[Start] is '"' or '\'';

    public ConfigPosition Position => Source.PositionAt(Start);

    /// <summary>The piece of this word from an offset in its <see cref="Text"/> on; the whole word where escapes hide the place.</summary>
    public ConfigToken Part(int offset, int length)
    {
        var text = Text.Substring(offset, length);
        var quote = Length == Text.Length + 2 ? 1 : 0;
        return Length == Text.Length + (2 * quote)
            ? new ConfigToken(Kind, Source, Start + quote + offset, Math.Max(1, length), text)
            : this with { Text = text };
    }

    /// <summary>The piece from an offset to the end.</summary>
    public ConfigToken Part(int offset) => Part(offset, Text.Length - offset);
}

/// <summary>A directive as it was written: its name, its arguments, and what its braces hold.</summary>
internal sealed class ConfigNode(ConfigToken name, List<ConfigToken> arguments, List<ConfigNode>? block)
{
    public ConfigToken Name { get; } = name;

    public List<ConfigToken> Arguments { get; } = arguments;

    /// <summary>What stands between its braces; null for a directive that ends with a semicolon.</summary>
    public List<ConfigNode>? Block { get; } = block;

    public ConfigPosition Position => Name.Position;
}
