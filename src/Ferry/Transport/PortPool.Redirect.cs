using System.Collections.Immutable;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.Config;

namespace Ferry.Transport;

/// <summary>Ports that one listener stands for: giving one opens nothing, and only those on loan are remembered.</summary>
internal sealed partial class PortPool
{
    // Ports that the client holds from another pool of the same listener are stepped over, so many of them.
    private const int MaxRedirectAttempts = 16;

    private ImmutableArray<RedirectListener> _redirects = [];
    private RedirectListeners? _shared;

    /// <summary>The single ports that stand for the range.</summary>
    public ImmutableArray<RedirectListener> Redirects => _redirects;

    private IEnumerable<IPEndPoint> RedirectEndPoints => _redirects.Select(static r => r.EndPoint);

    private bool IsRedirected => !_redirects.IsEmpty;

    /// <summary>Has the ports of this pool served by one listener an address, before the first is lent.</summary>
    /// <param name="shared">The listeners that are open.</param>
    /// <param name="endPoints">An address of each family that clients come by, or several.</param>
    /// <param name="failed">The address that could not be opened.</param>
    /// <returns>Why it could not; the caller then disposes the pool.</returns>
    public SocketError Redirect(RedirectListeners shared, ImmutableArray<IPEndPoint> endPoints, out IPEndPoint? failed)
    {
        _shared = shared;
        foreach (var endPoint in endPoints)
        {
            if (shared.TryJoin(endPoint, this, out var error) is not { } listener)
            {
                failed = endPoint;
                return error;
            }
            _redirects = _redirects.Add(listener);
        }
        failed = null;
        return SocketError.Success;
    }

    /// <summary>The port is one of the range.</summary>
    internal bool Holds(int port) => port >= _zone.MinPort && port <= _zone.MaxPort;

    private DataLease? LendRedirected(ClientPorts ports, PortBorrower borrower, IPAddress local, ImmutableArray<AccessRuleConfig> rules)
    {
        if (ListenerFor(local) is not { } listener)
            return null;
        for (var attempt = 0; attempt < MaxRedirectAttempts && ports.TryTake(out var number); attempt++)
        {
            var lease = new DataLease(this, borrower, new DataPort(local, number, listener), rules);
            if (listener.TryAdd(lease))
                return lease;
            lease.Dispose(); // with what may have come while half of it stood
            ports.GiveBack(number);
        }
        return null;
    }

    private RedirectListener? ListenerFor(IPAddress local)
    {
        RedirectListener? any = null;
        foreach (var redirect in _redirects)
        {
            var address = redirect.EndPoint.Address;
            if (address.Equals(local))
                return redirect;
            if (address.AddressFamily == local.AddressFamily && address.Equals(Anybody(local)))
                any = redirect;
        }
        return any;
    }

    private void LeaveRedirects()
    {
        // A pool that was disposed before has left already. What it was lent stays in the table until it is given back.
        if (Interlocked.Exchange(ref _shared, null) is not { } shared)
            return;
        foreach (var redirect in _redirects)
            shared.Leave(redirect, this);
    }
}
