using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Ferry.Transport.Tls;

/// <summary>
/// One TLS connection over a <see cref="Connection"/>, in either role. It is no <see cref="System.IO.Stream"/>: an end that is none must be a result of its own.
/// One reader and one writer at a time, on any threads; calls into OpenSSL are serialized here. A connection at rest holds no buffer.
/// </summary>
internal sealed partial class TlsConnection : IDisposable
{
    /// <summary>How much of the socket is read in one call at most, before others get the thread: a flood of messages of TLS itself costs far more than its bytes.</summary>
    private const int ControlReadBudget = 16 * 1024;

    private const int DataReadBudget = 512 * 1024;

    /// <summary>What is read from the socket at once on a data connection: many records, and no more than a processor's own cache holds.</summary>
    private const int DataReadSize = 128 * 1024;

    /// <summary>More than a command or a reply takes as a rule.</summary>
    private const int ControlReadSize = 4096;

    // Machines may share the keys of their tickets, so they must not count from the same number.
    private static long _lastId = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));

    private readonly Lock _gate = new();
    private readonly Connection _connection;
    private readonly SafeSslHandle _ssl;
    private readonly TlsContext _context;
    private readonly ulong _controlId;
    private readonly bool _isServer;
    private readonly int _readBudget;
    private int _ticketsToSend;
    private bool _speaksFirst;
    private TlsReadStatus? _end;
    private bool _isBroken;
    private bool _isEstablished;

    private unsafe TlsConnection(TlsContext context, Connection connection, bool isServer, bool isData, ulong controlId)
    {
        _connection = connection;
        _context = context;
        _isServer = isServer;
        _speaksFirst = !isServer;
        _controlId = controlId;
        _readBudget = isData ? DataReadBudget : ControlReadBudget;
        _ssl = SafeSslHandle.Create(context.Handle);
        var ssl = _ssl.DangerousGetHandle();
        _ = OpenSsl.SSL_set_ex_data(ssl, TlsContext.ControlIdIndex, (nint)controlId);
        _ = OpenSsl.SSL_set_ex_data(ssl, TlsContext.ChannelIndex, isData ? 1 : 0);
        _ssl.Wire->InSize = isData ? DataReadSize : ControlReadSize;
        if (isServer)
            OpenSsl.SSL_set_accept_state(ssl);
        else
            OpenSsl.SSL_set_connect_state(ssl);
    }

    /// <summary>What the handshake agreed on; null before.</summary>
    public TlsInfo? Info { get; private set; }

    /// <summary>A client's control connection as its data connections will know it; null before the handshake.</summary>
    public TlsOrigin? Origin { get; private set; }

    /// <summary>Why it failed, in OpenSSL's or the kernel's words; null while it has not.</summary>
    public string? Failure { get; private set; }

    /// <summary>The handshake has failed because the peer began with text, and not with TLS.</summary>
    public bool MetClearText { get; private set; }

    /// <summary>A <see cref="Read"/> now may yield something without the socket being readable.</summary>
    public bool HasBuffered { get; private set; }

    /// <summary>A client's control connection.</summary>
    public static TlsConnection AcceptControl(TlsContext context, Connection connection) =>
        new(context, connection, isServer: true, isData: false, (ulong)Interlocked.Increment(ref _lastId));

    /// <summary>A client's data connection.</summary>
    /// <param name="origin">The session's control connection.</param>
    /// <param name="connection">Below TLS.</param>
    /// <param name="tickets">How many tickets the client is sent. One that only writes closes without having read them, and its kernel then throws away what it had still to send.</param>
    public static TlsConnection AcceptData(TlsOrigin origin, Connection connection, int tickets)
    {
        var tls = new TlsConnection(origin.Context, connection, isServer: true, isData: true, origin.Id);
        // A new ticket overwrites what the client's own said, so none is written before that has been looked at.
        _ = OpenSsl.SSL_set_num_tickets(tls._ssl.DangerousGetHandle(), 0);
        tls._ticketsToSend = tickets;
        return tls;
    }

    /// <summary>A connection to a server.</summary>
    /// <param name="context">For servers.</param>
    /// <param name="connection">Below TLS.</param>
    /// <param name="isData">A data connection, not a control connection.</param>
    /// <param name="peer">The name to verify and to send.</param>
    /// <param name="resume">The session to go on with; null for a new one.</param>
    public static TlsConnection Connect(TlsContext context, Connection connection, bool isData, TlsPeerName peer, TlsSession? resume)
    {
        var tls = new TlsConnection(context, connection, isServer: false, isData, 0);
        var ssl = tls._ssl.DangerousGetHandle();
        try
        {
            peer.ApplyTo(ssl);
            resume?.OfferBy(ssl);
        }
        catch
        {
            tls.Dispose();
            throw;
        }
        return tls;
    }

    /// <summary>Reads what is there, many records where there are many. Never waits.</summary>
    public unsafe TlsReadStatus Read(Span<byte> buffer, out int count)
    {
        count = 0;
        lock (_gate)
        {
            if (_end is { } ended)
                return ended;
            var held = false;
            try
            {
                Enter(ref held);
                var status = TlsReadStatus.Data;
                var wire = _ssl.Wire;
                var messages = 0;
                fixed (byte* start = buffer)
                {
                    while (count < buffer.Length && messages < TlsWire.MostMessages)
                    {
                        OpenSsl.ForgetErrors();
                        var read = OpenSsl.SSL_read(_ssl.DangerousGetHandle(), start + count, buffer.Length - count);
                        if (read > 0)
                        {
                            count += read;
                            messages += wire->Messages;
                            wire->Messages = 0;
                            continue;
                        }
                        status = Explain(read);
                        break;
                    }
                }
                HasBuffered = status == TlsReadStatus.Data || (status == TlsReadStatus.WouldBlock && wire->Budget <= 0);
                if (status is not (TlsReadStatus.Data or TlsReadStatus.WouldBlock))
                {
                    _end = status;
                    HasBuffered = true; // the end is there to be read
                }
                // A peer that has us answer what it sends (RFC 8446 §4.6.3) and reads none of it.
                if (wire->OutLength > MostUnasked)
                {
                    _end = Fail("the peer reads nothing");
                    HasBuffered = true;
                }
                return count > 0 ? TlsReadStatus.Data : _end ?? status;
            }
            catch (ObjectDisposedException)
            {
                HasBuffered = true;
                return (TlsReadStatus)(_end = Fail("the connection was closed"));
            }
            finally
            {
                Leave(held);
            }
        }
    }

    /// <summary>Frees the SSL; the connection is its owner's.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _end ??= Fail("the connection was closed");
            _ssl.Dispose();
        }
    }

    /// <summary>What a result of OpenSSL's that is no success means. Right behind the call, on its thread.</summary>
    private unsafe TlsReadStatus Explain(int result)
    {
        var error = OpenSsl.SSL_get_error(_ssl.DangerousGetHandle(), result);
        var wire = _ssl.Wire;
        if (wire->Messages > TlsWire.MostMessages)
            return Fail("the peer sends messages of TLS itself without end");
        switch (error)
        {
            case OpenSsl.SSL_ERROR_ZERO_RETURN:
                return TlsReadStatus.CloseNotify;
            // OpenSSL is never told of a FIN: it would answer with an alert, throw the session away, and write nothing any more.
            case OpenSsl.SSL_ERROR_WANT_READ when wire->IsEnded:
                return _isReset ? Fail("the connection was lost") : TlsReadStatus.Truncated;
            case OpenSsl.SSL_ERROR_WANT_READ or OpenSsl.SSL_ERROR_WANT_WRITE:
                return TlsReadStatus.WouldBlock;
        }
        var reason = OpenSsl.TakeErrors();
        if (wire->Error != 0)
            return Fail($"the connection was lost ({Marshal.GetPInvokeErrorMessage(wire->Error)})");
        return Fail(reason.Length > 0 ? WithVerification(reason) : "the connection was lost");
    }

    private TlsReadStatus Fail(string why)
    {
        Failure ??= why;
        _isBroken = true;
        return TlsReadStatus.Failed;
    }

    /// <summary>Readies the wire for calls of OpenSSL that read from the socket; outside of <see cref="Leave"/> none can.</summary>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    private unsafe void Enter(ref bool held)
    {
        OpenSsl.ForgetErrors();
        var socket = _connection.Handle;
        socket.DangerousAddRef(ref held);
        _ssl.Wire->Socket = (int)socket.DangerousGetHandle();
        _ssl.Wire->Budget = _readBudget;
        _ssl.Wire->IsDrained = false;
    }

    private unsafe void Leave(bool held)
    {
        // The number may be another file's by the next call.
        _ssl.Wire->Socket = -1;
        _ssl.Wire->Budget = 0;
        if (held)
            _connection.Handle.DangerousRelease();
    }
}
