using System.Globalization;
using System.IO;
using System.Linq;

namespace Ferry.Daemon.Demo;

/// <summary>Files and folders (RFC 959 §4.1.3, RFC 3659).</summary>
internal sealed partial class DemoSession
{
    private const string Outside = "550 There is no such file or folder.";

    private DemoFacts _facts = DemoFacts.All;
    private DemoPath? _renameFrom;

    /// <summary>Commands about files that need no data connection; null where it is none of them.</summary>
    private string? AnswerFiles(string verb, string argument)
    {
        var renameFrom = _renameFrom;
        _renameFrom = null;
        switch (verb)
        {
            case "PWD" or "XPWD":
                return $"257 {Quote(_current)} is the current folder.";
            case "CDUP" or "XCUP":
                return ChangeFolder("..");
            case "STAT":
                return ListOnControl(argument);
            case "MLST":
                return MachineEntry(argument);
            case "CWD" or "XCWD" or "MKD" or "XMKD" or "RMD" or "XRMD" or "DELE" or "RNFR" or "RNTO" or "SIZE" or "MDTM" when argument.Length == 0:
                return $"501 {verb} takes a name.";
            case "CWD" or "XCWD":
                return ChangeFolder(argument);
            case "MKD" or "XMKD":
                return MakeFolder(argument);
            case "RMD" or "XRMD":
                if (!Find(argument, out var folder) || folder.IsRoot || !Directory.Exists(folder.Real))
                    return Outside;
                Directory.Delete(folder.Real);
                return "250 The folder is gone.";
            case "DELE":
                if (!FindFile(argument, out var file))
                    return Outside;
                file.Delete();
                return "250 The file is gone.";
            case "RNFR":
                if (!Find(argument, out var from) || from.IsRoot || !Path.Exists(from.Real))
                    return Outside;
                _renameFrom = from;
                return "350 And the new name, please.";
            case "RNTO":
                return renameFrom is { } source ? Rename(source, argument) : "503 RNFR comes first.";
            case "SIZE":
                return FindFile(argument, out var sized) ? string.Create(CultureInfo.InvariantCulture, $"213 {sized.Length}") : Outside;
            case "MDTM":
                return FindFile(argument, out var dated) ? $"213 {DemoListing.Time(dated)}" : Outside;
            default:
                return null;
        }
    }

    private bool Find(string name, out DemoPath path) => _folder.TryResolve(_current, name, out path);

    private bool FindFile(string name, out FileInfo file)
    {
        file = null!;
        if (!Find(name, out var path))
            return false;
        file = new FileInfo(path.Real);
        return file.Exists && DemoFolder.IsPlain(file);
    }

    /// <summary>A file or a folder, for the listings.</summary>
    private bool FindEntry(string name, out DemoPath path, out FileSystemInfo entry)
    {
        entry = null!;
        if (!Find(name, out path))
            return false;
        entry = Directory.Exists(path.Real) ? new DirectoryInfo(path.Real) : new FileInfo(path.Real);
        return entry is DirectoryInfo || entry.Exists && DemoFolder.IsPlain(entry);
    }

    private string ChangeFolder(string name)
    {
        if (!Find(name, out var path) || !Directory.Exists(path.Real))
            return "550 There is no such folder.";
        _current = path.Virtual;
        return $"250 {Quote(_current)} is the current folder.";
    }

    private string MakeFolder(string name)
    {
        if (!Find(name, out var path))
            return Outside;
        if (Path.Exists(path.Real))
            return "550 It is there already.";
        if (!Directory.Exists(Path.GetDirectoryName(path.Real)))
            return "550 There is no folder to make it in.";
        Directory.CreateDirectory(path.Real);
        return $"257 {Quote(path.Virtual)} is made.";
    }

    private string Rename(DemoPath source, string name)
    {
        if (!Find(name, out var target) || target.IsRoot)
            return Outside;
        if (Directory.Exists(target.Real))
            return "550 There is a folder of that name.";
        if (Directory.Exists(source.Real))
            Directory.Move(source.Real, target.Real);
        else
            File.Move(source.Real, target.Real, overwrite: true);
        return "250 Renamed.";
    }

    private string MachineEntry(string argument)
    {
        if (!FindEntry(argument, out var path, out var entry))
            return Outside;
        return $"250-Listing {path.Virtual}\r\n {DemoListing.Machine(entry, path.Virtual, _facts)}\r\n250 End";
    }

    /// <summary><c>STAT PATH</c>: a listing on the control channel.</summary>
    private string ListOnControl(string argument)
    {
        const int most = 1000;
        if (!FindEntry(WithoutFlags(argument), out var path, out var entry))
            return Outside;
        var now = _time.GetUtcNow();
        var lines = Entries(path, entry).Take(most).Select(e => " " + DemoListing.Unix(e, now) + "\r\n");
        return $"213-Status of {path.Virtual}\r\n{string.Concat(lines)}213 End";
    }

    private static IEnumerable<FileSystemInfo> Entries(DemoPath path, FileSystemInfo entry) =>
        entry is DirectoryInfo ? DemoFolder.List(path.Real) : [entry];

    // Many clients send what they would give to ls: "LIST -la pub".
    private static string WithoutFlags(string argument)
    {
        var rest = argument.AsSpan().TrimStart();
        while (rest.StartsWith("-"))
        {
            var space = rest.IndexOf(' ');
            rest = space < 0 ? "" : rest[(space + 1)..].TrimStart();
        }
        return rest.ToString();
    }
}
