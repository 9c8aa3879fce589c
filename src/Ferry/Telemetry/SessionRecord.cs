using System.Net;

namespace Ferry.Telemetry;

/// <summary>What is known of a session when it has ended; one line of the access log. There is no field for a password, an account or a command's argument, so none can get into a log.</summary>
internal sealed record SessionRecord
{
    /// <summary>The id that all lines of the session carry.</summary>
    public required string SessionId { get; init; }

    public required DateTimeOffset Start { get; init; }

    public required TimeSpan Duration { get; init; }

    public required IPEndPoint Client { get; init; }

    /// <summary>The address that the client connected to; the balancer's connection, where it came through one.</summary>
    public required IPEndPoint Listener { get; init; }

    /// <summary>The balancer that the client came through, and whose word on the client is taken; null: none.</summary>
    public IPEndPoint? Via { get; init; }

    /// <summary>The client by the PROXY header, believed or not; null: there is none, or it names none.</summary>
    public IPEndPoint? HeaderSource { get; init; }

    /// <summary>What the client connected to by the PROXY header, believed or not.</summary>
    public IPEndPoint? HeaderDestination { get; init; }

    /// <summary>The upstream server as the configuration names it; null: none was reached.</summary>
    public string? Server { get; init; }

    public IPEndPoint? Upstream { get; init; }

    public TimeSpan? UpstreamConnectTime { get; init; }

    /// <summary>TLS on the client's control channel as it was first turned on; null: none.</summary>
    public TlsRecord? ClientTls { get; init; }

    /// <summary>TLS on the server's control channel; null: none.</summary>
    public TlsRecord? UpstreamTls { get; init; }

    /// <summary>The name given with USER, as the client wrote it.</summary>
    public string? User { get; init; }

    /// <summary>The name given with HOST.</summary>
    public string? Host { get; init; }

    /// <summary>Gives the values of variables that the configuration defines itself; null where it has none.</summary>
    public Func<string, string?>? Variable { get; init; }

    public bool LoggedIn { get; init; }

    /// <summary>The tag of the session's end reason.</summary>
    public required string EndReason { get; init; }

    /// <summary>The end in the numbers of nginx's stream module: 200, 500 (a fault of Ferry), 502 (no server, or the connection to it failed).</summary>
    public int Status { get; init; } = 200;

    public long Commands { get; init; }

    public long Transfers { get; init; }

    /// <summary>Bytes of the control channel.</summary>
    public long BytesFromClient { get; init; }

    /// <inheritdoc cref="BytesFromClient"/>
    public long BytesToClient { get; init; }

    /// <inheritdoc cref="BytesFromClient"/>
    public long BytesFromUpstream { get; init; }

    /// <inheritdoc cref="BytesFromClient"/>
    public long BytesToUpstream { get; init; }

    /// <summary>Bytes of all data channels: downloads and listings.</summary>
    public long DataBytesToClient { get; init; }

    /// <summary>Bytes of all data channels: uploads.</summary>
    public long DataBytesToUpstream { get; init; }

    public DateTimeOffset End => Start + Duration;
}
