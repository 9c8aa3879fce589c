using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Linq;
using System.Text;

namespace Ferry.Daemon.Demo;

/// <summary>A place in the folder that is served.</summary>
/// <param name="Virtual">As clients name it: absolute, <c>/</c> is the folder itself.</param>
/// <param name="Real">As the system names it.</param>
internal readonly record struct DemoPath(string Virtual, string Real)
{
    public bool IsRoot => Virtual == "/";
}

/// <summary>The folder that the demo serves. Nothing outside of it can be named: not by <c>..</c>, not through a symbolic link.</summary>
internal sealed class DemoFolder : IDisposable
{
    private readonly bool _temporary;

    private DemoFolder(string path, bool temporary)
    {
        Path = path;
        _temporary = temporary;
    }

    public string Path { get; }

    /// <summary>A new folder with a few files in it, deleted at the end.</summary>
    public static DemoFolder CreateTemporary()
    {
        var path = Directory.CreateTempSubdirectory("ferry-demo-").FullName;
        File.WriteAllText(System.IO.Path.Combine(path, "readme.txt"), "This file came to you through Ferry.\nUpload something beside it; all is deleted when the demo ends.\n");
        var pub = Directory.CreateDirectory(System.IO.Path.Combine(path, "pub")).FullName;
        var bytes = new byte[8 << 20];
        new Random(21).NextBytes(bytes);
        File.WriteAllBytes(System.IO.Path.Combine(pub, "8-megabytes.bin"), bytes);
        File.WriteAllText(System.IO.Path.Combine(pub, "numbers.txt"), string.Join('\n', Enumerable.Range(1, 1000)) + "\n");
        return new DemoFolder(path, temporary: true);
    }

    /// <summary>A folder that is there and stays.</summary>
    public static DemoFolder Open(string path)
    {
        var folder = new DirectoryInfo(System.IO.Path.GetFullPath(path));
        if (!folder.Exists)
            throw new DirectoryNotFoundException($"there is no folder {path}");
        return new DemoFolder((folder.ResolveLinkTarget(returnFinalTarget: true) ?? folder).FullName, temporary: false);
    }

    /// <summary>Finds what a client names, relative to <paramref name="current"/>; false where the name leads out or over a link.</summary>
    public bool TryResolve(string current, string name, [MaybeNullWhen(false)] out DemoPath path)
    {
        path = default;
        if (name.Contains('\0', StringComparison.Ordinal))
            return false;
        var parts = new List<string>();
        foreach (var part in (name.StartsWith('/') ? name : $"{current}/{name}").Split('/'))
        {
            if (part == "..")
                parts.RemoveRange(Math.Max(0, parts.Count - 1), Math.Min(1, parts.Count));
            else if (part is not ("" or "."))
                parts.Add(part);
        }
        // Clients cannot make links, so what is none here is none when the file is opened.
        var real = new StringBuilder(Path == "/" ? "" : Path);
        foreach (var part in parts)
        {
            real.Append('/').Append(part);
            if (IsLink(real.ToString()))
                return false;
        }
        path = new DemoPath("/" + string.Join('/', parts), real.Length == 0 ? "/" : real.ToString());
        return true;
    }

    /// <summary>The entries that clients can name, sorted; links and names that cannot stand in a line are left out.</summary>
    public static IEnumerable<FileSystemInfo> List(string realFolder) => new DirectoryInfo(realFolder)
        .EnumerateFileSystemInfos()
        .Where(entry => entry.LinkTarget is null && !entry.Name.Any(char.IsControl) && (entry is DirectoryInfo || IsPlain(entry)))
        .OrderBy(entry => entry.Name, StringComparer.Ordinal);

    /// <summary>Whether an entry is a file with bytes in it: opening a pipe or a device would wait for ever.</summary>
    public static bool IsPlain(FileSystemInfo entry) =>
        Libc.statx(Libc.AT_FDCWD, entry.FullName, Libc.AT_SYMLINK_NOFOLLOW, Libc.STATX_TYPE, out var status) == 0
        && (status.stx_mode & Libc.SIFMT) == Libc.SIFREG;

    public void Dispose()
    {
        if (!_temporary)
            return;
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Report.Error($"the folder {Path} could not be deleted: {e.Message}");
        }
    }

    private static bool IsLink(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget is not null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }
}
