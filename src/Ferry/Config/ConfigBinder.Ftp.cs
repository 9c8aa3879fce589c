using System.Collections.Immutable;
using System.Linq;
using System.Net;

namespace Ferry.Config;

/// <summary><c>ftp_ctrl</c>, <c>ftp_data</c> and what else is Ferry's or OpenNJet's own.</summary>
internal sealed partial class ConfigBinder
{
    /// <summary>As OpenNJet; it is what 32 leases take.</summary>
    private const long SmallestZone = 8192;

    private static readonly string[] ControlParameters = ["zone", "proxy_ip", "min_port", "max_port"];

    public void SetControl(ConfigNode node)
    {
        if (_server is null)
            return;
        _server.Control = node;
        Dictionary<string, ConfigToken> values = new(StringComparer.Ordinal);
        var isGood = true;
        foreach (var argument in node.Arguments)
        {
            var (key, value) = Cut(argument.Text);
            if (value is null || (!ControlParameters.Contains(key) && key != "mode"))
            {
                findings.Error(argument,
                    $"unknown parameter {ConfigFindings.Show(argument.Text)} of \"ftp_ctrl\"{Spelling.DidYouMean(key, [.. ControlParameters, "mode"])}");
                isGood = false;
            }
            else if (!values.TryAdd(key, argument.Part(key.Length + 1)))
            {
                findings.Error(argument, $"\"{key}=\" of \"ftp_ctrl\" is given twice");
                isGood = false;
            }
        }
        var missing = ControlParameters.Where(p => !values.ContainsKey(p)).ToList();
        // With a misspelt parameter the list of those that are missing would only repeat it.
        if (missing.Count > 0 && isGood)
            findings.Error(node.Name,
                $"\"ftp_ctrl\" lacks {string.Join(", ", missing.Select(p => p + "="))}; "
                + "the syntax is: ftp_ctrl zone=NAME:SIZE proxy_ip=ADDR min_port=N max_port=N;");
        if (values.TryGetValue("mode", out var mode))
            CheckMode(mode);

        var name = "";
        long size = 0;
        ProxyAddressConfig address = ProxyAddressConfig.Auto;
        int first = 0, last = 0;
        isGood &= values.TryGetValue("zone", out var zone) & Zone(zone, out name, out size);
        isGood &= values.TryGetValue("proxy_ip", out var ip) & ProxyAddress("proxy_ip=", ip, out address);
        isGood &= values.TryGetValue("min_port", out var min) & Port("min_port=", min, out first);
        isGood &= values.TryGetValue("max_port", out var max) & Port("max_port=", max, out last);
        if (first > last && last > 0)
        {
            findings.Error(min, $"min_port={first} is above max_port={last}");
            isGood = false;
        }
        // The name is kept even where the rest is wrong, so that ftp_data still finds its zone.
        if (name.Length > 0)
            _server.Zone = isGood ? new ZoneConfig(name, size, address, first, last) : new ZoneConfig(name, 0, ProxyAddressConfig.Auto, 0, 0);
    }

    private void CheckMode(ConfigToken mode)
    {
        if (mode.Text == "auth" && _server is not null)
            _server.AuthMode = mode;
        else if (mode.Text is "plain" or "encry")
            findings.Note(mode, "mode=", $"\"mode={mode.Text}\" has no effect: each session negotiates its own protection");
        else
            findings.Error(mode, $"\"mode=\" is \"plain\", \"encry\" or \"auth\", not {ConfigFindings.Show(mode.Text)}");
    }

    private bool Zone(ConfigToken word, out string name, out long size)
    {
        (name, size) = ("", 0);
        if (word.Source is null)
            return false;
        var colon = word.Text.IndexOf(':');
        name = colon < 0 ? word.Text : word.Text[..colon];
        if (name.Length == 0)
            findings.Error(word, "\"zone=\" needs a name and a size, as in zone=ftp:1m");
        else if (colon < 0)
            findings.Error(word, $"\"zone=\" needs a size of at least 8k, as in zone={name}:1m");
        else if (!ConfigValue.TrySize(word.Text.AsSpan(colon + 1), out size))
            findings.Error(word.Part(colon + 1),
                $"\"zone=\" needs a size such as 8k or 10m, not {ConfigFindings.Show(word.Text[(colon + 1)..])}");
        else if (size < SmallestZone)
            findings.Error(word.Part(colon + 1), $"zone {ConfigFindings.Show(name)} is too small: at least 8k");
        else
            return true;
        return false;
    }

    private bool Port(string what, ConfigToken word, out int port)
    {
        port = 0;
        return word.Source is not null && Integer(what, word, 1, ConfigValue.MaxPort, out port);
    }

    public void SetData(ConfigNode node)
    {
        if (_server is null)
            return;
        _server.Data = node;
        var word = node.Arguments[0];
        if (!word.Text.StartsWith("zone=", StringComparison.Ordinal) || word.Text.Length == 5)
        {
            findings.Error(word, "\"ftp_data\" needs the zone of an \"ftp_ctrl\"; the syntax is: ftp_data zone=NAME;");
            return;
        }
        // A:SIZE, as in ftp_ctrl, is what people copy.
        var name = word.Part(5);
        if (name.Text.Contains(':'))
            findings.Error(name, "\"ftp_data\" takes the zone's name without a size; the syntax is: ftp_data zone=NAME;");
        else
            _server.DataZone = name;
    }

    /// <summary>The words of <c>ftp_data_peer</c>.</summary>
    public static readonly (string Word, DataPeerPolicy Policy)[] DataPeers =
        [("control", DataPeerPolicy.Control), ("client", DataPeerPolicy.Client), ("any", DataPeerPolicy.Any)];

    public void SetDataPeer(ConfigNode node)
    {
        var word = node.Arguments[0];
        var index = Array.FindIndex(DataPeers, p => p.Word == word.Text);
        if (index >= 0)
            Scope.DataPeer = DataPeers[index].Policy;
        else
            findings.Error(word, $"\"ftp_data_peer\" is \"control\", \"client\" or \"any\", not {ConfigFindings.Show(word.Text)}");
    }

    public void SetPassiveAddress(ConfigNode node) =>
        Scope.PassiveAddress = node.Arguments is [{ Text: "control" or "trust" } word]
            ? new PassiveAddressConfig(word.Text == "trust" ? PassiveAddressPolicy.Trust : PassiveAddressPolicy.Control, [])
            : new PassiveAddressConfig(PassiveAddressPolicy.Networks, Networks(node, "control", "trust"));

    /// <summary>The networks of a line that takes one of two words in their place.</summary>
    private ImmutableArray<IPNetwork> Networks(ConfigNode node, string one, string other)
    {
        var networks = ImmutableArray.CreateBuilder<IPNetwork>();
        foreach (var argument in node.Arguments)
        {
            if (argument.Text == one || argument.Text == other)
                findings.Error(argument,
                    $"\"{node.Name.Text}\" is \"{one}\", \"{other}\" or networks: {ConfigFindings.Show(argument.Text)} stands alone");
            else if (Network(node, argument, out var network))
                networks.Add(network);
        }
        return networks.ToImmutable();
    }

    public void SetTime(ConfigNode node, Action<ConfigScope, TimeSpan> set, bool zero = false)
    {
        if (Time(node, node.Arguments[0], zero, out var time))
            set(Scope, time);
    }

    public void SetOnOff(ConfigNode node, Action<ConfigScope, bool> set)
    {
        if (OnOff(node, out var on))
            set(Scope, on);
    }

    public void SetNumber(ConfigNode node, int max, Action<ConfigScope, int> set)
    {
        if (Integer(node.Name.Text, node.Arguments[0], 0, max, out var number))
            set(Scope, number);
    }
}
