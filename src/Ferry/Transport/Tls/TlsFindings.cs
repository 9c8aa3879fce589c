using System.Linq;
using Ferry.Config;

namespace Ferry.Transport.Tls;

/// <summary>Collects what stands against a context, at the places of the configuration that it is about.</summary>
internal sealed class TlsFindings
{
    /// <summary>Where what has no place in a file is said to be.</summary>
    public static readonly ConfigPosition Code = new("(code)", 0, 0);

    private readonly List<ConfigDiagnostic> _found;
    private readonly int _before;

    public TlsFindings(List<ConfigDiagnostic> found)
    {
        _found = found;
        _before = found.Count;
    }

    public bool HasErrors => _found.Skip(_before).Any(static d => d.Severity == ConfigSeverity.Error);

    public void Error(PlacedText? at, string message) => Add(ConfigSeverity.Error, at, message);

    public void Warning(PlacedText? at, string message) => Add(ConfigSeverity.Warning, at, message);

    public void Note(PlacedText? at, string message) => Add(ConfigSeverity.Note, at, message);

    private void Add(ConfigSeverity severity, PlacedText? at, string message)
    {
        var position = at is null || at.Position == default ? Code : at.Position;
        _found.Add(new ConfigDiagnostic(severity, position, Math.Max(1, at?.Value.Length ?? 1), message, null));
    }
}
