using System.IO;
using System.Linq;
using System.Text;

namespace Ferry.Config;

/// <summary>Files: reading, <c>include</c>, and their bounds.</summary>
internal sealed partial class ConfigParser
{
    private const int MostFiles = 1000;
    private const int MostIncludeDepth = 16;
    private const int MostBytesPerFile = 1 << 20;
    private const int MostBytes = 16 << 20;

    private readonly Stack<string> _open = new();
    private byte[]? _buffer;
    private int _files;
    private long _bytes;

    /// <summary>Reads the main file; null, and a diagnostic, where that cannot be done.</summary>
    public ConfigSource? ReadMainFile(string path)
    {
        try
        {
            var text = ReadText(path);
            _open.Push(Path.GetFullPath(path));
            return SourceOf(path, text);
        }
        catch (Exception e) when (IsFileTrouble(e))
        {
            findings.FileError(path, $"cannot read the file: {Reason(e)}");
            return null;
        }
    }

    public ConfigSource SourceOf(string name, string text) => new(name, text.StartsWith('\uFEFF') ? text[1..] : text, _files++);

    private void Include(ConfigToken name, List<ConfigToken> arguments, Frame frame, List<ConfigNode> into)
    {
        if (arguments is not [var pattern])
        {
            findings.Error(name, "wrong number of arguments of \"include\"; the syntax is: include FILE | PATTERN;");
            return;
        }
        if (_open.Count > MostIncludeDepth)
        {
            findings.Error(pattern, $"files include each other more than {MostIncludeDepth} deep");
            return;
        }
        if (pattern.Text.Length == 0 || pattern.Text.Contains('\0'))
        {
            findings.Error(pattern, "\"include\" needs a file name or a pattern");
            return;
        }
        IReadOnlyList<string> paths = [pattern.Text];
        if (FileGlob.IsPattern(pattern.Text))
        {
            paths = FileGlob.Match(includeFolder, pattern.Text, MostFiles, out var all);
            if (!all)
                findings.Error(pattern, $"more than {MostFiles} files match {ConfigFindings.Show(pattern.Text)}");
        }
        foreach (var path in paths)
            IncludeFile(pattern, path, frame, into);
    }

    private void IncludeFile(ConfigToken at, string path, Frame frame, List<ConfigNode> into)
    {
        if (_files >= MostFiles)
        {
            findings.Error(at, $"more than {MostFiles} files are included");
            return;
        }
        string full;
        string text;
        try
        {
            full = Path.GetFullPath(path, includeFolder);
            if (_open.Contains(full))
            {
                findings.Error(at,
                    $"{ConfigFindings.Show(path)} includes itself: {string.Join(" -> ", _open.Reverse().SkipWhile(f => f != full).Append(full).Select(Path.GetFileName))}");
                return;
            }
            text = ReadText(full);
        }
        catch (Exception e) when (IsFileTrouble(e))
        {
            findings.Error(at, $"cannot read {ConfigFindings.Show(path)}: {Reason(e)}");
            return;
        }
        _open.Push(full);
        var shown = Path.IsPathRooted(path) || shownFolder.Length == 0 ? path : Path.Combine(shownFolder, path);
        ParseFile(SourceOf(shown, text), frame with { Opener = null, Depth = frame.Depth + 1 }, into);
        _open.Pop();
    }

    private string ReadText(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        _buffer ??= new byte[MostBytesPerFile + 1];
        var length = file.ReadAtLeast(_buffer, _buffer.Length, throwOnEndOfStream: false);
        if (length > MostBytesPerFile)
            throw new InvalidDataException($"it is larger than {MostBytesPerFile >> 20} MiB");
        if ((_bytes += length) > MostBytes)
            throw new InvalidDataException($"all files together are larger than {MostBytes >> 20} MiB");
        return Encoding.UTF8.GetString(_buffer.AsSpan(0, length));
    }

    private static bool IsFileTrouble(Exception e) =>
        e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException or InvalidDataException or System.Security.SecurityException;

    private static string Reason(Exception e) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException => "there is no such file",
        UnauthorizedAccessException => "access is denied, or it is a folder",
        _ => string.Join(' ', e.Message.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries)),
    };
}
