using System.IO;
using System.Linq;
using Ferry.Config;

namespace Ferry.Transport.Tls;

/// <summary>Tries whatever a configuration says of TLS, without opening a port: files, keys, ciphers, dates.</summary>
internal static class TlsCheck
{
    private const int LongestLine = 4096;

    /// <summary>Everything found, each once, with the line of the file that it is in.</summary>
    public static IReadOnlyList<ConfigDiagnostic> Run(FerryConfig config, TimeProvider? time = null)
    {
        var found = new List<ConfigDiagnostic>();
        // What several servers inherit is tried once, and told once where it is found in each of them.
        var tried = new HashSet<object>(ReferenceEqualityComparer.Instance);
        foreach (var server in config.Servers)
        {
            var ofServer = new List<ConfigDiagnostic>();
            if (server.ClientTls is { } towardsClients && tried.Add(towardsClients))
                TlsContext.TryCreate(towardsClients, "", ofServer, time)?.Dispose();
            if (server.UpstreamTls.Mode != UpstreamTls.Off && tried.Add(server.UpstreamTls))
                TlsContext.TryCreate(server.UpstreamTls, ofServer, time)?.Dispose();
            found.AddRange(ofServer.Select(f => f.Position == TlsFindings.Code ? f with { Position = server.Position } : f));
        }
        return [.. found.Distinct().Select(static f => Show(f))];
    }

    private static ConfigDiagnostic Show(ConfigDiagnostic finding)
    {
        var (file, line, column) = finding.Position;
        if (line == 0 || column == 0)
            return finding;
        try
        {
            var text = File.ReadLines(file).Skip(line - 1).FirstOrDefault();
            // The value of a finding is a whole path, of which the file may say the end only.
            return text is null || text.Length > LongestLine || column > text.Length
                ? finding
                : finding with { SourceLine = text, Length = WordLength(text.AsSpan(column - 1)) };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return finding; // as good without the picture
        }
    }

    private static int WordLength(ReadOnlySpan<char> rest)
    {
        var end = rest[0] is '"' or '\'' ? rest[1..].IndexOf(rest[0]) + 2 : rest.IndexOfAny(" \t;{}");
        return end > 1 ? end : Math.Max(1, end < 0 ? rest.Length : end);
    }
}
