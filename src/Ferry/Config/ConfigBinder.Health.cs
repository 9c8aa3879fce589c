using System.IO;
using System.Linq;

namespace Ferry.Config;

/// <summary>The health of servers.</summary>
internal sealed partial class ConfigBinder
{
    /// <summary>The words of <c>type=</c>, from the shortest check to the longest.</summary>
    public static readonly (string Word, HealthCheckType Type)[] HealthTypes =
    [
        ("connect", HealthCheckType.Connect), ("banner", HealthCheckType.Banner), ("login", HealthCheckType.Login),
        ("list", HealthCheckType.List), ("retr", HealthCheckType.Retr),
    ];

    /// <summary>The words of <c>tls=</c>.</summary>
    public static readonly (string Word, UpstreamTls Mode)[] HealthTls =
        [("off", UpstreamTls.Off), ("explicit", UpstreamTls.Explicit), ("implicit", UpstreamTls.Implicit)];

    private static readonly string[] HealthParameters =
    [
        "interval", "jitter", "timeout", "rise", "passes", "fall", "fails", "type", "user", "password_file", "path", "expect", "port", "tls",
        "mandatory", "persistent", "agent_port", "agent_addr", "agent_interval", "agent_send", "match",
    ];

    public void SetHealthCheck(ConfigNode node)
    {
        var draft = ReadHealthCheck(node);
        if (_upstream is not null)
            _upstream.HealthCheck = draft;
        else if (_server is not null)
            _server.HealthCheck = draft;
    }

    private HealthDraft ReadHealthCheck(ConfigNode node)
    {
        if (node.Arguments is [{ Text: "off" }])
            return new HealthDraft(null, false);
        var check = new HealthCheckConfig { Position = node.Position };
        Dictionary<string, ConfigToken> seen = new(StringComparer.Ordinal);
        foreach (var argument in node.Arguments)
        {
            var (key, value) = Cut(argument.Text);
            var meaning = key switch { "passes" => "rise", "fails" => "fall", _ => key };
            if (!seen.TryAdd(meaning, argument))
                findings.Error(argument, $"\"{key}\" of \"health_check\" is given twice, first as {ConfigFindings.Show(seen[meaning].Text)}");
            else
                check = HealthParameter(check, argument, key, value);
        }
        CheckHealth(check, seen);
        return new HealthDraft(check, seen.ContainsKey("timeout")) { Seen = seen };
    }

    private HealthCheckConfig HealthParameter(HealthCheckConfig check, ConfigToken argument, string key, string? value)
    {
        var word = value is null ? argument : argument.Part(key.Length + 1);
        switch (key)
        {
            case "interval" when value is not null:
                if (ConfigValue.TryTime(value, out var interval) && interval >= TimeSpan.FromSeconds(1))
                    return check with { Interval = interval };
                findings.Error(word, $"\"interval=\" needs a time of at least 1s, not {ConfigFindings.Show(value)}");
                return check;
            case "jitter" when value is not null:
                if (ConfigValue.TryTime(value, out var jitter))
                    return check with { Jitter = jitter };
                findings.Error(word, $"\"jitter=\" needs a time such as 5s, not {ConfigFindings.Show(value)}");
                return check;
            case "timeout" when value is not null:
                if (ConfigValue.TryTime(value, out var timeout) && timeout > TimeSpan.Zero && timeout <= HealthDraft.LongestTimeout)
                    return check with { Timeout = timeout };
                findings.Error(word, $"\"timeout=\" needs a time such as 5s, up to {HealthDraft.LongestTimeout.TotalHours}h, not {ConfigFindings.Show(value)}");
                return check;
            case "rise" or "passes" when value is not null:
                return Integer($"{key}=", word, 1, int.MaxValue, out var rise) ? check with { Rise = rise } : check;
            case "fall" or "fails" when value is not null:
                return Integer($"{key}=", word, 1, int.MaxValue, out var fall) ? check with { Fall = fall } : check;
            case "port" when value is not null:
                return Integer("port=", word, 1, ConfigValue.MaxPort, out var port) ? check with { Port = port } : check;
            case "type" when value is not null:
                var type = Array.FindIndex(HealthTypes, t => t.Word == value);
                if (type >= 0)
                    return check with { Type = HealthTypes[type].Type };
                findings.Error(word, $"\"type=\" cannot be {ConfigFindings.Show(value)}; it is one of {Choice(HealthTypes.Select(t => t.Word), value)}");
                return check;
            case "tls" when value is not null:
                var tls = Array.FindIndex(HealthTls, t => t.Word == value);
                if (tls >= 0)
                    return check with { Tls = HealthTls[tls].Mode };
                findings.Error(word, $"\"tls=\" cannot be {ConfigFindings.Show(value)}; it is one of {Choice(HealthTls.Select(t => t.Word), value)}");
                return check;
            case "user" when value is not null:
                return HealthText(word, key, value) ? check with { User = value } : check;
            case "path" when value is not null:
                return HealthText(word, key, value) ? check with { Path = value } : check;
            case "password_file" when value is not null:
                return HealthText(word, key, value) ? check with { PasswordFile = new PlacedText(Path.GetFullPath(Path.Combine(folder, value)), word.Position) } : check;
            case "expect" when value is not null:
                return HealthExpect(check, word, value);
            case "match" when value is not null:
                return check; // the block may stand further down
            case "agent_port" or "agent_addr" or "agent_interval" or "agent_send" when value is not null:
                return check with { Agent = AgentParameter(check.Agent ?? new AgentCheckConfig(0), word, key, value) };
            case "mandatory" when value is null:
                return check with { Mandatory = true };
            case "persistent" when value is null:
                return check; // as it is always: what is known of a server survives a reload
            case "udp" when value is null:
                findings.Error(argument, "\"udp\" of \"health_check\" is not for FTP, which is TCP");
                return check;
            default:
                findings.Error(argument, $"unknown parameter {ConfigFindings.Show(argument.Text)} of \"health_check\"{Spelling.DidYouMean(key, HealthParameters)}");
                return check;
        }
    }

    public void SetHealthTimeout(ConfigNode node)
    {
        var word = node.Arguments[0];
        if (!Time(node, word, zero: false, out var time))
            return;
        if (time <= HealthDraft.LongestTimeout)
            Scope.HealthTimeout = time;
        else
            findings.Error(word, $"\"{node.Name.Text}\" cannot be longer than {HealthDraft.LongestTimeout.TotalHours}h");
    }

    /// <summary>A line end within would be another command.</summary>
    private bool HealthText(ConfigToken word, string key, string value)
    {
        if (value.Length is > 0 and <= HealthDraft.LongestText && !value.Any(char.IsControl))
            return true;
        findings.Error(word, $"\"{key}=\" needs a text of 1 to {HealthDraft.LongestText} characters, none of them a control character");
        return false;
    }

    private HealthCheckConfig HealthExpect(HealthCheckConfig check, ConfigToken word, string value)
    {
        const string OfSize = "size:";
        if (!value.StartsWith(OfSize, StringComparison.Ordinal))
            return HealthText(word, "expect", value) ? check with { ExpectText = value } : check;
        if (ConfigValue.TrySize(value.AsSpan(OfSize.Length), out var size) && size <= HealthDraft.MostData)
            return check with { ExpectSize = size };
        findings.Error(word, $"\"expect=size:\" needs a number of bytes up to {HealthDraft.MostData}, which is the most that a check reads");
        return check;
    }

    /// <summary>What one parameter needs of another.</summary>
    private void CheckHealth(HealthCheckConfig check, Dictionary<string, ConfigToken> seen)
    {
        CheckAgent(seen);
        CheckMatch(seen);
        if (seen.TryGetValue("type", out var type) && !HealthTypes.Any(t => $"type={t.Word}" == type.Text))
            return; // what was meant is not known
        Needs("tls", HealthCheckType.Banner);
        Needs("user", HealthCheckType.Login);
        Needs("password_file", HealthCheckType.Login);
        Needs("path", HealthCheckType.List);
        Needs("expect", HealthCheckType.List);
        if (check.Type == HealthCheckType.Retr && !seen.ContainsKey("path"))
            findings.Error(type, "\"type=retr\" needs the name of a file: add path=");
        if (seen.TryGetValue("password_file", out var file) && !seen.ContainsKey("user"))
            findings.Error(file, "\"password_file=\" needs the name of the user: add user=");
        else if (seen.TryGetValue("user", out var user) && !seen.ContainsKey("password_file") && !HealthDraft.IsAnonymous(check.User))
            findings.Error(user, "\"user=\" needs a password: add password_file=, a file whose first line it is");
        if (seen.TryGetValue("persistent", out var persistent) && !seen.ContainsKey("mandatory"))
            findings.Error(persistent, "\"persistent\" stands behind \"mandatory\"");

        void Needs(string key, HealthCheckType least)
        {
            if (check.Type >= least || !seen.TryGetValue(key, out var argument))
                return;
            var words = string.Join(" or ", HealthTypes.Where(t => t.Type >= least).Select(t => t.Word));
            findings.Error(argument, $"\"{key}=\" has no effect with type={Array.Find(HealthTypes, t => t.Type == check.Type).Word}: write type={words}, or leave it out");
        }
    }

    /// <summary>Gives each upstream its check: as the first server block says that leads there and says anything, or else the upstream itself.</summary>
    private void BindHealth()
    {
        CheckMatches();
        Dictionary<UpstreamConfig, UpstreamConfig> made = new(ReferenceEqualityComparer.Instance);
        foreach (var server in Main.Servers.OrderBy(static s => s.HealthCheck is null))
        {
            foreach (var upstream in server.Route?.Upstreams ?? [])
                made.TryAdd(upstream, WithHealth(upstream, server));
        }
        foreach (var server in Main.Servers)
        {
            if (server.Route is not { } route)
                continue;
            server.Route = route with { Upstreams = [.. route.Upstreams.Select(u => made[u])] };
            server.Upstream = server.Route.Upstreams[0];
        }
    }

    private UpstreamConfig WithHealth(UpstreamConfig upstream, ServerDraft server)
    {
        var draft = WithMatch(server.HealthCheck ?? Main.UpstreamsByName.GetValueOrDefault(upstream.Name)?.HealthCheck);
        return draft is null ? upstream : upstream with { HealthCheck = draft.Within(server.Scope.HealthTimeout.Or(Main.Stream.HealthTimeout)) };
    }
}

/// <summary>A <c>health_check</c> line.</summary>
/// <param name="Check">What it says; null: off.</param>
/// <param name="HasTimeout">It has a <c>timeout=</c> of its own.</param>
internal sealed record HealthDraft(HealthCheckConfig? Check, bool HasTimeout)
{
    /// <summary>The words of the line by what they speak of.</summary>
    public IReadOnlyDictionary<string, ConfigToken> Seen { get; init; } = new Dictionary<string, ConfigToken>();

    /// <summary>Longest name, path or expectation.</summary>
    public const int LongestText = 1024;

    /// <summary>The most of a listing or a file that a check reads, in bytes.</summary>
    public const int MostData = 1 << 20;

    /// <summary>A check that takes longer tells nothing that anybody still wants to know.</summary>
    public static readonly TimeSpan LongestTimeout = TimeSpan.FromHours(1);

    /// <summary>Who logs in with any password (RFC 1635).</summary>
    public static bool IsAnonymous(string? user) => user is null or "anonymous" or "ftp";

    public HealthCheckConfig? Within(Setting<TimeSpan> timeout) => Check is null || HasTimeout ? Check : Check with { Timeout = timeout.Else(Check.Timeout) };
}
