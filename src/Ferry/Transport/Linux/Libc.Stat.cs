using System.Runtime.InteropServices;

namespace Ferry.Transport.Linux;

internal static unsafe partial class Libc
{
    private const int AT_FDCWD = -100;
    private const uint STATX_BASIC_STATS = 0x7ff;
    private const int TypeMask = 0xf000; // S_IFMT, S_IFDIR, S_IFREG (sys/stat.h)
    private const int Folder = 0x4000;
    private const int RegularFile = 0x8000;

    /// <summary>The stamp of a file, or of what its symbolic links lead to; all zero where there is none. The time is that of the inode's change, which nobody sets back.</summary>
    public static FileStamp Stamp(string path)
    {
        Statx found;
        return statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &found) == 0
            ? new FileStamp(found.stx_dev_major, found.stx_dev_minor, found.stx_ino, found.stx_size, found.stx_ctime_sec, found.stx_ctime_nsec)
            : default;
    }

    /// <summary>A pipe or a device, whose opening or reading may wait for ever; not a regular file, a folder, or nothing.</summary>
    public static bool IsPipeOrDevice(string path)
    {
        Statx found;
        return statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &found) == 0 && (found.stx_mode & TypeMask) is not (RegularFile or Folder);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int dirfd, string pathname, int flags, uint mask, Statx* statxbuf);

    // linux/stat.h; unlike struct stat the same on every architecture.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Statx
    {
        [FieldOffset(28)] public ushort stx_mode;
        [FieldOffset(32)] public ulong stx_ino;
        [FieldOffset(40)] public ulong stx_size;
        [FieldOffset(96)] public long stx_ctime_sec;
        [FieldOffset(104)] public uint stx_ctime_nsec;
        [FieldOffset(136)] public uint stx_dev_major;
        [FieldOffset(140)] public uint stx_dev_minor;
    }
}
