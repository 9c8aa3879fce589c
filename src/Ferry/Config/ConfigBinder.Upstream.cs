using System.Linq;

namespace Ferry.Config;

/// <summary><c>upstream</c> blocks and <c>proxy_pass</c>.</summary>
internal sealed partial class ConfigBinder
{
    /// <summary>The port of a server where none is written: RFC 959's.</summary>
    private const int FtpPort = 21;

    private static readonly string[] ServerParameters =
        ["weight", "max_conns", "max_fails", "fail_timeout", "backup", "down", "slow_start", "resolve", "service", "drain"];

    public void SetUpstream(ConfigNode node)
    {
        if (node.Arguments is not [var name])
            return;
        if (Main.UpstreamsByName.TryGetValue(name.Text, out var first))
            findings.Error(name, $"upstream {ConfigFindings.Show(name.Text)} is duplicate; the first is at {first.Node.Position}");
        var outer = _upstream;
        _upstream = new UpstreamDraft(node, name.Text);
        Main.Upstreams.Add(_upstream);
        Main.UpstreamsByName.TryAdd(name.Text, _upstream);
        BindBlock(node.Block!, ConfigContexts.Upstream);
        CheckHealthProgram(_upstream);
        _upstream = outer;
    }

    public void SetUpstreamServer(ConfigNode node)
    {
        if (_upstream is null)
            return;
        _upstream.HasServerLine = true;
        var word = node.Arguments[0];
        var isGood = ServerAddress("server", word, out var host, out var port);
        var server = new UpstreamServerConfig(host, port) { Text = word.Text, Position = word.Position, SourceLine = word.Source?.LineAt(word.Start) };
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach (var argument in node.Arguments.Skip(1))
        {
            var (key, value) = Cut(argument.Text);
            if (!seen.Add(key))
                findings.Warning(argument, $"\"{key}\" of \"server\" is given twice; the last counts, as in nginx");
            server = ServerParameter(server, node, argument, key, value);
        }
        if (isGood && HasWholeService(server, word))
            _upstream.Servers.Add(server);
    }

    private UpstreamServerConfig ServerParameter(UpstreamServerConfig server, ConfigNode node, ConfigToken argument, string key, string? value)
    {
        var number = 0;
        var word = value is null ? argument : argument.Part(key.Length + 1);
        switch (key)
        {
            case "weight" when value is not null:
                return Integer("weight=", word, 1, 65535, out number) ? server with { Weight = number } : server;
            case "max_conns" when value is not null:
                return Integer("max_conns=", word, 0, int.MaxValue, out number) ? server with { MaxConnections = number } : server;
            case "max_fails" when value is not null:
                return Integer("max_fails=", word, 0, int.MaxValue, out number) ? server with { MaxFails = number } : server;
            case "fail_timeout" when value is not null:
                if (ConfigValue.TryTime(value, out var time))
                    return server with { FailTimeout = time };
                findings.Error(word, $"\"fail_timeout=\" needs a time such as 10s, not {ConfigFindings.Show(value)}");
                return server;
            case "backup" when value is null:
                _upstream?.BackupWords.Add(argument);
                return server with { Backup = true };
            case "down" when value is null:
                return server with { Down = true };
            case "drain" when value is null:
                return server with { Drain = true };
            case "slow_start" when value is not null:
                return SlowStart(server, argument, word);
            case "resolve" when value is null:
                return server with { Resolve = true };
            case "service" when value is not null:
                return Service(server, word);
            default:
                findings.Error(argument,
                    $"unknown parameter {ConfigFindings.Show(argument.Text)} of \"server\" in {ConfigFindings.Show(_upstream?.Name ?? node.Name.Text)}{Spelling.DidYouMean(key, ServerParameters)}");
                return server;
        }
    }

    /// <summary>Reads <c>ADDR[:PORT]</c>; the host comes without brackets.</summary>
    private bool ServerAddress(string what, ConfigToken word, out string host, out int port)
    {
        port = FtpPort;
        ConfigValue.SplitHostPort(word.Text, out host, out var portText);
        if (word.Text.StartsWith("unix:", StringComparison.Ordinal))
        {
            findings.Error(word, $"\"{what}\" cannot be a Unix socket: data connections need an address");
            return false;
        }
        if (word.Text.Contains('$'))
        {
            findings.Error(word, $"variables in \"{what}\" are not supported yet: name an upstream or an address");
            return false;
        }
        var isAddress = ConfigValue.TryAddress(host, out var address);
        // ::1 without brackets cannot be told from a host and its port.
        var isBareV6 = word.Text.AsSpan().Count(':') > 1 && !word.Text.StartsWith('[');
        if (isBareV6 || (!isAddress && !ConfigValue.IsHostName(host)))
        {
            findings.Error(word, isBareV6
                ? $"an IPv6 address stands in brackets, as in [2001:db8::1]:21, not {ConfigFindings.Show(word.Text)}"
                : $"\"{what}\" needs an address or a name, with a port or without, not {ConfigFindings.Show(word.Text)}");
            return false;
        }
        if (isAddress && ConfigValue.IsWildcard(address))
        {
            findings.Error(word, $"{host} is no address of a server");
            return false;
        }
        if (portText is not null && !ConfigValue.TryPort(portText, out port))
        {
            findings.Error(word.Part(word.Text.Length - portText.Length),
                $"\"{what}\" needs a port from 1 to {ConfigValue.MaxPort}, not {ConfigFindings.Show(portText)}");
            return false;
        }
        if (isAddress)
            host = address.ToString();
        return true;
    }

    public void SetProxyPass(ConfigNode node)
    {
        if (_server is not null)
            _server.ProxyPass = node;
    }

    /// <summary>Finds what <c>proxy_pass</c> names once all upstreams are known: one of them, or a host.</summary>
    private UpstreamConfig? Target(ConfigNode proxyPass)
    {
        var word = proxyPass.Arguments is [var only] ? only : default;
        if (word.Source is null)
            return null;
        if (Main.UpstreamsByName.TryGetValue(word.Text, out var upstream))
            return HasServers(upstream) ? Named(upstream) : null;
        if (!ServerAddress("proxy_pass", word, out var host, out var port))
            return null;
        ConfigValue.SplitHostPort(word.Text, out var name, out var portText);
        if (portText is not null && Main.UpstreamsByName.ContainsKey(name))
        {
            findings.Error(word, $"upstream {ConfigFindings.Show(name)} may not have a port here: its servers have their own");
            return null;
        }
        if (!ConfigValue.TryAddress(name, out _) && Spelling.Closest(name, Main.UpstreamsByName.Keys) is { } meant)
            findings.Warning(word,
                $"no upstream is named {ConfigFindings.Show(name)}, so this is taken for the name of a host; did you mean {ConfigFindings.Show(meant)}?");
        return new UpstreamConfig
        {
            Name = word.Text,
            Servers = [new UpstreamServerConfig(host, port) { Text = word.Text, Position = word.Position, SourceLine = word.Source.LineAt(word.Start) }],
            Position = proxyPass.Position,
        };
    }

    /// <summary>Whether a block has servers, or a file in which there may be some.</summary>
    private static bool HasServers(UpstreamDraft upstream) => upstream.Servers.Count > 0 || upstream.State is not null;

    private UpstreamConfig ToConfig(UpstreamDraft draft) => new()
    {
        Name = draft.Name,
        Servers = draft.StateFile is null ? [.. draft.Servers] : draft.StateServers,
        StateFile = draft.StateFile,
        Balance = draft.Balance,
        HashKey = draft.HashKey,
        QueueLength = draft.QueueLength,
        QueueTimeout = draft.QueueTimeout ?? DefaultQueueTimeout,
        Sorry = draft.Sorry,
        Resolver = draft.Resolver.Or(Main.Stream.Resolver).Else(new ResolverConfig()) with
        {
            Timeout = draft.ResolverTimeout.Or(Main.Stream.ResolverTimeout).Else(DefaultResolverTimeout),
        },
        Sticky = draft.Sticky,
        Position = draft.Node.Position,
    };
}
