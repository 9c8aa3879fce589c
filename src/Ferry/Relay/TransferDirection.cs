namespace Ferry.Relay;

/// <summary>Which leg of a transfer sends the file, and so which leg's end is the end of the transfer.</summary>
internal enum TransferDirection
{
    /// <summary>From the server to the client (RETR, LIST, …).</summary>
    Download,

    /// <summary>From the client to the server (STOR, APPE, …).</summary>
    Upload,

    /// <summary>An unknown command: the transfer is over when both legs have ended.</summary>
    Either,
}
