using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Ferry.Telemetry;

/// <summary>One line a session: a JSON object, or a line of <c>log_format</c>. The file belongs to the caller.</summary>
internal sealed class AccessLog
{
    private const string Absent = "-";

    // The one value that is bytes and not text.
    private const string BinaryAddress = "binary_remote_addr";

    // nginx's stream variables mean what they mean there, over the whole session: its control channel and its data channels together.
    private static readonly FrozenDictionary<string, Func<SessionRecord, TimeProvider, string?>> Values =
        new Dictionary<string, Func<SessionRecord, TimeProvider, string?>>
        {
            ["bytes_received"] = static (s, _) => Text(s.BytesFromClient + s.DataBytesToUpstream),
            ["bytes_sent"] = static (s, _) => Text(s.BytesToClient + s.DataBytesToClient),
            ["connection"] = static (s, _) => s.SessionId,
            ["ftp_commands"] = static (s, _) => Text(s.Commands),
            ["ftp_end"] = static (s, _) => s.EndReason,
            ["ftp_host"] = static (s, _) => s.Host,
            ["ftp_session"] = static (s, _) => s.SessionId,
            ["ftp_transfers"] = static (s, _) => Text(s.Transfers),
            ["ftp_user"] = static (s, _) => s.User,
            ["hostname"] = static (_, _) => Environment.MachineName,
            ["msec"] = static (s, _) => Seconds(s.End - DateTimeOffset.UnixEpoch),
            ["pid"] = static (_, _) => Text(Environment.ProcessId),
            ["protocol"] = static (_, _) => "TCP",
            ["proxy_protocol_addr"] = static (s, _) => s.HeaderSource is { } source ? Text(source.Address) : null,
            ["proxy_protocol_port"] = static (s, _) => s.HeaderSource is { } source ? Text(source.Port) : null,
            ["proxy_protocol_server_addr"] = static (s, _) => s.HeaderDestination is { } destination ? Text(destination.Address) : null,
            ["proxy_protocol_server_port"] = static (s, _) => s.HeaderDestination is { } destination ? Text(destination.Port) : null,
            ["realip_remote_addr"] = static (s, _) => Text((s.Via ?? s.Client).Address),
            ["realip_remote_port"] = static (s, _) => Text((s.Via ?? s.Client).Port),
            ["remote_addr"] = static (s, _) => Text(s.Client.Address),
            ["remote_port"] = static (s, _) => Text(s.Client.Port),
            ["server_addr"] = static (s, _) => Text(s.Listener.Address),
            ["server_port"] = static (s, _) => Text(s.Listener.Port),
            ["session_time"] = static (s, _) => Seconds(s.Duration),
            ["ssl_cipher"] = static (s, _) => s.ClientTls?.Cipher,
            ["ssl_client_s_dn"] = static (s, _) => s.ClientTls?.PeerSubject,
            ["ssl_client_verify"] = static (s, _) => s.ClientTls is { } tls ? Verification(tls) : null,
            ["ssl_protocol"] = static (s, _) => s.ClientTls?.Protocol,
            ["ssl_server_name"] = static (s, _) => s.ClientTls?.ServerName,
            ["ssl_session_reused"] = static (s, _) => s.ClientTls is { } tls ? Reused(tls) : null,
            ["status"] = static (s, _) => Text(s.Status),
            ["time_iso8601"] = static (s, time) => Local(s.End, time).ToString("yyyy-MM-dd'T'HH':'mm':'sszzz", CultureInfo.InvariantCulture),
            ["time_local"] = static (s, time) => LocalTime(Local(s.End, time)),
            ["upstream_addr"] = static (s, _) => s.Upstream is null ? null : Text(s.Upstream),
            ["upstream_bytes_received"] = static (s, _) => s.Upstream is null ? null : Text(s.BytesFromUpstream + s.DataBytesToClient),
            ["upstream_bytes_sent"] = static (s, _) => s.Upstream is null ? null : Text(s.BytesToUpstream + s.DataBytesToUpstream),
            ["upstream_connect_time"] = static (s, _) => s.UpstreamConnectTime is { } connecting ? Seconds(connecting) : null,
            ["upstream_ssl_cipher"] = static (s, _) => s.UpstreamTls?.Cipher,
            ["upstream_ssl_protocol"] = static (s, _) => s.UpstreamTls?.Protocol,
            ["upstream_ssl_session_reused"] = static (s, _) => s.UpstreamTls is { } tls ? Reused(tls) : null,
        }.ToFrozenDictionary(StringComparer.Ordinal);

    private readonly LogFile _file;
    private readonly TimeProvider _time;
    private readonly Func<Func<string, string?>, string>? _format;

    /// <summary>Writes to <paramref name="file"/> in the time zone of <paramref name="time"/>.</summary>
    /// <param name="file">Opened with <see cref="LogSyntax.Json"/> where <paramref name="format"/> is null.</param>
    /// <param name="time">Tells the time zone; the times come from the records.</param>
    /// <param name="format">Makes a line when it is given the values of the variables by their names; null: JSON.</param>
    public AccessLog(LogFile file, TimeProvider time, Func<Func<string, string?>, string>? format = null)
    {
        _file = file;
        _time = time;
        _format = format;
    }

    /// <summary>The variables that a <c>log_format</c> may name.</summary>
    public static IReadOnlyCollection<string> Variables { get; } = [.. Values.Keys, BinaryAddress];

    /// <summary>A variable's value as nginx would write it into a log: escaped, <c>-</c> where there is none. Null: no such variable.</summary>
    public static string? ValueOf(SessionRecord session, string variable, TimeProvider time)
    {
        if (Values.TryGetValue(variable, out var value))
            return LogText.AccessValue(value(session, time) ?? Absent);
        if (variable == BinaryAddress)
            return LogText.AccessBytes(Unmapped(session.Client.Address).GetAddressBytes());
        return session.Variable?.Invoke(variable) is { } own ? LogText.AccessValue(own.Length == 0 ? Absent : own) : null;
    }

    /// <summary>A variable's value as it is; null where there is none.</summary>
    public static string? TextOf(SessionRecord session, string variable, TimeProvider time) =>
        Values.TryGetValue(variable, out var value) ? value(session, time) : null;

    public void Write(SessionRecord session)
    {
        using var line = LogLine.Rent();
        if (_format is { } format)
            line.Add(format(variable => ValueOf(session, variable, _time)));
        else
            AddJson(line, session);
        line.Add((byte)'\n');
        _file.Append(line.Written);
    }

    /// <summary>An address as logs show it: an IPv4 client of a dual-stack listener is an IPv4 client.</summary>
    public static string Text(IPAddress address) => Unmapped(address).ToString();

    /// <inheritdoc cref="Text(IPAddress)"/>
    public static string Text(IPEndPoint endPoint) => new IPEndPoint(Unmapped(endPoint.Address), endPoint.Port).ToString();

    /// <summary>A moment in the zone that the log is written in.</summary>
    public static DateTimeOffset Local(DateTimeOffset moment, TimeProvider time) => TimeZoneInfo.ConvertTime(moment, time.LocalTimeZone);

    private void AddJson(LogLine line, SessionRecord session)
    {
        var json = line.Json;
        json.WriteStartObject();
        json.WriteString("time"u8, Local(session.End, _time).ToString("yyyy-MM-dd'T'HH':'mm':'ss.fffzzz", CultureInfo.InvariantCulture));
        json.WriteString("session"u8, session.SessionId);
        json.WriteString("client"u8, Text(session.Client.Address));
        json.WriteNumber("client_port"u8, session.Client.Port);
        json.WriteString("via"u8, session.Via is null ? null : Text(session.Via));
        json.WriteString("listener"u8, Text(session.Listener));
        json.WriteString("server"u8, session.Server);
        json.WriteString("upstream"u8, session.Upstream is null ? null : Text(session.Upstream));
        if (session.UpstreamConnectTime is { } connecting)
            json.WriteNumber("upstream_connect_time"u8, Rounded(connecting));
        else
            json.WriteNull("upstream_connect_time"u8);
        AddTls(json, "client_tls"u8, session.ClientTls, withNames: true);
        AddTls(json, "upstream_tls"u8, session.UpstreamTls, withNames: true);
        json.WriteString("user"u8, LogText.Bounded(session.User));
        json.WriteBoolean("logged_in"u8, session.LoggedIn);
        json.WriteString("end"u8, session.EndReason);
        json.WriteNumber("status"u8, session.Status);
        json.WriteNumber("session_time"u8, Rounded(session.Duration));
        json.WriteNumber("commands"u8, session.Commands);
        json.WriteNumber("transfers"u8, session.Transfers);
        json.WriteNumber("bytes_from_client"u8, session.BytesFromClient);
        json.WriteNumber("bytes_to_client"u8, session.BytesToClient);
        json.WriteNumber("bytes_from_upstream"u8, session.BytesFromUpstream);
        json.WriteNumber("bytes_to_upstream"u8, session.BytesToUpstream);
        json.WriteNumber("data_bytes_to_client"u8, session.DataBytesToClient);
        json.WriteNumber("data_bytes_to_upstream"u8, session.DataBytesToUpstream);
        json.WriteEndObject();
        json.Flush();
    }

    /// <summary>TLS of one side: an object, or null where there is none.</summary>
    public static void AddTls(Utf8JsonWriter json, ReadOnlySpan<byte> name, TlsRecord? tls, bool withNames)
    {
        if (tls is null)
        {
            json.WriteNull(name);
            return;
        }
        json.WriteStartObject(name);
        json.WriteString("protocol"u8, tls.Protocol);
        json.WriteString("cipher"u8, tls.Cipher);
        json.WriteBoolean("resumed"u8, tls.Resumed);
        if (withNames)
        {
            json.WriteString("server_name"u8, LogText.Bounded(tls.ServerName));
            json.WriteString("peer"u8, LogText.Bounded(tls.PeerSubject));
            json.WriteString("peer_fault"u8, LogText.Bounded(tls.PeerFault));
        }
        json.WriteEndObject();
    }

    /// <summary>Seconds with no more than three places.</summary>
    public static decimal Rounded(TimeSpan time) => Math.Round((decimal)time.TotalSeconds, 3);

    private static IPAddress Unmapped(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static string Reused(TlsRecord tls) => tls.Resumed ? "r" : ".";

    private static string Verification(TlsRecord tls) => tls.PeerSubject is null ? "NONE" : tls.PeerFault is { } fault ? $"FAILED:{fault}" : "SUCCESS";

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Seconds(TimeSpan time) => Rounded(time).ToString("F3", CultureInfo.InvariantCulture);

    // 22/Nov/2026:01:28:34 +0000: only the offset is without its colon.
    private static string LocalTime(DateTimeOffset local)
    {
        var text = local.ToString("dd'/'MMM'/'yyyy':'HH':'mm':'ss zzz", CultureInfo.InvariantCulture);
        return text.Remove(text.Length - 3, 1);
    }
}
