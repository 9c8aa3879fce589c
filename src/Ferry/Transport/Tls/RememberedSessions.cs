using System.Linq;
using System.Net;

namespace Ferry.Transport.Tls;

/// <summary>
/// The last session of TLS that each server gave to a control connection, for the next one to it: a handshake that resumes costs either side a fraction of a
/// full one (RFC 8446 §2.2, RFC 5246 §7.3). A context has its own, as sessions that another one verified prove nothing here.
/// </summary>
internal sealed class RememberedSessions
{
    /// <summary>Servers come from the configuration as a rule, and from outside where they are looked up.</summary>
    internal const int Most = 1024;

    private readonly Lock _sync = new();

    // Null: a handshake that tried to resume has failed, and none does so again.
    private readonly Dictionary<(IPEndPoint Server, TlsPeerName Name), TlsSession?> _sessions = [];

    /// <summary>The session to offer, to be disposed by the caller; null where there is none.</summary>
    /// <param name="server">Where the connection leads.</param>
    /// <param name="name">Who the server should be: what was verified under one name is not resumed under another.</param>
    public TlsSession? Find(IPEndPoint server, TlsPeerName name)
    {
        lock (_sync)
            return _sessions.GetValueOrDefault((server, name))?.Copy();
    }

    /// <summary>Keeps a session in the place of the one before.</summary>
    /// <param name="server">Who gave it.</param>
    /// <param name="name">Who that should be.</param>
    /// <param name="session">Copied; one that cannot be resumed is passed over.</param>
    public void Keep(IPEndPoint server, TlsPeerName name, TlsSession session)
    {
        if (!session.IsResumable)
            return;
        // A copy of its own: a connection that ends without ceremony marks its session as not to be resumed.
        var copy = session.Copy();
        TlsSession? before;
        lock (_sync)
        {
            if (_sessions.TryGetValue((server, name), out before))
            {
                if (before is null)
                    before = copy;
                else
                    _sessions[(server, name)] = copy;
            }
            else
            {
                if (_sessions.Count >= Most && _sessions.First() is var any && _sessions.Remove(any.Key))
                    before = any.Value;
                _sessions.Add((server, name), copy);
            }
        }
        before?.Dispose();
    }

    /// <summary>A handshake failed that had a session to resume: a server that cannot would fail every other one.</summary>
    /// <returns>Whether that is news.</returns>
    public bool Distrust(IPEndPoint server, TlsPeerName name)
    {
        TlsSession? before;
        lock (_sync)
        {
            if (!_sessions.TryGetValue((server, name), out before) || before is null)
                return false;
            _sessions[(server, name)] = null;
        }
        before.Dispose();
        return true;
    }
}
