using System.IO;
using System.Linq;

namespace Ferry.Config;

/// <summary>Files by a pattern with <c>*</c>, <c>?</c> and <c>[a-z]</c> in any part of the path, as glob(3), which nginx asks.</summary>
internal static class FileGlob
{
    public static bool IsPattern(string path) => path.AsSpan().IndexOfAny('*', '?', '[') >= 0;

    /// <summary>The files that match, sorted; relative ones stay relative to <paramref name="folder"/>. What cannot be read matches nothing.</summary>
    /// <param name="folder">Where a relative pattern begins.</param>
    /// <param name="pattern">The pattern.</param>
    /// <param name="most">Most matches that are kept at any step.</param>
    /// <param name="all">False where there were more than <paramref name="most"/>.</param>
    public static IReadOnlyList<string> Match(string folder, string pattern, int most, out bool all)
    {
        all = true;
        var parts = pattern.Split('/', StringSplitOptions.RemoveEmptyEntries);
        List<string> found = [pattern.StartsWith('/') ? "/" : ""];
        for (var i = 0; i < parts.Length; i++)
        {
            var isLast = i == parts.Length - 1;
            List<string> next = [];
            foreach (var path in found)
                next.AddRange(Step(folder, path, parts[i], isLast).Take(most + 1 - next.Count));
            all &= next.Count <= most;
            found = next.Count <= most ? next : next[..most];
        }
        found.Sort(StringComparer.Ordinal);
        return found;
    }

    private static IEnumerable<string> Step(string folder, string path, string part, bool isLast)
    {
        if (!IsPattern(part))
        {
            var plain = Path.Combine(path, part);
            var full = Path.Combine(folder, plain);
            return (isLast ? File.Exists(full) : Directory.Exists(full)) ? [plain] : [];
        }
        try
        {
            var directory = new DirectoryInfo(Path.Combine(folder, path));
            IEnumerable<FileSystemInfo> entries = isLast ? directory.EnumerateFiles() : directory.EnumerateDirectories();
            return [.. entries.Select(e => e.Name).Where(name => IsMatch(name, part)).Select(name => Path.Combine(path, name))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.SecurityException or ArgumentException)
        {
            return [];
        }
    }

    /// <summary>Whether a name matches one part of a pattern. A leading dot is matched only by a dot.</summary>
    public static bool IsMatch(ReadOnlySpan<char> name, ReadOnlySpan<char> pattern)
    {
        if (name.StartsWith(".") && !pattern.StartsWith("."))
            return false;
        int n = 0, p = 0, starPattern = -1, starName = 0;
        while (n < name.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
                (starPattern, starName) = (p++, n);
            else if (p < pattern.Length && MatchesOne(name[n], pattern, p, out var next))
                (n, p) = (n + 1, next);
            else if (starPattern >= 0)
                (p, n) = (starPattern + 1, ++starName);
            else
                return false;
        }
        return pattern[p..].Trim('*').IsEmpty;
    }

    private static bool MatchesOne(char c, ReadOnlySpan<char> pattern, int p, out int next)
    {
        next = p + 1;
        if (pattern[p] == '?')
            return true;
        // "[" is a set where a "]" closes it, and itself where none does; a "]" in front belongs to the set.
        var isNegative = pattern[p] == '[' && p + 1 < pattern.Length && pattern[p + 1] is '!' or '^';
        var first = p + (isNegative ? 2 : 1);
        var close = pattern[p] == '[' && first < pattern.Length ? pattern[Math.Min(first + 1, pattern.Length)..].IndexOf(']') : -1;
        if (close < 0)
            return c == pattern[p];
        close += first + 1;
        next = close + 1;
        var isIn = false;
        for (var i = first; i < close; i++)
        {
            if (i + 2 < close && pattern[i + 1] == '-')
            {
                isIn |= c >= pattern[i] && c <= pattern[i + 2];
                i += 2;
            }
            else
                isIn |= c == pattern[i];
        }
        return isIn != isNegative;
    }
}
