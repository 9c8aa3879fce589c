namespace Ferry.Config;

/// <summary>What <c>access_log</c> says.</summary>
/// <param name="Path">An absolute path.</param>
/// <param name="Format">The line (<c>log_format</c>); null: one JSON object a line.</param>
public sealed record AccessLogConfig(string Path, TextTemplate? Format);

/// <summary>What <c>ftp_transfer_log</c> says.</summary>
/// <param name="Path">An absolute path.</param>
/// <param name="Format">The form of a line.</param>
public sealed record TransferLogConfig(string Path, TransferLogFormat Format);

/// <summary>The form of a transfer log's lines.</summary>
public enum TransferLogFormat
{
    /// <summary>wu-ftpd's xferlog, which vsftpd and ProFTPD write and every log analyser reads.</summary>
    Xferlog,

    /// <summary>One JSON object a line.</summary>
    Json,
}
