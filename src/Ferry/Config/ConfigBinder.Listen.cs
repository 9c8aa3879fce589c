using System.Net;

namespace Ferry.Config;

/// <summary>Servers of <c>stream</c> and where they listen.</summary>
internal sealed partial class ConfigBinder
{
    private static readonly string[] ListenParameters = ["backlog", "bind", "ipv6only", "mesh", "proxy_protocol", "reuseport", "so_keepalive", "ssl"];

    public void SetServer(ConfigNode node)
    {
        var outer = _server;
        _server = new ServerDraft(node);
        Main.Servers.Add(_server);
        BindBlock(node.Block!, ConfigContexts.Server);
        _server = outer;
    }

    public void SetListen(ConfigNode node)
    {
        if (_server is null)
            return;
        _server.HasListen = true;
        var word = node.Arguments[0];
        var backlog = 511;
        bool isGood = true, isSsl = false, alsoV4 = false;
        ConfigToken? header = null;
        foreach (var option in node.Arguments.GetRange(1, node.Arguments.Count - 1))
        {
            var (key, value) = Cut(option.Text);
            switch (key)
            {
                case "backlog" when value is not null:
                    isGood &= Integer("backlog=", option.Part(key.Length + 1), 1, int.MaxValue, out backlog);
                    break;
                case "ipv6only" when value is "on" or "off":
                    alsoV4 = value == "off";
                    break;
                case "bind" or "default_server" when value is null:
                    break;
                case "mesh" when value is null:
                    _server.Mesh ??= option;
                    break;
                case "reuseport" or "deferred" or "multipath" when value is null:
                case "so_keepalive" or "rcvbuf" or "sndbuf" or "fastopen" or "setfib" or "accept_filter" when value is not null:
                    findings.Note(option, $"listen {key}", $"\"{key}\" of \"listen\" has no meaning here: {ReasonOf(key)}");
                    break;
                case "ssl" when value is null:
                    isSsl = true;
                    break;
                case "proxy_protocol" when value is null:
                    header = option;
                    break;
                case "udp" or "quic" when value is null:
                    findings.Error(option, $"\"{key}\" of \"listen\" cannot be: FTP runs over TCP");
                    break;
                default:
                    findings.Error(option,
                        $"unknown parameter {ConfigFindings.Show(option.Text)} of \"listen\"{Spelling.DidYouMean(key, ListenParameters)}");
                    break;
            }
        }
        if (!ListenAddress(word, out var address, out var first, out var last))
            return;
        if (isGood)
            _server.Listens.Add(new ListenDraft(word, address, first, last, backlog, isSsl, header));
        // [::] with ipv6only=off is both families at once, which here are two sockets.
        if (isGood && alsoV4 && address.Equals(IPAddress.IPv6Any))
            _server.Listens.Add(new ListenDraft(word, IPAddress.Any, first, last, backlog, isSsl, header));
    }

    /// <summary>Reads <c>[ADDR:]PORT[-PORT]</c>.</summary>
    private bool ListenAddress(ConfigToken word, out IPAddress address, out int first, out int last)
    {
        var text = word.Text;
        (address, first, last) = (IPAddress.Any, 0, 0);
        if (text.StartsWith("unix:", StringComparison.Ordinal))
        {
            findings.Error(word, "\"listen\" cannot be a Unix socket: FTP clients connect over TCP");
            return false;
        }
        var colon = text.LastIndexOf(':');
        if (text.StartsWith('[') && text.EndsWith(']'))
            colon = -1;
        var isPortOnly = colon < 0 && text.Length > 0 && char.IsAsciiDigit(text[0]) && !text.Contains('.');
        var host = isPortOnly ? "*" : colon < 0 ? text : text[..colon];
        if (host != "*" && !ConfigValue.TryAddress(host, out address))
        {
            findings.Error(word,
                $"\"listen\" needs a port, or an IP address and a port such as 192.0.2.1:21 or [2001:db8::1]:21, not {ConfigFindings.Show(text)}");
            return false;
        }
        if (!isPortOnly && colon < 0)
        {
            findings.Error(word, $"\"listen\" needs a port, as in {host}:21");
            return false;
        }
        if (PortRange(text.AsSpan(colon + 1), '-', out first, out last))
            return true;
        findings.Error(word.Part(colon + 1),
            $"\"listen\" needs a port from 1 to {ConfigValue.MaxPort}, or a range such as 10000-10010, not {ConfigFindings.Show(text[(colon + 1)..])}");
        return false;
    }

    private static bool PortRange(ReadOnlySpan<char> text, char dash, out int first, out int last)
    {
        last = 0;
        var at = text.IndexOf(dash);
        if (!ConfigValue.TryPort(at < 0 ? text : text[..at], out first))
            return false;
        last = first;
        return at < 0 || (ConfigValue.TryPort(text[(at + 1)..], out last) && first <= last);
    }

    private static (string Key, string? Value) Cut(string text)
    {
        var equals = text.IndexOf('=');
        return equals < 0 ? (text, null) : (text[..equals], text[(equals + 1)..]);
    }

    private static string ReasonOf(string key) => key switch
    {
        "so_keepalive" => "\"proxy_socket_keepalive\" speaks for both control connections",
        "reuseport" => "one listener feeds all threads",
        _ => "the kernel's own setting is used",
    };

    public void SetAccess(ConfigNode node)
    {
        var word = node.Arguments[0];
        var isAllow = node.Name.Text == "allow";
        if (word.Text == "all")
            Scope.AccessRules.Add(new AccessRuleConfig(isAllow, null));
        else if (word.Text == "unix:")
            findings.Note(word, "allow unix:", "\"unix:\" matches nobody: FTP clients connect over TCP");
        else if (Network(node, word, out var network))
            Scope.AccessRules.Add(new AccessRuleConfig(isAllow, network));
    }

    private bool Network(ConfigNode node, ConfigToken word, out IPNetwork network)
    {
        if (!ConfigValue.TryNetwork(word.Text, out network, out var hadLowBits))
        {
            findings.Error(word,
                $"\"{node.Name.Text}\" needs an address or a network such as 192.0.2.0/24, not {ConfigFindings.Show(word.Text)}");
            return false;
        }
        if (hadLowBits)
            findings.Warning(word, $"the low bits of {ConfigFindings.Show(word.Text)} are meaningless: it is {network}");
        return true;
    }
}
