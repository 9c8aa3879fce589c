using System.Net;
using System.Net.Sockets;
using Ferry.Transport.Linux;
using Microsoft.Extensions.Logging;

namespace Ferry.Transport;

/// <summary>A listening socket with its accept loop; used by the control listeners, the passive ports and the single ports that stand for many.</summary>
internal sealed partial class ListeningSocket : IDisposable
{
    private static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(100);

    private readonly Socket _socket;
    private readonly Readiness _readiness;
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    private ListeningSocket(Socket socket, TimeProvider time, ILogger logger)
    {
        _socket = socket;
        _readiness = new Readiness(socket.SafeHandle);
        _time = time;
        _logger = logger;
        EndPoint = (IPEndPoint)socket.LocalEndPoint!;
    }

    /// <summary>The bound address and port.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Binds and listens. IPv6 addresses take IPv6 clients only, as nginx's ipv6only=on.</summary>
    /// <param name="endPoint">Where.</param>
    /// <param name="backlog">Connections that the kernel keeps waiting.</param>
    /// <param name="time">For the pause after a failed accept.</param>
    /// <param name="logger">Where a failing accept is told.</param>
    /// <param name="error">Why there is no listener.</param>
    /// <param name="isTransparent">The address need not be one of this machine.</param>
    public static ListeningSocket? TryOpen(IPEndPoint endPoint, int backlog, TimeProvider time, ILogger logger, out SocketError error, bool isTransparent = false)
    {
        Socket? socket = null;
        try
        {
            socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            if (endPoint.AddressFamily == AddressFamily.InterNetworkV6)
                socket.DualMode = false;
            // SO_REUSEADDR alone: SocketOptionName.ReuseAddress would add SO_REUSEPORT, and two ferryds would silently share a port.
            socket.SetRawSocketOption(Libc.SOL_SOCKET, Libc.SO_REUSEADDR, BitConverter.GetBytes(1));
            if (isTransparent)
                BeTransparent(socket);
            socket.Bind(endPoint);
            socket.Listen(backlog);
            // A client may have gone between the loop's word and the accept.
            _ = Libc.fcntl(socket.SafeHandle, Libc.F_SETFL, Libc.O_NONBLOCK);
            error = SocketError.Success;
            return new ListeningSocket(socket, time, logger);
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            error = e.SocketErrorCode;
            return null;
        }
    }

    /// <summary>Takes connections whose destination is another address or port (TPROXY), and their sockets keep it.</summary>
    public bool TryBeTransparent(out SocketError error)
    {
        error = SocketError.Success;
        try
        {
            BeTransparent(_socket);
            return true;
        }
        catch (SocketException e)
        {
            error = e.SocketErrorCode;
            return false;
        }
    }

    /// <summary>Accepts until disposed.</summary>
    /// <param name="handler">Is given every connection. Must not block; a connection on which it throws is closed.</param>
    /// <param name="spreads">Deals the connections out to the loops, which take turns. The handler runs on the connection's own: what it begins stays there.</param>
    public async Task AcceptAsync(Action<Connection> handler, bool spreads = false)
    {
        while (true)
        {
            SocketError error;
            try
            {
                await _readiness.WaitReadableAsync().ConfigureAwait(false);
                if (TryAccept(out error) is { } accepted)
                {
                    if (spreads)
                        Spread(accepted, handler);
                    else
                        Hand(accepted, handler);
                }
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                error = e.SocketErrorCode;
            }
            // Gone, before it was accepted, is none of ours.
            if (error is SocketError.Success or SocketError.WouldBlock or SocketError.ConnectionReset or SocketError.ConnectionAborted)
                continue;
            // Out of descriptors or memory: the connection stays in the backlog, and trying at once would only burn a processor.
            Log.AcceptFailed(_logger, EndPoint, error);
            await Task.Delay(AcceptPause, _time).ConfigureAwait(false);
        }
    }

    /// <summary>When it returns, the port is free.</summary>
    public void Dispose()
    {
        _readiness.Close();
        lock (_gate)
            _socket.Dispose();
    }

    private static void BeTransparent(Socket socket)
    {
        var isIPv6 = socket.AddressFamily == AddressFamily.InterNetworkV6;
        socket.SetRawSocketOption(isIPv6 ? Libc.SOL_IPV6 : Libc.SOL_IP, isIPv6 ? Libc.IPV6_TRANSPARENT : Libc.IP_TRANSPARENT, BitConverter.GetBytes(1));
    }

    // A call under way would keep the descriptor open behind the back of who closes it.
    private Connection? TryAccept(out SocketError error)
    {
        lock (_gate)
            return Connection.TryAccept(_socket.SafeHandle, out error);
    }

    private void Spread(Connection accepted, Action<Connection> handler)
    {
        var loop = accepted.Loop = EventLoop.Next();
        if (loop == EventLoop.Current)
            Hand(accepted, handler);
        else
            loop.Post(_ => Hand(accepted, handler), null);
    }

    // What fails for one connection must not end the loop, and with it all that would come after.
    private void Hand(Connection accepted, Action<Connection> handler)
    {
        try
        {
            handler(accepted);
        }
        catch (Exception e)
        {
            accepted.Dispose();
            Log.HandlerFailed(_logger, e, EndPoint);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(100, LogLevel.Error, "accept on {Listener} failed: {Error}; trying again (is the limit of open files reached?)")]
        public static partial void AcceptFailed(ILogger logger, IPEndPoint listener, SocketError error);

        [LoggerMessage(101, LogLevel.Error, "a connection accepted on {Listener} could not be served; this is a fault of Ferry's")]
        public static partial void HandlerFailed(ILogger logger, Exception exception, IPEndPoint listener);
    }
}
