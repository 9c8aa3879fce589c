using System.Collections.Immutable;
using System.Text;

namespace Ferry.Config;

/// <summary>A text with variables in it, such as the key of <c>hash</c> or a <c>log_format</c>.</summary>
/// <param name="Text">As it was written.</param>
/// <param name="Parts">The text cut at its variables.</param>
public sealed record TextTemplate(string Text, ImmutableArray<TextPart> Parts)
{
    /// <summary>The text with every variable replaced.</summary>
    /// <param name="valueOf">Gives a variable's value by its name (without the <c>$</c>); null stands for the empty text.</param>
    public string Expand(Func<string, string?> valueOf)
    {
        if (Parts is [{ IsVariable: true } only])
            return valueOf(only.Text) ?? "";
        var text = new StringBuilder();
        foreach (var part in Parts)
            text.Append(part.IsVariable ? valueOf(part.Text) : part.Text);
        return text.ToString();
    }
}

/// <summary>A piece of a <see cref="TextTemplate"/>.</summary>
/// <param name="Text">Literal text, or the name of a variable without its <c>$</c>.</param>
/// <param name="IsVariable">Which of the two it is.</param>
public readonly record struct TextPart(string Text, bool IsVariable);
