using System.IO;
using System.Runtime.InteropServices;
using System.Text;

namespace Ferry.Daemon;

/// <summary>Looks at another process: is it there, and is it a ferryd?</summary>
internal static class DaemonProcess
{
    private const string Name = "ferryd";

    // A zombie has ended: what remains of it takes no signal.
    public static bool IsAlive(int pid) =>
        (Libc.kill(pid, 0) == 0 || Marshal.GetLastPInvokeError() == Libc.EPERM) && !IsZombie(pid);

    /// <summary>Whether <paramref name="pid"/> runs this program, so that a number left over in a file hits no stranger.</summary>
    public static bool IsFerry(int pid)
    {
        try
        {
            var target = File.ResolveLinkTarget($"/proc/{pid}/exe", returnFinalTarget: false)?.FullName;
            // After an upgrade in place the kernel appends " (deleted)".
            if (target is not null && Path.GetFileName(target.Replace(" (deleted)", "", StringComparison.Ordinal)) == Name)
                return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another user's process hides its executable, but not its command line.
        }
        try
        {
            // "ferryd", or "dotnet …/ferryd.dll" in development.
            var words = Encoding.UTF8.GetString(ReadAtMost($"/proc/{pid}/cmdline", 8192)).Split('\0');
            return words is [var first, ..] && Path.GetFileName(first) == Name
                || words is [_, var second, ..] && Path.GetFileName(second) == Name + ".dll";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool IsZombie(int pid)
    {
        try
        {
            // "pid (name) S …": the name may hold anything, so the state is behind the last parenthesis.
            var stat = Encoding.UTF8.GetString(ReadAtMost($"/proc/{pid}/stat", 1024));
            var end = stat.LastIndexOf(')');
            return end >= 0 && stat.AsSpan(end + 1).TrimStart().StartsWith("Z");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static byte[] ReadAtMost(string path, int length)
    {
        using var file = File.OpenRead(path);
        var buffer = new byte[length];
        return buffer[..file.ReadAtLeast(buffer, length, throwOnEndOfStream: false)];
    }
}
