using System.Buffers;
using System.Collections.Immutable;
using System.IO;
using System.Linq;
using System.Text;

namespace Ferry.Config;

/// <summary>
/// The servers of an <c>upstream</c> block with <c>state</c>, in a file that Ferry itself writes while it runs: <c>server</c> lines, as in the block.
/// </summary>
internal static class UpstreamState
{
    private const int MaxBytes = 1 << 20;

    /// <summary>A line that comes from elsewhere is words only: no second directive, no quotes, no variable.</summary>
    private static readonly SearchValues<char> Marks = SearchValues.Create(";{}#\"'\\$");

    /// <summary>Reads the file. One that is not there holds no servers yet.</summary>
    /// <param name="path">The file, absolute.</param>
    /// <param name="upstream">The upstream's name, for messages.</param>
    public static (ImmutableArray<UpstreamServerConfig> Servers, ImmutableArray<ConfigDiagnostic> Findings) Read(string path, string upstream)
    {
        string text;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[MaxBytes + 1];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length > MaxBytes)
                return ([], [Trouble(path, $"it is larger than {MaxBytes >> 20} MiB")]);
            text = Encoding.UTF8.GetString(bytes.AsSpan(0, length));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return ([], []);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ([], [Trouble(path, Reason(e))]);
        }
        return Parse(text, path, upstream);
    }

    /// <summary>Reads <c>server</c> lines; anything else among them is an error.</summary>
    /// <param name="text">The lines.</param>
    /// <param name="name">What diagnostics call the text.</param>
    /// <param name="upstream">The upstream's name, for messages.</param>
    public static (ImmutableArray<UpstreamServerConfig> Servers, ImmutableArray<ConfigDiagnostic> Findings) Parse(string text, string name, string upstream)
    {
        var findings = new ConfigFindings();
        var source = new ConfigSource(name, text, 0);
        // The words of an include are not those of a file that Ferry writes; it is refused before it is followed.
        var servers = new ConfigBinder(findings, "/", "/").BindServers(new ConfigParser(findings, "/", "").ParseFlat(source), source, upstream);
        return (servers, findings.ToImmutable());
    }

    /// <summary>Reads the words of one <c>server</c> line, without its name and its semicolon.</summary>
    /// <returns>The server; or what is wrong with it.</returns>
    public static (UpstreamServerConfig? Server, string? Fault) ParseLine(string words, string upstream)
    {
        if (words.Length > 1024 || words.AsSpan().ContainsAny(Marks) || words.Any(char.IsControl))
            return (null, "a server is an address and its parameters, on one line and without marks of the language");
        var (servers, findings) = Parse($"server {words};", "server", upstream);
        var wrong = findings.Where(f => f.Severity == ConfigSeverity.Error).Select(f => f.Message).ToList();
        return wrong.Count > 0 ? (null, string.Join("; ", wrong))
            : servers is [var only] ? (only with { Position = new ConfigPosition("(run time)", 0, 0), SourceLine = null }, null)
            : (null, "there is no server in it");
    }

    /// <summary>Writes the file: beside it first, and to the disk, so that whatever happens there is the old one or the new one.</summary>
    /// <returns>Null, or why it cannot be written; the file is then as it was.</returns>
    public static string? TryWrite(string path, IEnumerable<UpstreamServerConfig> servers)
    {
        var made = path + ".new";
        try
        {
            using (var file = new FileStream(made, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                file.Write(Encoding.UTF8.GetBytes(string.Concat(servers.Select(s => ConfigWriter.LineOf(s) + "\n"))));
                file.Flush(flushToDisk: true);
            }
            File.Move(made, path, overwrite: true);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{path} cannot be written: {Reason(e)}";
        }
    }

    /// <summary>Whether the file could be written, without writing it.</summary>
    /// <returns>Null, or why it cannot be.</returns>
    public static string? CheckWrite(string path)
    {
        try
        {
            if (Directory.Exists(path))
                return $"{path} is a folder";
            if (Directory.Exists(path + ".new"))
                return $"{path} cannot be written: {path}.new is a folder";
            // Not the file that is written first: another Ferry may be writing it while this one only looks.
            var tried = $"{path}.check-{Environment.ProcessId}";
            new FileStream(tried, FileMode.Create, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose).Dispose();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{path} cannot be written: {Reason(e)}";
        }
    }

    private static ConfigDiagnostic Trouble(string path, string reason) =>
        new(ConfigSeverity.Error, new ConfigPosition(path, 0, 0), 1, $"cannot read the state of an upstream: {reason}", null);

    private static string Reason(Exception e) => e switch
    {
        DirectoryNotFoundException => "there is no such folder",
        UnauthorizedAccessException => "access is denied, or it is a folder",
        _ => string.Join(' ', e.Message.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries)),
    };
}
