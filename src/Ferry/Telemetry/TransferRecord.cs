using System.Net;

namespace Ferry.Telemetry;

/// <summary>Which way a transfer's data goes.</summary>
internal enum TransferDirection
{
    /// <summary>A file to the client.</summary>
    Download,

    /// <summary>A file to the server.</summary>
    Upload,

    /// <summary>A directory to the client.</summary>
    List,
}

/// <summary>The representation of a transfer (RFC 959 §3.1.1).</summary>
internal enum TransferType
{
    /// <summary>TYPE A.</summary>
    Ascii,

    /// <summary>TYPE I.</summary>
    Image,
}

/// <summary>What is known of a transfer when it has ended; one line of the transfer log. There is no field for a password, so none can get into a log.</summary>
internal sealed record TransferRecord
{
    /// <summary>The <see cref="Outcome"/> of a transfer that nobody cut short.</summary>
    public const string Complete = "complete";

    /// <summary>The id that all lines of the session carry.</summary>
    public required string SessionId { get; init; }

    public required DateTimeOffset End { get; init; }

    public required TimeSpan Duration { get; init; }

    public required IPEndPoint Client { get; init; }

    public required IPEndPoint Upstream { get; init; }

    /// <summary>TLS on the client's data connection; null: none.</summary>
    public TlsRecord? ClientTls { get; init; }

    /// <summary>TLS on the server's data connection; null: none.</summary>
    public TlsRecord? UpstreamTls { get; init; }

    /// <summary>The name given with USER, as the client wrote it.</summary>
    public string? User { get; init; }

    /// <summary>The transfer command, in upper case.</summary>
    public required string Verb { get; init; }

    /// <summary>The command's argument as the client sent it, in whatever encoding; empty where it had none.</summary>
    public ReadOnlyMemory<byte> Path { get; init; }

    public required TransferDirection Direction { get; init; }

    public required TransferType Type { get; init; }

    /// <summary>Bytes of file or listing that were handed over.</summary>
    public long Bytes { get; init; }

    /// <summary>How the transfer ended: <see cref="Complete"/>, or the tag of what cut it short.</summary>
    public required string Outcome { get; init; }

    /// <summary>The tag of how the relay of the data ended; null: no data connection came about.</summary>
    public string? RelayEnd { get; init; }

    /// <summary>A direction's word in logs and metrics.</summary>
    public static string Word(TransferDirection direction) => direction switch
    {
        TransferDirection.Download => "download",
        TransferDirection.Upload => "upload",
        _ => "list",
    };
}
