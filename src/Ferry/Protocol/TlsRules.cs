namespace Ferry.Protocol;

/// <summary>TLS on the client's control channel.</summary>
internal enum ClientTlsOffer
{
    /// <summary>AUTH is refused.</summary>
    None,

    /// <summary>AUTH is taken.</summary>
    Offered,

    /// <summary>AUTH is taken, and nobody logs in without it.</summary>
    Only,

    /// <summary>The channel is TLS from its first byte, and data is protected until the client says otherwise.</summary>
    Implicit,
}

/// <summary>TLS on the server's control channel.</summary>
internal enum UpstreamTlsMode
{
    /// <summary>None.</summary>
    None,

    /// <summary>From the first byte.</summary>
    Implicit,

    /// <summary>By AUTH, before the client has seen the greeting.</summary>
    Explicit,

    /// <summary>By AUTH, when the client sends it; before the greeting where the client's channel is TLS from its first byte.</summary>
    Match,
}

/// <summary>Which protection the server's data connections are to have. They are always clear where its control channel is.</summary>
internal enum UpstreamDataRule
{
    /// <summary>The client's own; private for a client that speaks no TLS.</summary>
    Match,

    /// <summary>PROT P.</summary>
    Private,

    /// <summary>PROT C.</summary>
    Clear,
}

/// <summary>What a <see cref="ControlEngine"/> is to do about TLS on either side.</summary>
internal sealed record TlsRules
{
    /// <summary>No TLS anywhere.</summary>
    public static TlsRules None { get; } = new();

    /// <summary>What clients may or must do.</summary>
    public ClientTlsOffer ClientOffer { get; init; }

    /// <summary>What Ferry does towards the server.</summary>
    public UpstreamTlsMode UpstreamMode { get; init; }

    /// <summary>The protection of data on the server's side.</summary>
    public UpstreamDataRule Protection { get; init; }

    /// <summary>A client's data connection that would be clear is refused (534).</summary>
    public bool ClearDataRefused { get; init; }
}
