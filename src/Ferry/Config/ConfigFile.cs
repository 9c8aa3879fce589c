using System.Collections.Immutable;

namespace Ferry.Config;

/// <summary>A configuration file that has been read, with everything that was found in it.</summary>
public sealed class ConfigFile
{
    internal ConfigFile(FerryConfig? config, ImmutableArray<ConfigDiagnostic> diagnostics)
    {
        Config = config;
        Diagnostics = diagnostics;
    }

    /// <summary>The configuration; null where <see cref="Diagnostics"/> holds an error.</summary>
    public FerryConfig? Config { get; }

    /// <summary>Every finding of all files, in the order of the files.</summary>
    public ImmutableArray<ConfigDiagnostic> Diagnostics { get; }

    /// <summary>Reads a file and all that it includes. Never throws for what a file says or for a file that cannot be read: those are diagnostics.</summary>
    /// <param name="path">The file; it is named in diagnostics as it is given here.</param>
    /// <param name="prefix">What relative paths in it are relative to (nginx's <c>-p</c>); null: the file's own folder.</param>
    public static ConfigFile Load(string path, string? prefix = null) => throw new NotImplementedException();

    /// <summary>Reads a configuration from text, as <see cref="Load"/> does from a file.</summary>
    public static ConfigFile Parse(string text, string name = "(text)", string? prefix = null) => throw new NotImplementedException();

    /// <summary>Writes the effective configuration (<c>-T</c>): includes in their place, inherited and default values written out; itself a valid configuration.</summary>
    public void WriteEffective(System.IO.TextWriter writer) => throw new NotImplementedException();
}
