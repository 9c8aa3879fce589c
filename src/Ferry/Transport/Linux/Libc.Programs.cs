using System.Runtime.InteropServices;

namespace Ferry.Transport.Linux;

internal static unsafe partial class Libc
{
    public const int O_RDONLY = 0;
    public const int SIGKILL = 9;
    public const int WNOHANG = 1;

    public const short POSIX_SPAWN_SETSIGDEF = 0x04;
    public const short POSIX_SPAWN_SETSIGMASK = 0x08;
    public const short POSIX_SPAWN_SETSID = 0x80;

    private const nint SYS_pidfd_open = 434; // the same on every architecture

    /// <summary>Since Linux 5.3; glibc has a function for it only since 2.36.</summary>
    public static int pidfd_open(int pid) => (int)syscall(SYS_pidfd_open, pid, 0);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int kill(int pid, int sig);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int waitpid(int pid, int* wstatus, int options);

    [LibraryImport("libc")]
    public static partial int sigfillset(void* set);

    [LibraryImport("libc")]
    public static partial int sigemptyset(void* set);

    [LibraryImport("libc")]
    public static partial int posix_spawn(int* pid, byte* path, void* file_actions, void* attrp, byte** argv, byte** envp);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_init(void* attr);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_destroy(void* attr);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_setflags(void* attr, short flags);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_setsigdefault(void* attr, void* sigdefault);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_setsigmask(void* attr, void* sigmask);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_init(void* file_actions);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_destroy(void* file_actions);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_adddup2(void* file_actions, SafeHandle fildes, int newfildes);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int posix_spawn_file_actions_addopen(void* file_actions, int fildes, string path, int oflag, uint mode);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int posix_spawn_file_actions_addchdir_np(void* file_actions, string path);

    /// <summary>Since glibc 2.34.</summary>
    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_addclosefrom_np(void* file_actions, int from);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, int first, uint second);
}
