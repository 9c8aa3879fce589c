namespace Ferry.Transport.Tls;

/// <summary>What a look at a TLS stream has yielded.</summary>
internal enum TlsReadStatus
{
    /// <summary>Bytes.</summary>
    Data,

    /// <summary>Nothing yet: wait until the socket is readable; where <see cref="TlsConnection.HasBuffered"/>, let others have the thread and look again.</summary>
    WouldBlock,

    /// <summary>The stream has ended in order (RFC 8446 §6.1).</summary>
    CloseNotify,

    /// <summary>The connection has ended in order, and the stream has not: it was cut off.</summary>
    Truncated,

    /// <summary>A reset, or something that is no TLS; <see cref="TlsConnection.Failure"/> says what.</summary>
    Failed,
}
