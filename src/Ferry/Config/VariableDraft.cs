using System.Collections.Immutable;
using System.Linq;

namespace Ferry.Config;

/// <summary>A <c>map</c>, <c>split_clients</c> or <c>geo</c> block.</summary>
/// <param name="node">The block.</param>
/// <param name="word">The variable's name with its dollar sign.</param>
internal sealed class VariableDraft(ConfigNode node, ConfigToken word)
{
    public ConfigNode Node { get; } = node;

    public ConfigToken Word { get; } = word;

    public string Name { get; } = word.Text[1..];

    /// <summary>What it is made from; null where that is wrong.</summary>
    public TextTemplate? Source { get; set; }

    /// <summary>All values that it can have, the default among them.</summary>
    public List<VariableValue> Values { get; } = [];

    /// <summary>Null where something in it is wrong.</summary>
    public VariableConfig? Config { get; set; }

    /// <summary>The variables that it is made from.</summary>
    public IEnumerable<string> References =>
        (Source is null ? [] : Source.Parts.Where(p => p.IsVariable).Select(p => p.Text))
        .Concat(Values.SelectMany(v => v.Text.Parts.Where(p => p.IsVariable && !v.Captures.Contains(p.Text)).Select(p => p.Text)))
        .Distinct(StringComparer.Ordinal);
}

/// <summary>A value of a <see cref="VariableDraft"/>.</summary>
/// <param name="Word">Where it is written.</param>
/// <param name="Text">The value.</param>
/// <param name="Captures">The variables in it that are captures.</param>
internal readonly record struct VariableValue(ConfigToken Word, TextTemplate Text, ImmutableArray<string> Captures);
