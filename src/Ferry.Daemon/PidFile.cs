using System.Globalization;
using System.IO;

namespace Ferry.Daemon;

/// <summary>The file that tells others which process to signal.</summary>
internal static class PidFile
{
    /// <summary>Reads a process id; null and the reason where there is none.</summary>
    public static int? TryRead(string path, out string error)
    {
        error = "";
        try
        {
            using var reader = new StreamReader(path);
            Span<char> text = stackalloc char[32];
            var length = reader.ReadBlock(text);
            if (int.TryParse(text[..length].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && pid > 0)
                return pid;
            error = $"the pid file {path} does not hold a process id";
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            error = $"there is no pid file {path}: ferryd is not running, or runs with another configuration";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error = $"the pid file {path} cannot be read: {e.Message}";
        }
        return null;
    }

    /// <summary>The live ferryd, other than this process, that <paramref name="path"/> names; null where there is none.</summary>
    public static int? FindOwner(string path) =>
        TryRead(path, out _) is { } pid && pid != Environment.ProcessId && DaemonProcess.IsAlive(pid) && DaemonProcess.IsFerry(pid)
            ? pid
            : null;

    /// <summary>Writes our process id; returns null, or why it could not be written.</summary>
    public static string? TryWrite(string path)
    {
        // Renamed into place: who reads it sees the old number or the new one, never half of one.
        var temporary = $"{path}.{Environment.ProcessId}";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            File.WriteAllText(temporary, $"{Environment.ProcessId}\n");
            File.Move(temporary, path, overwrite: true);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            TryDelete(temporary);
            return $"the pid file {path} cannot be written: {e.Message}";
        }
    }

    /// <summary>Removes the file if it is still ours: a successor may have written its own by now.</summary>
    public static void RemoveOwn(string path)
    {
        if (TryRead(path, out _) == Environment.ProcessId)
            TryDelete(path);
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A stale file is recognised as stale by whoever reads it.
        }
    }
}
