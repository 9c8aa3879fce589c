using System.Linq;
using System.Net.Sockets;

namespace Ferry.Config;

/// <summary>Ports that are redirected to one.</summary>
internal sealed partial class ConfigBinder
{
    private static readonly string[] RedirectParameters = ["type", "src_ports", "dst_port", "family"];
    private static readonly string[] ToolParameters = ["iptables_path", "ip6tables_path", "ip_path"];

    /// <summary>The words of <c>range_method</c>.</summary>
    public static readonly (string Word, RangeMethod Method)[] RangeMethods =
    [
        ("auto", RangeMethod.Auto), ("nft", RangeMethod.Nft), ("iptables", RangeMethod.Iptables), ("tproxy", RangeMethod.Tproxy), ("none", RangeMethod.None),
    ];

    public void SetMesh(ConfigNode node)
    {
        if (_server is not null && OnOff(node, out var on) && on)
            _server.Mesh ??= node.Name;
    }

    public void SetRangeMethod(ConfigNode node)
    {
        var word = node.Arguments[0];
        var index = Array.FindIndex(RangeMethods, m => m.Word == word.Text);
        if (index >= 0)
            Main.RangeMethod = RangeMethods[index].Method;
        else
            findings.Error(word,
                $"\"{node.Name.Text}\" cannot be {ConfigFindings.Show(word.Text)}; it is one of {Choice(RangeMethods.Select(m => m.Word), word.Text)}");
    }

    public void SetRange(ConfigNode node)
    {
        Dictionary<string, ConfigToken> values = new(StringComparer.Ordinal);
        var isGood = true;
        foreach (var argument in node.Arguments)
        {
            var (key, value) = Cut(argument.Text);
            if (value is null || (!RedirectParameters.Contains(key) && !ToolParameters.Contains(key)))
            {
                findings.Error(argument,
                    $"unknown parameter {ConfigFindings.Show(argument.Text)} of \"range\"{Spelling.DidYouMean(key, [.. RedirectParameters, .. ToolParameters])}");
                isGood = false;
            }
            else if (!values.TryAdd(key, argument.Part(key.Length + 1)))
            {
                findings.Error(argument, $"\"{key}=\" of \"range\" is given twice");
                isGood = false;
            }
        }
        var tools = ToolParameters.Where(values.ContainsKey).ToList();
        foreach (var tool in tools)
            SetTool(tool, values[tool]);
        if (tools.Count > 0 && tools.Count == values.Count)
            return;
        if (tools.Count > 0)
        {
            findings.Error(node.Name, "a \"range\" line redirects ports or says where the tools are: write two lines");
            isGood = false;
        }
        Main.HasBadRange |= !Redirect(node, values, isGood);
    }

    /// <param name="node">The line.</param>
    /// <param name="values">Its parameters.</param>
    /// <param name="isGood">Nothing was wrong so far. With a misspelt parameter the list of those that are missing would only repeat it.</param>
    private bool Redirect(ConfigNode node, Dictionary<string, ConfigToken> values, bool isGood)
    {
        var missing = RedirectParameters[..3].Where(p => !values.ContainsKey(p)).ToList();
        if (missing.Count > 0 && isGood)
            findings.Error(node.Name,
                $"\"range\" lacks {string.Join(", ", missing.Select(p => p + "="))}; the syntax is: range type=tcp src_ports=PORT:PORT dst_port=PORT;");
        isGood &= missing.Count == 0;
        int first = 0, last = 0, target = 0;
        if (values.TryGetValue("type", out var type) && type.Text is not ("tcp" or "udp"))
            isGood = Refuse(type, $"\"type=\" is \"tcp\" or \"udp\", not {ConfigFindings.Show(type.Text)}");
        if (values.TryGetValue("src_ports", out var ports) && !PortRange(ports.Text, ':', out first, out last))
            isGood = Refuse(ports,
                $"\"src_ports=\" needs a port from 1 to {ConfigValue.MaxPort}, or a range such as 11000:12000, not {ConfigFindings.Show(ports.Text)}");
        if (values.TryGetValue("dst_port", out var port))
            isGood &= Port("dst_port=", port, out target);
        if (values.TryGetValue("family", out var family) && family.Text is not ("ipv4" or "ipv6"))
            isGood = Refuse(family, $"\"family=\" is \"ipv4\" or \"ipv6\", not {ConfigFindings.Show(family.Text)}");
        if (!isGood)
            return false;
        if (type.Text == "udp")
            findings.Note(type, "range udp", "\"type=udp\" has no effect: FTP runs over TCP, and no other ports are redirected");
        else
            Main.Ranges.Add(new RangeDraft(node.Name, ports, first, last, target, family.Text switch
            {
                "ipv4" => AddressFamily.InterNetwork,
                "ipv6" => AddressFamily.InterNetworkV6,
                _ => null,
            }));
        return true;
    }

    private void SetTool(string tool, ConfigToken word)
    {
        if (!word.Text.StartsWith('/') || word.Text.EndsWith('/') || word.Text.Contains('\0'))
            findings.Error(word, $"\"{tool}=\" needs the whole path of the program, such as /usr/sbin/{tool[..^5]}, not {ConfigFindings.Show(word.Text)}");
        else if (!Main.RangeTools.TryAdd(tool, word))
            findings.Error(word, $"\"{tool}=\" is duplicate; the first is at {Main.RangeTools[tool].Position}");
    }

    private bool Refuse(ConfigToken at, string message)
    {
        findings.Error(at, message);
        return false;
    }

    /// <summary>The redirects that lead to a listener. One that leads to none would take its ports from everybody.</summary>
    private IEnumerable<RangeConfig> BuildRanges()
    {
        var targets = Main.Servers.Select(s => s.RedirectPort).OfType<int>().ToHashSet();
        return Main.Ranges.Where(r => targets.Contains(r.Target)).Select(r => new RangeConfig(r.First, r.Last, r.Target, r.Family, r.Line.Position));
    }

    private string? Tool(string name) => Main.RangeTools.TryGetValue(name, out var word) ? word.Text : null;
}
