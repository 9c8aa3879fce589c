using System.Buffers;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Ferry.Config;

/// <summary>Writes a configuration with every value said where it acts; what it writes is read back as the same configuration.</summary>
internal sealed partial class ConfigWriter(TextWriter writer)
{
    private static readonly SearchValues<char> NeedsQuotes = SearchValues.Create(" \t\r\n;{}#\"'\\");

    private readonly Dictionary<string, string> _formats = new(StringComparer.Ordinal);
    private int _depth;

    public void Write(FerryConfig config)
    {
        if (config.PidFile is { } pid)
            Line("pid", Quote(pid));
        foreach (var log in config.ErrorLogs)
            Line("error_log", Quote(log.Path), LevelOf(log.Level));
        if (config.MaxOpenFiles is { } files)
            Line("worker_rlimit_nofile", Number(files));
        Line("worker_shutdown_timeout", Time(config.ShutdownTimeout));
        WriteRanges(config);
        Open("events");
        Line("worker_connections", Number(config.MaxSessions));
        Close();
        Open("stream");
        foreach (var server in config.Servers)
            WriteFormat(server.AccessLog?.Format);
        HashSet<string> written = new(StringComparer.Ordinal);
        foreach (var variable in config.Variables)
            WriteVariable(variable);
        WriteMatches(config);
        foreach (var upstream in config.Servers.SelectMany(s => s.Places))
        {
            if (!IsPlain(upstream) && written.Add(upstream.Name))
                WriteUpstream(upstream);
        }
        foreach (var server in config.Servers)
        {
            WriteControl(server);
            WriteData(server);
        }
        Close();
    }

    private void WriteFormat(TextTemplate? format)
    {
        if (format is null || _formats.ContainsKey(format.Text))
            return;
        var name = $"format_{_formats.Count + 1}";
        _formats.Add(format.Text, name);
        // nginx ends a word after so many characters, escapes counted: a long text is written in pieces, none of which cuts a variable.
        Line(["log_format", name, .. Pieces(format)]);
    }

    private static IEnumerable<string> Pieces(TextTemplate format)
    {
        const int Longest = ConfigLexer.LongestWord / 4;
        for (var i = 0; i < format.Text.Length; i += Longest)
            yield return Quote(format.Text.Substring(i, Math.Min(Longest, format.Text.Length - i)), always: true);
    }

    private void WriteUpstream(UpstreamConfig upstream)
    {
        Open("upstream " + Quote(upstream.Name));
        WriteBalancing(upstream);
        WriteRuntime(upstream);
        foreach (var server in upstream.StateFile is null ? upstream.Servers : [])
            Line(WordsOf(server));
        WriteUpstreamHealth(upstream);
        Close();
    }

    private void WriteControl(ServerConfig server)
    {
        Open("server");
        foreach (var listen in server.Listens)
            Line(["listen", listen.EndPoint.ToString(), $"backlog={listen.Backlog}", .. Ssl(listen.IsTls), .. listen.ProxyProtocol ? ["proxy_protocol"] : Array.Empty<string>()]);
        var zone = server.Zone;
        Line("ftp_ctrl", Quote($"zone={zone.Name}:{zone.Size}"), Quote($"proxy_ip={Show(zone.ProxyAddress)}"), $"min_port={zone.MinPort}", $"max_port={zone.MaxPort}");
        WriteRouting(server);
        WriteServerHealth(server.Upstream);
        Line("proxy_timeout", Time(server.IdleTimeout));
        Line("proxy_connect_timeout", Time(server.ConnectTimeout));
        Line("ftp_banner_timeout", Time(server.BannerTimeout));
        Line("ftp_login_timeout", Time(server.LoginTimeout));
        WriteBind(server.Bind);
        Line("proxy_protocol", Word(server.ProxyProtocol));
        Line("proxy_protocol_data", Word(server.Data.ProxyProtocol));
        WriteForwarding(server);
        Line("proxy_next_upstream", OnOff(server.NextUpstream));
        Line("proxy_next_upstream_timeout", Time(server.NextUpstreamTimeout));
        Line("proxy_next_upstream_tries", Number(server.NextUpstreamTries));
        Line("ftp_sorry", Quote(server.Sorry));
        Line("tcp_nodelay", OnOff(server.TcpNoDelay));
        Line("proxy_socket_keepalive", OnOff(server.SocketKeepalive));
        WriteModes(server);
        WriteClientTls(server.ClientTls);
        WriteUpstreamTls(server.UpstreamTls);
        foreach (var rule in server.AccessRules)
            WriteRule(rule);
        if (server.AccessLog is { } access)
            Line("access_log", Quote(access.Path), access.Format is null ? "json" : _formats[access.Format.Text]);
        else
            Line("access_log", "off");
        if (server.TransferLog is { } transfer)
            Line("ftp_transfer_log", Quote(transfer.Path), transfer.Format == TransferLogFormat.Json ? "json" : "xferlog");
        else
            Line("ftp_transfer_log", "off");
        Close();
    }

    private void WriteData(ServerConfig server)
    {
        var (zone, data) = (server.Zone, server.Data);
        Open("server");
        WriteDataListens(server);
        Line("ftp_data", Quote($"zone={zone.Name}"));
        Line("ftp_data_connect_timeout", Time(data.ConnectTimeout));
        Line("ftp_data_timeout", Time(data.StallTimeout));
        Line("ftp_data_peer", ConfigBinder.DataPeers.First(p => p.Policy == data.Peer).Word);
        Line([
            "ftp_pasv_address", .. data.PassiveAddress.Policy switch
            {
                PassiveAddressPolicy.Control => ["control"],
                PassiveAddressPolicy.Trust => ["trust"],
                _ => data.PassiveAddress.Networks.Select(n => n.ToString()),
            },
        ]);
        Line("ftp_client_ports", Number(data.MaxPortsPerClient));
        Line("ftp_tls_truncation", data.Truncation == TlsTruncation.Allow ? "allow" : "strict");
        foreach (var rule in data.AccessRules)
            WriteRule(rule);
        Close();
    }

    private void WriteRule(AccessRuleConfig rule) => Line(rule.Allow ? "allow" : "deny", rule.Network is { } network ? network.ToString() : "all");

    /// <summary>Whether <c>proxy_pass</c> with its name alone says all of an upstream.</summary>
    private static bool IsPlain(UpstreamConfig upstream) =>
        upstream is { Balance: BalanceMethod.RoundRobin, Sticky: null, Servers: [var only], QueueLength: 0, Sorry: null, StateFile: null, HealthCheck: null or { Program: null } }
        && only.Text == upstream.Name
        // A name alone is a block to proxy_pass with variables.
        && upstream.Name.AsSpan().ContainsAny('.', ':')
        && only with { Position = default, SourceLine = null } == new UpstreamServerConfig(only.Host, only.Port) { Text = only.Text, Position = default };

    private void Open(string head)
    {
        Raw(head + " {");
        _depth++;
    }

    private void Close()
    {
        _depth--;
        Raw("}");
    }

    private void Line(params IEnumerable<string> words) => Raw(string.Join(' ', words) + ";");

    private void Raw(string text)
    {
        writer.Write(new string(' ', _depth * 4));
        writer.Write(text);
        writer.Write('\n');
    }

    private static string OnOff(bool value) => value ? "on" : "off";

    private static string Word(ProxyProtocolVersion version) => ConfigBinder.ProxyProtocols.First(p => p.Version == version).Word;

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Time(TimeSpan time) =>
        time.Ticks % TimeSpan.TicksPerSecond == 0 ? Number((long)time.TotalSeconds) + "s" : Number((long)time.TotalMilliseconds) + "ms";

    private static string LevelOf(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "error",
        _ => "crit",
    };

    /// <summary>A word as the lexer reads it back: in quotes where it needs them.</summary>
    private static string Quote(string word, bool always = false)
    {
        if (!always && word.Length > 0 && !word.AsSpan().ContainsAny(NeedsQuotes))
            return word;
        var quoted = new StringBuilder(word.Length + 2).Append('"');
        foreach (var c in word)
            quoted.Append(c is '"' or '\\' ? "\\" : "").Append(c);
        return quoted.Append('"').ToString();
    }
}
