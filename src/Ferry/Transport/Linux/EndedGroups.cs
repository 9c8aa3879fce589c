using System.Runtime.InteropServices;

namespace Ferry.Transport.Linux;

/// <summary>
/// Process groups of programs that have ended. Where Ferry is process 1 (in a container without an init) or a subreaper, whom they have left behind
/// become its children, and stay as zombies until it reaps them.
/// </summary>
internal static class EndedGroups
{
    /// <summary>Of further groups with members that have not died yet, zombies may stay.</summary>
    private const int Most = 256;

    private static readonly Lock Gate = new();

    // Groups with a child of ours, which is why their numbers are nobody else's.
    private static readonly List<int> Left = [];

    /// <summary>The leader of a group has been reaped, and all of it has been killed.</summary>
    public static void Add(int group)
    {
        lock (Gate)
        {
            Left.RemoveAll(IsOver);
            if (!IsOver(group) && Left.Count < Most)
                Left.Add(group);
        }
    }

    /// <summary>Reaps who has died since.</summary>
    public static void Reap()
    {
        lock (Gate)
            Left.RemoveAll(IsOver);
    }

    /// <summary>Reaps who has died, and says whether no child of ours is left.</summary>
    private static unsafe bool IsOver(int group)
    {
        int status;
        int reaped;
        do
            reaped = Libc.waitpid(-group, &status, Libc.WNOHANG);
        while (reaped > 0 || (reaped < 0 && Marshal.GetLastPInvokeError() == Libc.EINTR));
        return reaped < 0;
    }
}
