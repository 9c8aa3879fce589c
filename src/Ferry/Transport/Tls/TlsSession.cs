using System.Runtime.InteropServices;

namespace Ferry.Transport.Tls;

/// <summary>What a later connection resumes: the session of a control connection, with the newest ticket that its server has sent.</summary>
internal sealed class TlsSession : SafeHandle
{
    /// <param name="session">An SSL_SESSION with a reference of its own, which is owned from here on.</param>
    public TlsSession(nint session)
        : base(0, ownsHandle: true)
    {
        SetHandle(session);
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>It has an id or a ticket, and did not end in a failure.</summary>
    /// <exception cref="ObjectDisposedException">It has been disposed.</exception>
    public bool IsResumable => Ask(static s => OpenSsl.SSL_SESSION_is_resumable(s) == 1);

    /// <summary>Each connection that resumes it has a session of its own from there on.</summary>
    /// <exception cref="ObjectDisposedException">It has been disposed.</exception>
    public bool IsTls13 => Ask(static s => OpenSsl.SSL_SESSION_get_protocol_version(s) == OpenSsl.TLS1_3_VERSION);

    /// <summary>Whether the other one has the very same ticket.</summary>
    /// <exception cref="ObjectDisposedException">One of them has been disposed.</exception>
    public bool HasTicketOf(TlsSession other) => Ask(s => other.Ask(o => Ticket(s).SequenceEqual(Ticket(o))));

    /// <summary>The same session, to be disposed apart from this one.</summary>
    /// <exception cref="ObjectDisposedException">It has been disposed.</exception>
    public TlsSession Copy() => Ask(static s => new TlsSession(OpenSsl.SSL_SESSION_dup(s)));

    /// <summary>Has <paramref name="ssl"/> offer the session to its server.</summary>
    /// <exception cref="ObjectDisposedException">It has been disposed.</exception>
    public void OfferBy(nint ssl)
    {
        // A copy of its own: a connection that fails marks its session as not to be resumed, which must not spoil it for the others.
        using var copy = Copy();
        if (!copy.IsInvalid)
            _ = OpenSsl.SSL_set_session(ssl, copy.handle);
        OpenSsl.ERR_clear_error();
    }

    private static unsafe ReadOnlySpan<byte> Ticket(nint session)
    {
        OpenSsl.SSL_SESSION_get0_ticket(session, out var ticket, out var length);
        return new ReadOnlySpan<byte>(ticket, (int)length);
    }

    private T Ask<T>(Func<nint, T> question)
    {
        var held = false;
        try
        {
            DangerousAddRef(ref held);
            return question(handle);
        }
        finally
        {
            if (held)
                DangerousRelease();
        }
    }

    protected override bool ReleaseHandle()
    {
        OpenSsl.SSL_SESSION_free(handle);
        return true;
    }
}
