using System.Globalization;
using System.IO;
using System.Text;

namespace Ferry.Daemon.Demo;

/// <summary>The lines of directory listings.</summary>
internal static class DemoListing
{
    private static readonly TimeSpan HalfYear = TimeSpan.FromDays(182);

    /// <summary>As <c>ls -l</c> writes it, which is what clients have learnt to read.</summary>
    public static string Unix(FileSystemInfo entry, DateTimeOffset now)
    {
        var time = entry.LastWriteTimeUtc;
        var recent = now - time < HalfYear && time <= now.UtcDateTime.AddDays(1);
        return string.Create(CultureInfo.InvariantCulture,
            $"{(entry is DirectoryInfo ? "drwxr-xr-x" : "-rw-r--r--")} 1 ftp ftp {SizeOf(entry),12} {time:MMM} {time.Day,2} {(recent ? $"{time:HH:mm}" : $"{time,5:yyyy}")} {entry.Name}");
    }

    /// <summary>As RFC 3659 §7 has it: facts, a space, the name.</summary>
    public static string Machine(FileSystemInfo entry, string name, DemoFacts facts)
    {
        var text = new StringBuilder();
        if (facts.HasFlag(DemoFacts.Type))
            text.Append(entry is DirectoryInfo ? "type=dir;" : "type=file;");
        if (facts.HasFlag(DemoFacts.Size) && entry is FileInfo file)
            text.Append(CultureInfo.InvariantCulture, $"size={file.Length};");
        if (facts.HasFlag(DemoFacts.Modify))
            text.Append(CultureInfo.InvariantCulture, $"modify={Time(entry)};");
        return text.Append(' ').Append(name).ToString();
    }

    /// <summary>RFC 3659 §2.3.</summary>
    public static string Time(FileSystemInfo entry) => entry.LastWriteTimeUtc.ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture);

    private static long SizeOf(FileSystemInfo entry) => entry is FileInfo file ? file.Length : 4096;
}

/// <summary>The facts that a client wants of each entry (<c>OPTS MLST</c>).</summary>
[Flags]
internal enum DemoFacts
{
    None = 0,
    Type = 1,
    Size = 2,
    Modify = 4,
    All = Type | Size | Modify,
}
