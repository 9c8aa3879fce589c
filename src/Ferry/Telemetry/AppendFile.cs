using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ferry.Telemetry;

/// <summary>The system calls under a log. <c>FileStream</c> cannot do this: it knows no O_APPEND, so a second process, a second proxy or logrotate's
/// <c>copytruncate</c> would make it write over lines or leave holes.</summary>
internal static partial class AppendFile
{
    // Longer than any healthy reader of a pipe takes, short enough that a dead one does not hold up a stop.
    private const int FullPipeMilliseconds = 1000;

    /// <summary>Whether <paramref name="path"/> stands for the standard error stream.</summary>
    public static bool IsStandardError(string path) => path is "stderr" or "-";

    /// <summary>Opens a file for appending and makes it, and its folder, where they are missing; the folder above that must exist, because a misspelt path should be reported.</summary>
    public static bool TryOpen(string path, [NotNullWhen(true)] out SafeFileHandle? file, [NotNullWhen(false)] out string? error)
    {
        file = null;
        error = null;
        if (IsStandardError(path))
        {
            file = new SafeFileHandle(2, ownsHandle: false);
            return true;
        }
        try
        {
            var folder = Path.GetDirectoryName(path);
            if (!string.IsNullOrEmpty(folder) && !Directory.Exists(folder) && Directory.Exists(Path.GetDirectoryName(folder)))
                Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error = $"cannot make the folder of \"{path}\": {e.Message}";
            return false;
        }
        // O_NONBLOCK means nothing to a file, and keeps a named pipe without a reader from holding up the start.
        var fd = Libc.open(path, Libc.O_WRONLY | Libc.O_CREAT | Libc.O_APPEND | Libc.O_NOCTTY | Libc.O_NONBLOCK | Libc.O_CLOEXEC, Libc.Mode644);
        if (fd < 0)
        {
            error = $"cannot open \"{path}\": {Describe(Marshal.GetLastPInvokeError())}";
            return false;
        }
        file = new SafeFileHandle(fd, ownsHandle: true);
        return true;
    }

    /// <summary>Writes all of <paramref name="bytes"/>. Returns 0, or the error number that stopped it; <paramref name="written"/> tells how far it came.</summary>
    public static unsafe int Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, out int written)
    {
        written = 0;
        fixed (byte* start = bytes)
        {
            while (written < bytes.Length)
            {
                var count = Libc.write(file, start + written, (nuint)(bytes.Length - written));
                if (count > 0)
                {
                    written += (int)count;
                    continue;
                }
                var errno = Marshal.GetLastPInvokeError();
                if (count < 0 && errno == Libc.EINTR)
                    continue;
                if (count < 0 && errno == Libc.EAGAIN && WaitWritable(file))
                    continue;
                return count < 0 ? errno : Libc.EIO;
            }
        }
        return 0;
    }

    /// <summary>What the system calls an error, with its number.</summary>
    public static string Describe(int errno) => $"{Marshal.GetPInvokeErrorMessage(errno)} ({errno})";

    private static unsafe bool WaitWritable(SafeFileHandle file)
    {
        var wait = new Libc.PollFd { Fd = (int)file.DangerousGetHandle(), Events = Libc.POLLOUT };
        return Libc.poll(&wait, 1, FullPipeMilliseconds) > 0;
    }

    private static partial class Libc
    {
        public const int O_WRONLY = 1;
        public const int O_CREAT = 0x40;
        public const int O_NOCTTY = 0x100;
        public const int O_APPEND = 0x400;
        public const int O_NONBLOCK = 0x800;
        public const int O_CLOEXEC = 0x80000;
        public const int Mode644 = 0x1A4;
        public const int EINTR = 4;
        public const int EIO = 5;
        public const int EAGAIN = 11;
        public const short POLLOUT = 4;

        [StructLayout(LayoutKind.Sequential)]
        public struct PollFd
        {
            public int Fd;
            public short Events;
            public short ReturnedEvents;
        }

        [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        public static partial int open(string path, int flags, int mode);

        [LibraryImport("libc", SetLastError = true)]
        public static unsafe partial nint write(SafeFileHandle fd, byte* bytes, nuint count);

        [LibraryImport("libc", SetLastError = true)]
        public static unsafe partial int poll(PollFd* fds, nuint count, int milliseconds);
    }
}
