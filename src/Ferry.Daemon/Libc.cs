using System.Runtime.InteropServices;

namespace Ferry.Daemon;

/// <summary>The calls that the base class library does not have.</summary>
internal static partial class Libc
{
    public const int RLIMIT_NOFILE = 7;
    public const int ESRCH = 3;
    public const int EPERM = 1;

    public const int SIGHUP = 1;
    public const int SIGQUIT = 3;
    public const int SIGUSR1 = 10;
    public const int SIGTERM = 15;

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int kill(int pid, int sig);

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
#pragma warning restore CS8981
}
