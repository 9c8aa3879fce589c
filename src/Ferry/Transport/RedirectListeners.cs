using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Ferry.Transport;

/// <summary>The listeners of single ports that are open, each shared by the pools that it serves.</summary>
internal sealed class RedirectListeners(TimeProvider time, ILogger logger)
{
    // One queue for what else would be a queue a port; the kernel bounds it further (net.core.somaxconn).
    private const int Backlog = 4096;

    private readonly Lock _sync = new();
    private readonly Dictionary<IPEndPoint, RedirectListener> _open = [];

    /// <summary>Has the listener of an address serve a pool, and opens it where it is not open.</summary>
    /// <returns>The listener, to be given back with <see cref="Leave"/>; null where it cannot be opened.</returns>
    public RedirectListener? TryJoin(IPEndPoint endPoint, PortPool pool, out SocketError error)
    {
        lock (_sync)
        {
            error = SocketError.Success;
            if (!_open.TryGetValue(endPoint, out var listener))
            {
                listener = RedirectListener.TryOpen(endPoint, Backlog, time, logger, out error);
                if (listener is null)
                    return null;
                _open.Add(endPoint, listener);
            }
            listener.Add(pool);
            return listener;
        }
    }

    /// <summary>The pool is served no more.</summary>
    public void Leave(RedirectListener listener, PortPool pool)
    {
        lock (_sync)
        {
            if (listener.Remove(pool))
                _open.Remove(listener.EndPoint);
        }
    }
}
