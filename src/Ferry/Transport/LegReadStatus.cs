namespace Ferry.Transport;

/// <summary>What a look at a leg has found.</summary>
internal enum LegReadStatus
{
    /// <summary>Bytes.</summary>
    Data,

    /// <summary>Nothing yet. In TLS the connection was readable all the same: part of a record, a session ticket.</summary>
    Nothing,

    /// <summary>The peer's stream has ended in order: by FIN, in TLS by close_notify.</summary>
    Closed,

    /// <summary>In TLS: FIN without close_notify. The stream has been cut off, by whomever (RFC 8446 §6.1).</summary>
    Truncated,

    /// <summary>The connection was reset, or what came over it is no TLS.</summary>
    Failed,
}
