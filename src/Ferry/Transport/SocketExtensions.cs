using System.Net.Sockets;
using Ferry.Transport.Linux;

namespace Ferry.Transport;

internal static class SocketExtensions
{
    /// <summary>Closes a connection as an abort: the peer gets RST and never FIN. Ends any call in flight; may be called again.</summary>
    public static void Abort(this Socket socket)
    {
        try
        {
            // Before the close: where another thread is inside a call, .NET's close shuts the socket down first to free that thread,
            // and the peer would see FIN before the RST, which is how a whole file ends.
            if (OperatingSystem.IsLinux())
                Libc.Disconnect(socket.SafeHandle);
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The peer was faster, or we were; closing is all that is left.
        }
        socket.Close(0);
    }
}
