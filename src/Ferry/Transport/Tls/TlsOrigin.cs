namespace Ferry.Transport.Tls;

/// <summary>A client's control connection as its data connections know it again, also when it has left TLS (CCC).</summary>
/// <param name="Context">What the handshake was made with: only that one can read its tickets.</param>
/// <param name="Id">The number that its tickets carry.</param>
/// <param name="SessionId">The session's place in the context's own cache; empty where the client has a ticket.</param>
internal sealed record TlsOrigin(TlsContext Context, ulong Id, byte[] SessionId);
