using System.Runtime.InteropServices;
using System.Text;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Transport.Tls;

/// <summary>One end of a TLS connection that goes through memory: OpenSSL on both sides, no socket, no waiting.</summary>
internal sealed unsafe partial class SslEnd : IDisposable
{
    private const int SSL_ERROR_WANT_READ = 2;
    private const int BufferSize = 1 << 18;

    private SslEnd(TlsContext context, ulong controlId, bool isData)
    {
        IsServer = context.IsServer;
        Handle = SSL_new(context.Handle);
        _ = SSL_set_ex_data(Handle, TlsContext.ControlIdIndex, (nint)controlId);
        _ = SSL_set_ex_data(Handle, TlsContext.ChannelIndex, isData ? TlsContext.DataChannel : 0);
        if (IsServer)
            SSL_set_accept_state(Handle);
        else
            SSL_set_connect_state(Handle);
    }

    public nint Handle { get; }

    public bool IsServer { get; }

    /// <summary>OpenSSL's words for why the handshake failed here; null where it did not.</summary>
    public string? Failure { get; private set; }

    public bool IsResumed => SSL_session_reused(Handle) == 1;

    public string Protocol => Marshal.PtrToStringUTF8(SSL_get_version(Handle))!;

    public string Cipher => Marshal.PtrToStringUTF8(SSL_CIPHER_get_name(SSL_get_current_cipher(Handle)))!;

    public long VerifyResult => SSL_get_verify_result(Handle);

    /// <summary>The control connection that the session's ticket names; null where it names none.</summary>
    public ulong? TicketOwner =>
        SSL_SESSION_get0_ticket_appdata(SSL_get_session(Handle), out var data, out var length) == 1 && length == 8 ? *(ulong*)data : null;

    /// <summary>What the peer has shown, in DER; null where it has shown none.</summary>
    public byte[]? PeerCertificate
    {
        get
        {
            var certificate = SSL_get1_peer_certificate(Handle);
            if (certificate == 0)
                return null;
            var der = new byte[OpenSsl.i2d_X509(certificate, null)];
            fixed (byte* start = der)
            {
                var output = start;
                _ = OpenSsl.i2d_X509(certificate, &output);
            }
            OpenSsl.X509_free(certificate);
            return der;
        }
    }

    /// <summary>How many certificates the peer has shown.</summary>
    public int PeerChainLength => SSL_get_peer_cert_chain(Handle) is var chain && chain == 0 ? 0 : OPENSSL_sk_num(chain);

    /// <summary>How many names of authorities a client has been told.</summary>
    public int ToldAuthorities => SSL_get_client_CA_list(Handle) is var names && names == 0 ? 0 : OPENSSL_sk_num(names);

    /// <summary>Tickets that a client has been sent.</summary>
    public int Tickets => (int)OpenSsl.SSL_get_ex_data(Handle, TlsContext.ControlIdIndex); // a client has no use of its own for the place

    /// <summary>Shakes hands; a failure is a value of the ends.</summary>
    /// <param name="client">For servers.</param>
    /// <param name="server">For clients.</param>
    /// <param name="how">What else.</param>
    public static (SslEnd Client, SslEnd Server) Meet(TlsContext client, TlsContext server, Meeting? how = null)
    {
        how ??= new Meeting();
        var ends = (Client: new SslEnd(client, 0, how.IsData), Server: new SslEnd(server, how.ControlId, how.IsData));
        Assert.Equal(1, BIO_new_bio_pair(out var one, BufferSize, out var other, BufferSize));
        SSL_set_bio(ends.Client.Handle, one, one);
        SSL_set_bio(ends.Server.Handle, other, other);
        if (how.Resume != 0)
            Assert.Equal(1, SSL_set_session(ends.Client.Handle, how.Resume));
        if (how.ServerName is { } name)
        {
            fixed (byte* text = Encoding.ASCII.GetBytes(name + "\0"))
                _ = SSL_ctrl(ends.Client.Handle, 55, 0, text); // SSL_CTRL_SET_TLSEXT_HOSTNAME
        }
        if (how.ClientProtocol != 0)
            _ = SSL_ctrl(ends.Client.Handle, 124, how.ClientProtocol, null); // SSL_CTRL_SET_MAX_PROTO_VERSION
        if (how.ClientCiphers is { } ciphers)
            Assert.Equal(1, SSL_set_cipher_list(ends.Client.Handle, ciphers));
        if (how.ServerTickets >= 0)
            _ = SSL_set_num_tickets(ends.Server.Handle, (nuint)how.ServerTickets);
        if (!how.ClientTakesTickets)
            _ = SSL_set_options(ends.Client.Handle, OpenSsl.SSL_OP_NO_TICKET);
        how.BeforeHandshake?.Invoke();
        SSL_set_msg_callback(ends.Client.Handle, &CountTicket);
        for (var turn = 0; turn < 10; turn++)
        {
            ends.Client.Step();
            ends.Server.Step();
            // The server writes the ticket of TLS 1.2 in its second turn, when it has the client's key.
            if (turn == 0 && how.SessionAge > TimeSpan.Zero && OpenSsl.SSL_get_session(ends.Server.Handle) is var begun && begun != 0)
                _ = SSL_SESSION_set_time(begun, OpenSsl.SSL_SESSION_get_time(begun) - (nint)how.SessionAge.TotalSeconds);
        }
        byte none;
        _ = SSL_read(ends.Client.Handle, &none, 1); // takes the tickets in
        OpenSsl.ERR_clear_error();
        return ends;
    }

    public static int TicketLength(nint session)
    {
        SSL_SESSION_get0_ticket(session, out _, out var length);
        return (int)length;
    }

    /// <summary>A client asks for new keys in TLS 1.2; false where that is refused.</summary>
    public bool Renegotiate(SslEnd server)
    {
        _ = SSL_clear_options(Handle, OpenSsl.SSL_OP_NO_RENEGOTIATION);
        Assert.Equal(1, SSL_renegotiate(Handle));
        byte none;
        for (var turn = 0; turn < 5; turn++)
        {
            _ = SSL_do_handshake(Handle);
            _ = SSL_read(server.Handle, &none, 1);
        }
        OpenSsl.ERR_clear_error();
        return SSL_renegotiate_pending(Handle) == 0 && SSL_is_init_finished(Handle) == 1;
    }

    /// <summary>The session as it can be resumed now; the caller's to free.</summary>
    public nint Session() => SSL_get1_session(Handle);

    public void Dispose()
    {
        SSL_set_shutdown(Handle, 3); // or its session would be thrown away
        SSL_free(Handle);
    }

    [UnmanagedCallersOnly]
    private static void CountTicket(int isWritten, int version, int contentType, byte* content, nuint length, nint ssl, nint argument)
    {
        // RFC 8446: handshake (22), NewSessionTicket (4)
        if (isWritten == 0 && contentType == 22 && length > 0 && content[0] == 4)
            _ = SSL_set_ex_data(ssl, TlsContext.ControlIdIndex, OpenSsl.SSL_get_ex_data(ssl, TlsContext.ControlIdIndex) + 1);
    }

    private void Step()
    {
        if (Failure is not null || SSL_is_init_finished(Handle) == 1)
            return;
        OpenSsl.ERR_clear_error();
        var result = SSL_do_handshake(Handle);
        if (result != 1 && SSL_get_error(Handle, result) != SSL_ERROR_WANT_READ)
            Failure = OpenSsl.TakeErrors() is { Length: > 0 } reason ? reason : "failed";
    }
}
