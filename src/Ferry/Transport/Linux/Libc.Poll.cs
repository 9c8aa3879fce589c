using System.Runtime.InteropServices;

namespace Ferry.Transport.Linux;

internal static unsafe partial class Libc
{
    private const short POLLERR = 0x8;
    private const short POLLHUP = 0x10;
    private const short POLLRDHUP = 0x2000;

    /// <summary>Whether a FIN or a reset has come on a connection. Reading would tell of it only behind all that came before.</summary>
    public static bool HasHungUp(SafeHandle socket)
    {
        var isHeld = false;
        try
        {
            socket.DangerousAddRef(ref isHeld);
            var asked = new PollDescriptor { Descriptor = (int)socket.DangerousGetHandle(), Events = POLLRDHUP };
            return poll(&asked, 1, 0) == 1 && (asked.Returned & (POLLERR | POLLHUP | POLLRDHUP)) != 0;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
        finally
        {
            if (isHeld)
                socket.DangerousRelease();
        }
    }
}
