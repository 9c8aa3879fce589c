namespace Ferry.Transport.Tls;

/// <summary>What a handshake has agreed on.</summary>
/// <param name="Protocol">TLSv1 … TLSv1.3, as OpenSSL and nginx write it.</param>
/// <param name="Cipher">The suite's name, OpenSSL's.</param>
/// <param name="IsResumed">An earlier session went on.</param>
/// <param name="ServerName">The name that the client asked for (SNI); null without.</param>
/// <param name="PeerSubject">The subject of the peer's certificate (RFC 2253); null without a certificate.</param>
/// <param name="VerifyResult">X509_V_OK (0), or why the peer's certificate is not trusted (X509_STORE_CTX_get_error(3)).</param>
/// <param name="VerifyError">The same in OpenSSL's words; null where it is trusted, or nobody looked.</param>
internal sealed record TlsInfo(
    string Protocol, string Cipher, bool IsResumed, string? ServerName, string? PeerSubject, long VerifyResult, string? VerifyError)
{
    /// <summary>Nothing is wrong with the peer's certificate but that its authority is not known here: what nginx's optional_no_ca lets pass.</summary>
    public bool IsOfUnknownAuthority => VerifyResult is 18 or 19 or 20 or 21 or 27; // X509_V_ERR_: self-signed leaf, in chain; no issuer; unverifiable leaf; untrusted
}
