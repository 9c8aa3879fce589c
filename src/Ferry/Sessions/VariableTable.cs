using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Linq;
using Ferry.Config;

namespace Ferry.Sessions;

/// <summary>The variables that a configuration defines, ready to be asked; one for all sessions of a generation.</summary>
internal sealed class VariableTable
{
    private readonly FrozenDictionary<string, int> _places;
    private readonly ImmutableArray<IVariable> _variables;

    public VariableTable(ImmutableArray<VariableConfig> variables)
    {
        _variables = [.. variables.Select(Make)];
        _places = variables.Select((v, i) => (v.Name, i)).ToFrozenDictionary(v => v.Name, v => v.i, StringComparer.Ordinal);
    }

    public static VariableTable Empty { get; } = new([]);

    public int Count => _variables.Length;

    /// <summary>The number of a variable; -1 where there is none of this name.</summary>
    public int Find(string name) => _places.TryGetValue(name, out var place) ? place : -1;

    public IVariable this[int place] => _variables[place];

    private static IVariable Make(VariableConfig config) => config switch
    {
        MapConfig map => new MapVariable(map),
        SplitClientsConfig split => new SplitVariable(split),
        GeoConfig geo => new GeoVariable(geo),
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
