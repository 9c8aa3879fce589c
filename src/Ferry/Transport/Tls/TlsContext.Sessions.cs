using System.Runtime.InteropServices;

namespace Ferry.Transport.Tls;

// Which control connection a session belongs to. A ticket says it in its application data; a session in the cache of the server
// (TLS 1.2 without tickets) has none, and is known by being the very session of the control connection, by its id.
internal sealed unsafe partial class TlsContext
{
    /// <summary>Where an SSL keeps the id of its control connection, as the pointer itself.</summary>
    public static int ControlIdIndex { get; } = OpenSsl.CRYPTO_get_ex_new_index(OpenSsl.CRYPTO_EX_INDEX_SSL, 0, 0, 0, 0, null);

    /// <summary>Where an SSL keeps what it is: <see cref="DataChannel"/>, or 0 for a control connection.</summary>
    public static int ChannelIndex { get; } = OpenSsl.CRYPTO_get_ex_new_index(OpenSsl.CRYPTO_EX_INDEX_SSL, 0, 0, 0, 0, null);

    /// <summary>The value at <see cref="ChannelIndex"/> of a data connection.</summary>
    public const nint DataChannel = 1;

    /// <summary>Makes each ticket of a context carry the id of its control connection.</summary>
    public static void MarkSessions(SafeSslContextHandle context) =>
        _ = OpenSsl.SSL_CTX_set_session_ticket_cb(context, &WriteTicket, &JudgeTicket, 0);

    [UnmanagedCallersOnly]
    private static int WriteTicket(nint ssl, nint argument)
    {
        var id = (ulong)OpenSsl.SSL_get_ex_data(ssl, ControlIdIndex);
        return OpenSsl.SSL_SESSION_set1_ticket_appdata(OpenSsl.SSL_get_session(ssl), &id, sizeof(ulong));
    }

    [UnmanagedCallersOnly]
    private static int JudgeTicket(nint ssl, nint session, byte* keyName, nuint keyNameLength, int status, nint argument)
    {
        if (status is not (OpenSsl.SSL_TICKET_SUCCESS or OpenSsl.SSL_TICKET_SUCCESS_RENEW))
            return OpenSsl.SSL_TICKET_RETURN_IGNORE_RENEW;
        // In TLS 1.3 every resumption may have a new ticket, as many as the connection was told; those of TLS 1.2 serve as often as they are shown.
        if (OpenSsl.SSL_version(ssl) >= OpenSsl.TLS1_3_VERSION)
            return OpenSsl.SSL_TICKET_RETURN_USE_RENEW;
        if (OpenSsl.SSL_get_ex_data(ssl, ChannelIndex) == DataChannel)
            return OpenSsl.SSL_TICKET_RETURN_USE;
        // A control connection's ticket is written anew with its own id. It does not get younger by that (unlike in TLS 1.3):
        // one that has passed half of its time is not taken up, because the data connections to come need the rest.
        return IsPastHalf(session) ? OpenSsl.SSL_TICKET_RETURN_IGNORE_RENEW : OpenSsl.SSL_TICKET_RETURN_USE_RENEW;
    }

    // The clock is OpenSSL's own, which is what it holds sessions against.
    private static bool IsPastHalf(nint session) =>
        TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - OpenSsl.SSL_SESSION_get_time(session) > OpenSsl.SSL_SESSION_get_timeout(session) / 2;
}
