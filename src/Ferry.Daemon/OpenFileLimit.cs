using System.Runtime.InteropServices;

namespace Ferry.Daemon;

/// <summary><c>worker_rlimit_nofile</c>: how many files, sockets among them, the kernel lets this process hold open.</summary>
internal static class OpenFileLimit
{
    /// <summary>Asks for <paramref name="files"/>; returns null, or why the limit stays as it is.</summary>
    public static string? TryRaise(int files)
    {
        var wanted = (ulong)files;
        if (Libc.getrlimit(Libc.RLIMIT_NOFILE, out var limit) != 0)
            return $"worker_rlimit_nofile {files}: {Marshal.GetLastPInvokeErrorMessage()}";
        // The hard limit is only ever raised: lowering it could not be taken back by a reload.
        var hard = limit.rlim_max;
        limit.rlim_cur = wanted;
        limit.rlim_max = Math.Max(hard, wanted);
        if (Libc.setrlimit(Libc.RLIMIT_NOFILE, in limit) == 0)
            return null;
        var reason = Marshal.GetLastPInvokeErrorMessage();
        limit.rlim_cur = limit.rlim_max = hard;
        _ = Libc.setrlimit(Libc.RLIMIT_NOFILE, in limit);
        return $"worker_rlimit_nofile {files}: {reason}; the limit is {hard}, and raising it takes CAP_SYS_RESOURCE";
    }
}
