using System.Net.Sockets;

namespace Ferry.Transport.Tls;

internal sealed partial class TlsConnection
{
    /// <summary>Agrees with the peer on everything.</summary>
    /// <returns>False where that failed; <see cref="Failure"/> says why.</returns>
    public async ValueTask<bool> HandshakeAsync()
    {
        try
        {
            while (true)
            {
                var step = ShakeHands();
                if (!OnlyTicketsWait)
                    await FlushAsync().ConfigureAwait(false);
                switch (step)
                {
                    case TlsReadStatus.Data:
                        return true;
                    case TlsReadStatus.WouldBlock when HasBuffered:
                        await _connection.Loop.NextTurn();
                        break;
                    case TlsReadStatus.WouldBlock:
                        await _connection.WaitReadableAsync().ConfigureAwait(false);
                        break;
                    case TlsReadStatus.Failed:
                        return false;
                    default:
                        Failure = "the peer closed the connection during the handshake";
                        return false;
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            if (e is SocketException)
                _ = ShakeHands(); // why the peer has closed may still be there to be read
            Failure ??= e is SocketException { SocketErrorCode: var error } ? $"the connection was lost ({error})" : "the connection was closed";
            return false;
        }
    }

    private unsafe TlsReadStatus ShakeHands()
    {
        lock (_gate)
        {
            if (_end is { } ended)
                return ended;
            var held = false;
            try
            {
                Enter(ref held);
                // A server of TLS says nothing before the ClientHello.
                _ssl.Wire->IsDrained = _speaksFirst;
                _speaksFirst = false;
                var result = OpenSsl.SSL_do_handshake(_ssl.DangerousGetHandle());
                if (result == 1)
                {
                    _isEstablished = true;
                    Info = Describe();
                    Origin = _isServer ? new TlsOrigin(_context, _controlId, SessionId()) : null;
                    _ticketOwner = TicketOwner();
                    SendTickets();
                    HoldTickets();
                    OpenSsl.SSL_set_info_callback(_ssl.DangerousGetHandle(), &TlsWire.CountMessage);
                    HasBuffered = true; // what came behind it may be in OpenSSL already
                    return TlsReadStatus.Data;
                }
                var status = Explain(result);
                MetClearText = status == TlsReadStatus.Failed && _ssl.Wire->First is (>= (byte)' ' and <= (byte)'~') or (byte)'\r' or (byte)'\n';
                HasBuffered = status == TlsReadStatus.WouldBlock && _ssl.Wire->Budget <= 0;
                if (status != TlsReadStatus.WouldBlock)
                    _end = status;
                return status;
            }
            catch (ObjectDisposedException)
            {
                return (TlsReadStatus)(_end = Fail("the connection was closed"));
            }
            finally
            {
                Leave(held);
            }
        }
    }

    /// <summary>
    /// Gives a client another ticket of this control connection, which goes out with the next reply: it takes each only once (RFC 8446 §C.4), and its data
    /// connections are the worse place for new ones, as one that only writes closes with them unread.
    /// </summary>
    public void OfferTicket()
    {
        lock (_gate)
        {
            if (_isServer && _isEstablished && !_isBroken && !_ssl.IsClosed && Info!.Protocol == "TLSv1.3")
                _ = OpenSsl.SSL_new_session_ticket(_ssl.DangerousGetHandle());
            OpenSsl.ERR_clear_error();
        }
    }

    /// <summary>Has the tickets sent that a client's data connection was promised.</summary>
    private void SendTickets()
    {
        var ssl = _ssl.DangerousGetHandle();
        var isAsked = false;
        while (_ticketsToSend-- > 0)
            isAsked |= OpenSsl.SSL_new_session_ticket(ssl) == 1; // not before TLS 1.3
        if (isAsked)
            _ = OpenSsl.SSL_do_handshake(ssl);
        OpenSsl.ERR_clear_error();
    }
}
