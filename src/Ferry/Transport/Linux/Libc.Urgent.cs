using System.Runtime.InteropServices;

namespace Ferry.Transport.Linux;

internal static partial class Libc
{
    private const int SIOCATMARK = 0x8905; // asm-generic/sockios.h

    /// <summary>sockatmark(3): the next byte to be read is urgent.</summary>
    public static bool IsAtUrgentMark(SafeHandle socket) => ioctl(socket, SIOCATMARK, out var atMark) == 0 && atMark != 0;

    [LibraryImport("libc")]
    private static partial int ioctl(SafeHandle fd, nint request, out int value);
}
