using System.Linq;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ferry.Transport.Linux;

/// <summary>
/// Starts a program without a shell: in a session and process group of its own, in the folder /, with signals as a shell would give it, with an empty
/// input, with its output in a pipe, and with no other file of this process.
/// </summary>
internal static unsafe class ProgramStart
{
    /// <summary>posix_spawnattr_t has 336 bytes and posix_spawn_file_actions_t 80, in glibc and musl; a sigset_t has 128.</summary>
    private const int LargestStruct = 512;

    private static bool _lacksCloseFrom;

    /// <summary>Starts it.</summary>
    /// <param name="path">An absolute path.</param>
    /// <param name="arguments">Without the program's own name.</param>
    /// <param name="environment">All of it, as NAME=VALUE.</param>
    /// <param name="output">Where it writes to.</param>
    /// <param name="pid">Its process, which is to be reaped.</param>
    /// <returns>0, or an error of the kernel's.</returns>
    public static int Spawn(string path, IEnumerable<string> arguments, IEnumerable<string> environment, SafeFileHandle output, out int pid)
    {
        var actions = stackalloc byte[LargestStruct];
        var attributes = stackalloc byte[LargestStruct];
        var (argv, envp) = (Texts([path, .. arguments]), Texts(environment));
        pid = 0;
        var hasActions = false;
        var hasAttributes = false;
        try
        {
            var error = Libc.posix_spawn_file_actions_init(actions);
            hasActions = error == 0;
            if (error == 0)
                error = Libc.posix_spawnattr_init(attributes);
            hasAttributes = hasActions && error == 0;
            if (error == 0)
                error = Describe(actions, attributes, output);
            fixed (int* made = &pid)
            fixed (nint* first = argv, environ = envp)
                return error != 0 ? error : Libc.posix_spawn(made, (byte*)argv[0], actions, attributes, (byte**)first, (byte**)environ);
        }
        finally
        {
            if (hasActions)
                _ = Libc.posix_spawn_file_actions_destroy(actions);
            if (hasAttributes)
                _ = Libc.posix_spawnattr_destroy(attributes);
            Array.ForEach(argv, Marshal.FreeCoTaskMem);
            Array.ForEach(envp, Marshal.FreeCoTaskMem);
        }
    }

    private static int Describe(void* actions, void* attributes, SafeFileHandle output)
    {
        var signals = stackalloc byte[LargestStruct];
        var error = Libc.posix_spawn_file_actions_adddup2(actions, output, 1);
        if (error == 0)
            error = Libc.posix_spawn_file_actions_adddup2(actions, output, 2);
        if (error == 0)
            error = Libc.posix_spawn_file_actions_addopen(actions, 0, "/dev/null", Libc.O_RDONLY, 0);
        if (error == 0)
            error = Libc.posix_spawn_file_actions_addchdir_np(actions, "/");
        if (error == 0)
            error = CloseRest(actions);
        // .NET ignores SIGPIPE, and what is ignored stays ignored in a child.
        _ = Libc.sigfillset(signals);
        if (error == 0)
            error = Libc.posix_spawnattr_setsigdefault(attributes, signals);
        _ = Libc.sigemptyset(signals);
        if (error == 0)
            error = Libc.posix_spawnattr_setsigmask(attributes, signals);
        return error != 0 ? error
            : Libc.posix_spawnattr_setflags(attributes, Libc.POSIX_SPAWN_SETSID | Libc.POSIX_SPAWN_SETSIGDEF | Libc.POSIX_SPAWN_SETSIGMASK);
    }

    /// <summary>All of Ferry's descriptors close by themselves (O_CLOEXEC); those of whoever embeds Ferry may not.</summary>
    private static int CloseRest(void* actions)
    {
        if (_lacksCloseFrom)
            return 0;
        try
        {
            return Libc.posix_spawn_file_actions_addclosefrom_np(actions, 3);
        }
        catch (EntryPointNotFoundException)
        {
            _lacksCloseFrom = true;
            return 0;
        }
    }

    /// <summary>A list of texts as C has it: with a null at its end.</summary>
    private static nint[] Texts(IEnumerable<string> texts) => [.. texts.Select(Marshal.StringToCoTaskMemUTF8), 0];
}
