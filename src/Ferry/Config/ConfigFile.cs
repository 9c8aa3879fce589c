using System.Collections.Immutable;
using System.IO;

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
    public static ConfigFile Load(string path, string? prefix = null)
    {
        var findings = new ConfigFindings();
        if (path.Length == 0 || path.Contains('\0'))
        {
            findings.FileError(path, "this is not the name of a file");
            return new ConfigFile(null, findings.ToImmutable());
        }
        var folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";
        var parser = new ConfigParser(findings, folder, Path.GetDirectoryName(path) ?? "");
        return parser.ReadMainFile(path) is { } source
            ? Bind(parser, source, findings, FullPrefix(prefix, folder), folder)
            : new ConfigFile(null, findings.ToImmutable());
    }

    /// <summary>Reads a configuration from text, as <see cref="Load"/> does from a file.</summary>
    /// <param name="text">The configuration. What it includes is looked for in <paramref name="prefix"/>.</param>
    /// <param name="name">What diagnostics call it.</param>
    /// <param name="prefix">What relative paths in it are relative to; null: the current folder.</param>
    public static ConfigFile Parse(string text, string name = "(text)", string? prefix = null)
    {
        var findings = new ConfigFindings();
        var folder = FullPrefix(prefix, Environment.CurrentDirectory);
        var parser = new ConfigParser(findings, folder, "");
        return Bind(parser, parser.SourceOf(name, text), findings, folder, folder);
    }

    /// <summary>Writes the effective configuration (<c>-T</c>): includes in their place, inherited and default values written out; itself a valid configuration.</summary>
    /// <param name="writer">Where it goes. Nothing is written where there is no <see cref="Config"/>.</param>
    public void WriteEffective(TextWriter writer)
    {
        if (Config is not null)
            new ConfigWriter(writer).Write(Config);
    }

    private static string FullPrefix(string? prefix, string otherwise) => string.IsNullOrEmpty(prefix) ? otherwise : Path.GetFullPath(prefix);

    private static ConfigFile Bind(ConfigParser parser, ConfigSource source, ConfigFindings findings, string prefix, string folder)
    {
        var binder = new ConfigBinder(findings, prefix, folder);
        binder.Bind(parser.Parse(source));
        binder.ResolveNames();
        ConfigValidator.Validate(binder.Main, source, findings);
        return new ConfigFile(findings.HasErrors ? null : binder.Build(), findings.ToImmutable());
    }
}
