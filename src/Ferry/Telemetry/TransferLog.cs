using System.Globalization;
using System.Text;

namespace Ferry.Telemetry;

/// <summary>
/// One line a transfer: a JSON object, or wu-ftpd's xferlog(5) as vsftpd and ProFTPD write it. The file belongs to the caller.
/// <code>
/// Sun Nov 22 01:28:34 2026 3 192.0.2.7 1048576 /pub/a_file b _ o r alice ftp 0 * c
///     time of the end      s remote    bytes   name        │ │ │ │ user      │ │ └ c(omplete) or i(ncomplete)
///     type: a or b ────────────────────────────────────────┘ │ │ └ a(nonymous) or r(eal)
///     special action: none ──────────────────────────────────┘ └── o(ut), i(n)
/// </code>
/// An xferlog has files only, no listings; where other servers put the password of an anonymous user, the user's name stands.
/// </summary>
internal sealed class TransferLog
{
    private readonly LogFile _file;
    private readonly TimeProvider _time;
    private readonly bool _isJson;

    /// <summary>Writes to <paramref name="file"/> in the time zone of <paramref name="time"/>.</summary>
    public TransferLog(LogFile file, TimeProvider time, bool isJson)
    {
        _file = file;
        _time = time;
        _isJson = isJson;
    }

    public void Write(TransferRecord transfer)
    {
        if (!_isJson && transfer.Direction == TransferDirection.List)
            return;
        using var line = LogLine.Rent();
        if (_isJson)
            AddJson(line, transfer);
        else
            AddXferlog(line, transfer);
        line.Add((byte)'\n');
        _file.Append(line.Written);
    }

    private void AddXferlog(LogLine line, TransferRecord transfer)
    {
        // As ctime(3), whose day of the month is padded with a space.
        var end = AccessLog.Local(transfer.End, _time).DateTime;
        line.Add(end, "ddd MMM ").Add(end.Day < 10 ? " "u8 : ""u8).Add(end.Day).Add(end, " HH':'mm':'ss yyyy ");
        // A transfer took at least a second, as in vsftpd: readers divide by it.
        line.Add(Math.Max(1, (long)Math.Round(transfer.Duration.TotalSeconds))).Add((byte)' ');
        line.Add(AccessLog.Text(transfer.Client.Address)).Add((byte)' ').Add(transfer.Bytes).Add((byte)' ');
        line.AddName(transfer.Path.Span);
        line.Add(transfer.Type == TransferType.Ascii ? " a _ "u8 : " b _ "u8).Add(transfer.Direction == TransferDirection.Upload ? "i "u8 : "o "u8);
        line.Add(IsAnonymous(transfer.User) ? "a "u8 : "r "u8);
        line.AddName(Encoding.UTF8.GetBytes(transfer.User ?? ""));
        line.Add(" ftp 0 * "u8).Add(transfer.Outcome == TransferRecord.Complete ? "c"u8 : "i"u8);
    }

    private void AddJson(LogLine line, TransferRecord transfer)
    {
        var json = line.Json;
        json.WriteStartObject();
        json.WriteString("time"u8, AccessLog.Local(transfer.End, _time).ToString("yyyy-MM-dd'T'HH':'mm':'ss.fffzzz", CultureInfo.InvariantCulture));
        json.WriteString("session"u8, transfer.SessionId);
        json.WriteString("client"u8, AccessLog.Text(transfer.Client.Address));
        json.WriteNumber("client_port"u8, transfer.Client.Port);
        json.WriteString("upstream"u8, AccessLog.Text(transfer.Upstream));
        AccessLog.AddTls(json, "client_tls"u8, transfer.ClientTls, withNames: false);
        AccessLog.AddTls(json, "upstream_tls"u8, transfer.UpstreamTls, withNames: false);
        json.WriteString("user"u8, LogText.Bounded(transfer.User));
        json.WriteString("command"u8, transfer.Verb);
        json.WriteString("path"u8, LogText.Decode(transfer.Path.Span));
        json.WriteString("direction"u8, TransferRecord.Word(transfer.Direction));
        json.WriteString("type"u8, transfer.Type == TransferType.Ascii ? "A"u8 : "I"u8);
        json.WriteNumber("bytes"u8, transfer.Bytes);
        json.WriteNumber("transfer_time"u8, AccessLog.Rounded(transfer.Duration));
        json.WriteString("outcome"u8, transfer.Outcome);
        json.WriteString("relay_end"u8, transfer.RelayEnd);
        json.WriteEndObject();
        json.Flush();
    }

    private static bool IsAnonymous(string? user) =>
        string.Equals(user, "anonymous", StringComparison.OrdinalIgnoreCase) || string.Equals(user, "ftp", StringComparison.OrdinalIgnoreCase);
}
