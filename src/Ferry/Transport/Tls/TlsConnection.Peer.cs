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

    private bool _metClearEnd;

    /// <summary>The control connection that the resumed session's ticket names; null where it names none.</summary>
    private ulong? _ticketOwner;

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
    public bool Resumes(TlsOrigin control)
    {
        if (Info is not { IsResumed: true } || Origin is not { } own)
            return false;
        // A ticket says whose it is. Its session id says nothing: that is the client's choice (RFC 5077 §3.4).
        return _ticketOwner is { } owner
            ? owner == control.Id
            : control.SessionId.Length > 0 && control.SessionId.AsSpan().SequenceEqual(own.SessionId);
    }

    /// <summary>
    /// Leaves TLS: the client sends close_notify, then the server. The server's must not come first: lftp takes it for the end of the session. Who waits for it
    /// all the same, and leaves its own out (curl's passive CCC), gets it by <see cref="LeaveFirst"/>.
    /// </summary>
    /// <returns>What came in clear behind it, as far as it has been read; null where the connection is of no use any more.</returns>
    public async ValueTask<byte[]?> StopAsync()
    {
        try
        {
            if (!_isServer)
                await SendCloseNotifyAsync().ConfigureAwait(false);
            while (true)
            {
                switch (LookForEnd(out var rest))
                {
                    case TlsReadStatus.CloseNotify:
                        if (!_metClearEnd)
                            await SendCloseNotifyAsync().ConfigureAwait(false);
                        return rest;
                    case TlsReadStatus.WouldBlock when HasBuffered:
                        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                        break;
                    case TlsReadStatus.WouldBlock:
                        await _connection.WaitReadableAsync().ConfigureAwait(false);
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

    /// <summary>Sends close_notify before the peer has, for one that waits for it.</summary>
    public async Task LeaveFirst()
    {
        try
        {
            await SendCloseNotifyAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Who reads finds that out.
        }
    }

    private unsafe TlsReadStatus LookForEnd(out byte[] rest)
    {
        rest = [];
        lock (_gate)
        {
            if (_end is null && StandsBeforeClearText())
            {
                // The peer's own has been left out, and a record of ours would stand amid its clear replies.
                _end = TlsReadStatus.CloseNotify;
                _metClearEnd = true;
            }
            Span<byte> none = stackalloc byte[64];
            var status = Read(none, out _);
            if (status == TlsReadStatus.CloseNotify && !_ssl.IsClosed)
                rest = _ssl.Wire->Unread.ToArray();
            return status;
        }
    }

    /// <summary>What comes next has been received, is no part of a record that has begun, and does not look like one that begins.</summary>
    private unsafe bool StandsBeforeClearText()
    {
        var ssl = _ssl.DangerousGetHandle();
        if (OpenSsl.SSL_has_pending(ssl) != 0 || OpenSsl.SSL_rstate_string(ssl)[1] != (byte)'H')
            return false;
        var held = false;
        try
        {
            Enter(ref held);
            return _ssl.Wire->Peek() is >= 0 and (< FirstRecordType or > LastRecordType);
        }
        finally
        {
            Leave(held);
        }
    }

    private unsafe ulong? TicketOwner() =>
        OpenSsl.SSL_SESSION_get0_ticket_appdata(OpenSsl.SSL_get_session(_ssl.DangerousGetHandle()), out var data, out var length) == 1 && length == sizeof(ulong)
            ? *(ulong*)data
            : null;

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
        // It is kept where nobody looks, too, and then has nothing to do with the failure.
        return result == OpenSsl.X509_V_OK || !reason.Contains("certificate verify failed", StringComparison.Ordinal) ? reason : $"{reason}: {VerifyText(result)}";
    }

    private static string VerifyText(long result) => Name(OpenSsl.X509_verify_cert_error_string((nint)result));

    private static string Name(nint text) => text == 0 ? "" : Names.GetOrAdd(text, static t => Marshal.PtrToStringUTF8(t)!);
}
