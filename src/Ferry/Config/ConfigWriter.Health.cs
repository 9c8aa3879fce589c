using System.Linq;

namespace Ferry.Config;

/// <summary>The health of servers.</summary>
internal sealed partial class ConfigWriter
{
    /// <summary>What has been said in each <c>upstream</c> block.</summary>
    private readonly Dictionary<string, string> _healthOf = new(StringComparer.Ordinal);

    private void WriteMatches(FerryConfig config)
    {
        foreach (var match in config.Servers.SelectMany(s => s.Places).Select(u => u.HealthCheck?.Match).OfType<HealthMatchConfig>().DistinctBy(m => m.Name))
        {
            Open("match " + Quote(match.Name));
            if (match.Send is not null)
                Line("send", Quote(match.Send));
            if (match.Expect is not null)
                Line("expect", match.Kind switch { HealthExpectation.Regex => "~ ", HealthExpectation.RegexIgnoreCase => "~* ", _ => "" } + Quote(match.Expect, always: true));
            Close();
        }
    }

    private void WriteUpstreamHealth(UpstreamConfig upstream)
    {
        _healthOf[upstream.Name] = Words(upstream.HealthCheck);
        if (upstream.HealthCheck is not null)
            Line("health_check", _healthOf[upstream.Name]);
        if (upstream.HealthCheck?.Program is { } program)
            Line(["health_check_exec", Quote(program.Path), .. program.Arguments.Select(a => Quote(a.Text))]);
    }

    /// <summary>What a server says of an upstream that does not say it itself.</summary>
    private void WriteServerHealth(UpstreamConfig upstream)
    {
        var words = Words(upstream.HealthCheck);
        if (words != _healthOf.GetValueOrDefault(upstream.Name, Words(null)))
            Line("health_check", words);
    }

    private static string Words(HealthCheckConfig? check)
    {
        if (check is null)
            return "off";
        List<string> words =
        [
            $"interval={Time(check.Interval)}", $"jitter={Time(check.Jitter)}", $"timeout={Time(check.Timeout)}", $"rise={check.Rise}", $"fall={check.Fall}",
            .. check.Program is null && check.Match is null ? [$"type={Array.Find(ConfigBinder.HealthTypes, t => t.Type == check.Type).Word}"] : Array.Empty<string>(),
        ];
        Add("user=", check.User);
        Add("password_file=", check.PasswordFile?.Value);
        Add("path=", check.Path);
        Add("expect=", check.ExpectSize is { } size ? $"size:{size}" : check.ExpectText);
        Add("match=", check.Match?.Name);
        if (check.Port is { } port)
            words.Add($"port={port}");
        if (check.Tls is { } tls)
            words.Add($"tls={Array.Find(ConfigBinder.HealthTls, t => t.Mode == tls).Word}");
        if (check.Agent is { } agent)
        {
            words.Add($"agent_port={agent.Port}");
            Add("agent_addr=", agent.Address?.ToString());
            words.Add($"agent_interval={Time(agent.Interval)}");
            Add("agent_send=", agent.Send);
        }
        if (check.Mandatory)
            words.Add("mandatory");
        return string.Join(' ', words);

        void Add(string key, string? value)
        {
            if (value is not null)
                words.Add(Quote(key + value));
        }
    }
}
