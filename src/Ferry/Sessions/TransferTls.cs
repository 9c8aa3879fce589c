using Ferry.Transport;
using Ferry.Transport.Tls;

namespace Ferry.Sessions;

/// <summary>How the data connections of one transfer are protected; made when its command arrives.</summary>
internal sealed record TransferTls
{
    /// <summary>The control connection whose session the client resumes; null: the client's data is clear.</summary>
    public TlsOrigin? Client { get; init; }

    /// <summary>The client's next ticket comes on its data connection, because its control connection is clear by now (CCC).</summary>
    public bool SendsTickets { get; init; }

    /// <summary>A client that resumes nothing, or another's session, is refused.</summary>
    public bool ReuseRequired { get; init; }

    /// <summary>Why the client's certificate, or the want of one, is not acceptable; null where it is.</summary>
    public required Func<TlsInfo, string?> Refusal { get; init; }

    /// <summary>Null: the server's data is clear.</summary>
    public TlsContext? Upstream { get; init; }

    public TlsPeerName UpstreamName { get; init; } = TlsPeerName.Any;

    /// <summary>The session of the server's control connection; null: a new one. Disposed with the transfer.</summary>
    public TlsSession? Resume { get; init; }

    /// <summary>A stream that ends without close_notify has ended.</summary>
    public bool AllowTruncation { get; init; }

    /// <summary>Where data connections wait for their peers' ends.</summary>
    public required LingeringLegs Lingering { get; init; }

    /// <summary>Told of each handshake: whether it was the client's, and what it agreed on, null where it failed.</summary>
    public required Action<bool, TlsInfo?> Handshake { get; init; }
}
