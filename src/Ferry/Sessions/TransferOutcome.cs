using Ferry.Relay;

namespace Ferry.Sessions;

/// <summary>How a transfer ended.</summary>
internal enum TransferOutcome
{
    /// <summary>Every byte of the sender and its end were handed to the receiver, and the server said 2xx.</summary>
    Complete,

    /// <summary>The client did not connect to the port that it was told, or could not be connected to at the port that it named.</summary>
    NoClient,

    /// <summary>The server did not connect to the port that it was told.</summary>
    NoUpstream,

    /// <summary>The client's data connection was reset, cut off or closed too early.</summary>
    ClientAborted,

    /// <summary>The server's data connection was reset, cut off or closed too early.</summary>
    UpstreamAborted,

    /// <summary>TLS with the client did not come about on its data connection.</summary>
    ClientTlsFailed,

    /// <summary>TLS with the server did not come about on its data connection.</summary>
    UpstreamTlsFailed,

    /// <summary>The client's data connection did not resume its control connection's TLS session, which <c>ftp_tls_session_reuse</c> requires.</summary>
    ReuseMissing,

    /// <summary>The server said 4xx or 5xx.</summary>
    Refused,

    /// <summary>No byte moved for <c>ftp_data_timeout</c>.</summary>
    Stalled,

    /// <summary>The client asked for it with ABOR.</summary>
    Aborted,

    /// <summary>The session ended first.</summary>
    SessionEnded,
}

internal static class TransferOutcomes
{
    /// <summary>The outcome's name in logs and metrics, which is a contract.</summary>
    public static string Tag(TransferOutcome outcome) => outcome switch
    {
        TransferOutcome.Complete => "complete",
        TransferOutcome.NoClient => "no_client",
        TransferOutcome.NoUpstream => "no_upstream",
        TransferOutcome.ClientAborted => "client_aborted",
        TransferOutcome.UpstreamAborted => "upstream_aborted",
        TransferOutcome.ClientTlsFailed => "client_tls_failed",
        TransferOutcome.UpstreamTlsFailed => "upstream_tls_failed",
        TransferOutcome.ReuseMissing => "reuse_missing",
        TransferOutcome.Refused => "refused",
        TransferOutcome.Stalled => "stalled",
        TransferOutcome.Aborted => "aborted",
        TransferOutcome.SessionEnded => "session_ended",
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>What a relay's end says of the transfer.</summary>
    public static TransferOutcome Of(RelayResult result) => result.IsComplete ? TransferOutcome.Complete : result.End switch
    {
        RelayEnd.ClientClosed or RelayEnd.ClientReadFailed or RelayEnd.ClientWriteFailed or RelayEnd.ClientTruncated => TransferOutcome.ClientAborted,
        RelayEnd.UpstreamClosed or RelayEnd.UpstreamReadFailed or RelayEnd.UpstreamWriteFailed or RelayEnd.UpstreamTruncated => TransferOutcome.UpstreamAborted,
        _ => TransferOutcome.SessionEnded,
    };
}
