namespace Ferry.Telemetry;

/// <summary>What is known of a connection's TLS once its handshake is done.</summary>
/// <param name="Protocol">The version in the words of OpenSSL, such as TLSv1.3.</param>
/// <param name="Cipher">The suite in the words of OpenSSL.</param>
/// <param name="Resumed">Whether it resumed an earlier session.</param>
/// <param name="ServerName">The name that was asked for (SNI); null: none, or a data connection, of which nobody asks.</param>
/// <param name="PeerSubject">The subject of the peer's certificate; null: it showed none, or a data connection.</param>
internal sealed record TlsRecord(string Protocol, string Cipher, bool Resumed, string? ServerName, string? PeerSubject)
{
    /// <summary>Why the peer's certificate does not verify, where it need not (<c>ssl_verify_client optional_no_ca</c>); null: it does, or there is none.</summary>
    public string? PeerFault { get; init; }
}
