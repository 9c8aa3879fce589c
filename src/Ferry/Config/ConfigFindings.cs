using System.Collections.Immutable;
using System.Linq;
using System.Text;

namespace Ferry.Config;

/// <summary>Collects what is found in a configuration while it is read.</summary>
internal sealed class ConfigFindings
{
    /// <summary>Nobody reads further, and a file of nothing but mistakes must not fill the memory.</summary>
    private const int MostFindings = 1000;

    private const int LongestShownWord = 80;

    private readonly List<(int Order, int Start, ConfigDiagnostic Diagnostic)> _found = [];
    private readonly HashSet<string> _noted = new(StringComparer.Ordinal);
    private int _errors;

    public bool HasErrors => _errors > 0;

    /// <summary>Whether nothing more is kept, so that looking on is of no use.</summary>
    public bool IsFull => _found.Count > MostFindings;

    /// <summary>While true nothing is collected: what is read is already known to be wrong.</summary>
    public bool IsMuted { get; set; }

    public void Error(ConfigToken at, string message) => Add(ConfigSeverity.Error, at.Source, at.Start, at.Length, message);

    public void Error(ConfigSource source, int start, int length, string message) => Add(ConfigSeverity.Error, source, start, length, message);

    public void Warning(ConfigToken at, string message) => Add(ConfigSeverity.Warning, at.Source, at.Start, at.Length, message);

    /// <summary>A note is said once for each subject, at the first place that gives rise to it.</summary>
    public void Note(ConfigToken at, string subject, string message)
    {
        if (!IsMuted && _noted.Add(subject))
            Add(ConfigSeverity.Note, at.Source, at.Start, at.Length, message);
    }

    /// <summary>An error of a file that cannot be read at all.</summary>
    public void FileError(string file, string message)
    {
        _errors++;
        _found.Add((0, 0, new ConfigDiagnostic(ConfigSeverity.Error, new ConfigPosition(file, 0, 0), 1, message, null)));
    }

    /// <summary>Takes over what was found in a file that is read by itself; it comes behind all others.</summary>
    public void Adopt(IEnumerable<ConfigDiagnostic> found)
    {
        foreach (var diagnostic in found)
        {
            if (IsMuted || IsFull)
                return;
            _errors += diagnostic.Severity == ConfigSeverity.Error ? 1 : 0;
            _found.Add((int.MaxValue, _found.Count, diagnostic));
        }
    }

    /// <summary>Everything found, in the order of the files and of the places in them.</summary>
    public ImmutableArray<ConfigDiagnostic> ToImmutable() =>
        [.. _found.OrderBy(f => f.Order).ThenBy(f => f.Start).Select(f => f.Diagnostic)];

    /// <summary>A word of the file as messages show it: in quotes, on one line, not endless.</summary>
    public static string Show(string word)
    {
        var shown = new StringBuilder(word.Length + 2).Append('"');
        foreach (var c in word.Length > LongestShownWord ? word.AsSpan(0, LongestShownWord) : word)
            shown.Append(char.IsControl(c) || c is '\u2028' or '\u2029' ? '?' : c);
        return shown.Append(word.Length > LongestShownWord ? "...\"" : "\"").ToString();
    }

    private void Add(ConfigSeverity severity, ConfigSource source, int start, int length, string message)
    {
        if (IsMuted)
            return;
        if (severity == ConfigSeverity.Error)
            _errors++;
        if (_found.Count > MostFindings)
            return;
        if (_found.Count == MostFindings)
        {
            severity = ConfigSeverity.Error;
            message = "too many findings; the rest is not shown";
        }
        // A word in quotes may go over lines; what is marked ends with its first.
        length = Math.Max(1, Math.Min(length, source.LineEndAt(start) - start));
        _found.Add((source.Order, start, new ConfigDiagnostic(severity, source.PositionAt(start), length, message, source.LineAt(start))));
    }
}
