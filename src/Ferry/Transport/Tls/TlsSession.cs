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
    public bool IsResumable
    {
        get
        {
            var held = false;
            try
            {
                DangerousAddRef(ref held);
                return OpenSsl.SSL_SESSION_is_resumable(handle) == 1;
            }
            finally
            {
                if (held)
                    DangerousRelease();
            }
        }
    }

    /// <summary>The same session, to be disposed apart from this one.</summary>
    public TlsSession Copy()
    {
        var held = false;
        try
        {
            DangerousAddRef(ref held);
            return new TlsSession(OpenSsl.SSL_SESSION_dup(handle));
        }
        finally
        {
            if (held)
                DangerousRelease();
        }
    }

    /// <summary>Has <paramref name="ssl"/> offer the session to its server.</summary>
    /// <exception cref="ObjectDisposedException">It has been disposed.</exception>
    public void OfferBy(nint ssl)
    {
        var held = false;
        try
        {
            DangerousAddRef(ref held);
            // A copy of its own: a connection that fails marks its session as not to be resumed, which must not spoil it for the others.
            var copy = OpenSsl.SSL_SESSION_dup(handle);
            if (copy != 0)
            {
                _ = OpenSsl.SSL_set_session(ssl, copy);
                OpenSsl.SSL_SESSION_free(copy);
            }
            OpenSsl.ERR_clear_error();
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
