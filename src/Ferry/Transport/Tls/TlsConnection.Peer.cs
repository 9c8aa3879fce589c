using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Ferry.Transport.Tls;

// What a handshake has agreed on, whose session went on, and how TLS is left again.
internal sealed partial class TlsConnection
{
    /// <summary>First bytes of TLS records: change_cipher_spec, alert, handshake, application_data (RFC 8446 §5.1). No FTP command begins with one.</summary>
    private const byte FirstRecordType = 20;

    private const byte LastRecordType = 23;

    // OpenSSL's own constants, a few dozen.
    private static readonly ConcurrentDictionary<nint, string> Names = new();

    /// <summary>The session to resume on data connections, with the newest ticket that was read; null before there is one. The caller's to dispose.</summary>
    public TlsSession? GetSession()
    {
        lock (_gate)
        {
            if (_ssl.IsClosed || !_isEstablished)
                return null;
            var session = OpenSsl.SSL_get1_session(_ssl.DangerousGetHandle());
            return session == 0 ? null : new TlsSession(session);
        }
    }

    /// <summary>A client's data connection has resumed the very session of its control connection, not just any of Ferry's.</summary>
    public unsafe bool Resumes(TlsOrigin control)
    {
        if (Info is not { IsResumed: true })
            return false;
        lock (_gate)
        {
            if (_ssl.IsClosed)
                return false;
            var session = OpenSsl.SSL_get_session(_ssl.DangerousGetHandle());
            // A ticket says whose it is. Its session id says nothing: that is the client's choice (RFC 5077 §3.4).
            return OpenSsl.SSL_SESSION_get0_ticket_appdata(session, out var data, out var length) == 1 && length > 0
                ? length == sizeof(ulong) && *(ulong*)data == control.Id
                : control.SessionId.Length > 0 && control.SessionId.AsSpan().SequenceEqual(SessionId());
        }
    }

    /// <summary>Leaves TLS: sends close_notify, and waits for the peer's, which some (curl's passive CCC) leave out.</summary>
    /// <returns>What came in clear behind it, as far as it has been read; null where the connection is of no use any more.</returns>
    public async ValueTask<byte[]?> StopAsync()
    {
        try
        {
            await SendCloseNotifyAsync().ConfigureAwait(false);
            while (true)
            {
                switch (LookForEnd(out var rest))
                {
                    case TlsReadStatus.CloseNotify:
                        return rest;
                    case TlsReadStatus.WouldBlock:
                        _ = await _socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None).ConfigureAwait(false);
                        break;
                    default:
                        return null;
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return null;
        }
    }

    private unsafe TlsReadStatus LookForEnd(out byte[] rest)
    {
        rest = [];
        lock (_gate)
        {
            if (!_ssl.IsClosed && _ssl.Wire->Unread is [< FirstRecordType or > LastRecordType, ..] unread)
            {
                rest = unread.ToArray();
                return TlsReadStatus.CloseNotify;
            }
        }
        Span<byte> first = stackalloc byte[1];
        try
        {
            var peeked = _socket.Receive(first, SocketFlags.Peek, out var error);
            if (error == SocketError.Success && peeked == 1 && first[0] is < FirstRecordType or > LastRecordType && !HasUnread)
                return TlsReadStatus.CloseNotify;
        }
        catch (ObjectDisposedException)
        {
            return TlsReadStatus.Failed;
        }
        Span<byte> none = stackalloc byte[64];
        var status = Read(none, out _);
        if (status == TlsReadStatus.CloseNotify)
        {
            lock (_gate)
                rest = _ssl.IsClosed ? [] : _ssl.Wire->Unread.ToArray();
        }
        return status;
    }

    private unsafe bool HasUnread
    {
        get
        {
            lock (_gate)
                return !_ssl.IsClosed && _ssl.Wire->Unread.Length > 0;
        }
    }

    private unsafe byte[] SessionId()
    {
        var id = OpenSsl.SSL_SESSION_get_id(OpenSsl.SSL_get_session(_ssl.DangerousGetHandle()), out var length);
        return new ReadOnlySpan<byte>(id, (int)length).ToArray();
    }

    private TlsInfo Describe()
    {
        var ssl = _ssl.DangerousGetHandle();
        var cipher = OpenSsl.SSL_get_current_cipher(ssl);
        var result = (long)OpenSsl.SSL_get_verify_result(ssl);
        return new TlsInfo(
            Name(OpenSsl.SSL_get_version(ssl)),
            cipher == 0 ? "" : Name(OpenSsl.SSL_CIPHER_get_name(cipher)),
            OpenSsl.SSL_session_reused(ssl) == 1,
            _isServer ? Marshal.PtrToStringUTF8(OpenSsl.SSL_get_servername(ssl, OpenSsl.TLSEXT_NAMETYPE_host_name)) : null,
            PeerCertificate.Subject(ssl),
            result,
            result == OpenSsl.X509_V_OK ? null : VerifyText(result));
    }

    private string WithVerification(string reason)
    {
        var result = (long)OpenSsl.SSL_get_verify_result(_ssl.DangerousGetHandle());
        return result == OpenSsl.X509_V_OK || _isServer ? reason : $"{reason}: {VerifyText(result)}";
    }

    private static string VerifyText(long result) => Name(OpenSsl.X509_verify_cert_error_string((nint)result));

    private static string Name(nint text) => text == 0 ? "" : Names.GetOrAdd(text, static t => Marshal.PtrToStringUTF8(t)!);
}
