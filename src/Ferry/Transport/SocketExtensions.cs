using System.Net.Sockets;

namespace Ferry.Transport;

internal static class SocketExtensions
{
    /// <summary>Closes a connection as an abort: the peer gets RST and never FIN. Ends any call in flight; may be called again.</summary>
    public static void Abort(this Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The peer was faster, or we were; closing is all that is left.
        }
        // Not Dispose: where another thread is inside a call it first shuts the socket down to free that thread, and the peer sees FIN
        // before the RST, which is how a whole file ends. A time-out of 0 disconnects instead.
        socket.Close(0);
    }
}
