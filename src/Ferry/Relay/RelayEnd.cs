namespace Ferry.Relay;

/// <summary>Who ended a transfer, and how. The first end wins.</summary>
internal enum RelayEnd
{
    /// <summary>The server ended its stream in order. When neither leg is known as the sender: it did so first.</summary>
    UpstreamClosed,

    /// <summary>The client ended its stream in order. When neither leg is known as the sender: it did so first.</summary>
    ClientClosed,

    /// <summary>The client's connection was reset while we read it, or its TLS failed.</summary>
    ClientReadFailed,

    /// <summary>The client's connection was reset or closed, or its TLS failed, while we had more for it.</summary>
    ClientWriteFailed,

    /// <summary>The server's connection was reset while we read it, or its TLS failed.</summary>
    UpstreamReadFailed,

    /// <summary>The server's connection was reset or closed, or its TLS failed, while we had more for it.</summary>
    UpstreamWriteFailed,

    /// <summary>The client's TLS stream ended without close_notify: it was cut off, whether it carried the file or should have taken it.</summary>
    ClientTruncated,

    /// <summary>The server's TLS stream ended without close_notify: it was cut off, whether it carried the file or should have taken it.</summary>
    UpstreamTruncated,

    /// <summary><see cref="DataRelay.Cut"/> was called.</summary>
    Cut,
}

internal static class RelayEnds
{
    /// <summary>The end's name in logs, which is a contract.</summary>
    public static string Tag(RelayEnd end) => end switch
    {
        RelayEnd.UpstreamClosed => "upstream_closed",
        RelayEnd.ClientClosed => "client_closed",
        RelayEnd.ClientReadFailed => "client_read_failed",
        RelayEnd.ClientWriteFailed => "client_write_failed",
        RelayEnd.UpstreamReadFailed => "upstream_read_failed",
        RelayEnd.UpstreamWriteFailed => "upstream_write_failed",
        RelayEnd.ClientTruncated => "client_truncated",
        RelayEnd.UpstreamTruncated => "upstream_truncated",
        RelayEnd.Cut => "cut",
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
