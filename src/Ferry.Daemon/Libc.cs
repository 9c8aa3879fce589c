using System.Runtime.InteropServices;

namespace Ferry.Daemon;

/// <summary>The calls that the base class library does not have.</summary>
internal static partial class Libc
{
    public const int RLIMIT_NOFILE = 7;
    public const int ESRCH = 3;
    public const int EPERM = 1;

    public const int AT_FDCWD = -100;
    public const int AT_SYMLINK_NOFOLLOW = 0x100;
    public const uint STATX_TYPE = 1;
    public const int SIFMT = 0xF000;
    public const int SIFREG = 0x8000;

    public const int SIGHUP = 1;
    public const int SIGINT = 2;
    public const int SIGQUIT = 3;
    public const int SIGUSR1 = 10;
    public const int SIGTERM = 15;

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int kill(int pid, int sig);

    /// <summary>Sets what a signal does; 0 is SIG_DFL.</summary>
    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint signal(int sig, nint handler);

    /// <summary>The same on every architecture, as stat is not.</summary>
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int statx(int dirfd, string pathname, int flags, uint mask, out statx_buffer statxbuf);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int getrlimit(int resource, out rlimit rlim);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int setrlimit(int resource, in rlimit rlim);

#pragma warning disable CS8981 // The native name is all in lower case.
    [StructLayout(LayoutKind.Sequential)]
    internal struct rlimit
    {
        public ulong rlim_cur;
        public ulong rlim_max;
    }

    /// <summary>Of struct statx (linux/stat.h), what is read here.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct statx_buffer
    {
        [FieldOffset(28)]
        public ushort stx_mode;
    }
#pragma warning restore CS8981
}
