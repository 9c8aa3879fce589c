using System.Net;

namespace Ferry.Transport.Tls;

/// <summary>
/// The last session of TLS that each server gave to a control connection which has ended, for the next one to it: a handshake that resumes costs either side a
/// fraction of a full one (RFC 8446 §2.2). A context has its own, as sessions that another one verified prove nothing here.
/// </summary>
/// <remarks>TLS 1.3 only. Before it, connections that resume share one session, which keeps the age of its first: data connections, which resume it too and often
/// must, would find it expired or thrown away in the middle of the login.</remarks>
internal sealed class RememberedSessions : IDisposable
{
    /// <summary>Servers come from the configuration as a rule, and from outside where they are looked up.</summary>
    internal const int Most = 1024;

    /// <summary>A server is verified in full handshakes only, so one is due at times.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    // One may be a server that was being restarted.
    private const int MostFailures = 2;

    private readonly Lock _sync = new();
    private readonly Dictionary<(IPEndPoint Server, TlsPeerName Name), Entry> _entries = [];
    private readonly TimeProvider _time;
    private bool _isDisposed;

    public RememberedSessions(TimeProvider time) => _time = time;

    /// <summary>The session to offer, to be disposed by the caller; null where there is none.</summary>
    /// <param name="server">Where the connection leads.</param>
    /// <param name="name">Who the server should be: what was verified under one name is not resumed under another.</param>
    public TlsSession? Find(IPEndPoint server, TlsPeerName name)
    {
        lock (_sync)
        {
            return _entries.TryGetValue((server, name), out var entry) && entry.Verified is { } verified && _time.GetElapsedTime(verified) < Longest
                ? entry.Session?.Copy()
                : null;
        }
    }

    /// <summary>Keeps the session of a connection that is over in the place of the one before.</summary>
    /// <param name="server">Who gave it.</param>
    /// <param name="name">Who that should be.</param>
    /// <param name="session">Copied; one that cannot be resumed, or not by others, is passed over.</param>
    /// <param name="isResumed">The connection had resumed another one's, and so was not verified.</param>
    public void Keep(IPEndPoint server, TlsPeerName name, TlsSession session, bool isResumed)
    {
        if (!session.IsResumable || !session.IsTls13)
            return;
        // A copy of its own: a connection that ends without ceremony marks its session as not to be resumed.
        var copy = session.Copy();
        if (copy.IsInvalid)
            return;
        TlsSession? passed;
        lock (_sync)
        {
            var entry = EntryOf((server, name));
            if (_isDisposed || entry.Failures >= MostFailures || (isResumed && entry.Verified is null))
            {
                passed = copy;
            }
            else
            {
                (passed, entry.Session) = (entry.Session, copy);
                if (isResumed)
                    entry.Failures = 0;
                else
                    entry.Verified = _time.GetTimestamp();
            }
        }
        passed?.Dispose();
    }

    /// <summary>
    /// A connection that had a session to resume got no further, or no session of its own. The next one begins anew; and all, where this has happened twice without
    /// a success in between: a server that cannot resume would fail every other one.
    /// </summary>
    /// <returns>Whether it is not asked any more from now on.</returns>
    public bool Fail(IPEndPoint server, TlsPeerName name)
    {
        TlsSession? passed;
        bool isLast;
        lock (_sync)
        {
            var entry = EntryOf((server, name));
            (passed, entry.Session) = (entry.Session, null);
            isLast = ++entry.Failures == MostFailures;
        }
        passed?.Dispose();
        return isLast;
    }

    public void Dispose()
    {
        lock (_sync)
        {
            _isDisposed = true;
            Clear();
        }
    }

    private Entry EntryOf((IPEndPoint Server, TlsPeerName Name) key)
    {
        if (_entries.TryGetValue(key, out var entry))
            return entry;
        if (_entries.Count >= Most)
            Clear();
        return _entries[key] = new Entry();
    }

    private void Clear()
    {
        foreach (var entry in _entries.Values)
            entry.Session?.Dispose();
        _entries.Clear();
    }

    private sealed class Entry
    {
        public TlsSession? Session { get; set; }

        public int Failures { get; set; }

        /// <summary>When a connection that began with a full handshake was over, the last time.</summary>
        public long? Verified { get; set; }
    }
}
