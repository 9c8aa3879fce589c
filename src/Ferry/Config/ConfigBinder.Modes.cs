using System.Linq;
using System.Net.Sockets;

namespace Ferry.Config;

/// <summary>Who connects to whom for data, and what addresses are told.</summary>
internal sealed partial class ConfigBinder
{
    /// <summary>The words of <c>proxy_ftp_data</c>.</summary>
    public static readonly (string Word, UpstreamDataMode Mode)[] DataModes =
    [
        ("client", UpstreamDataMode.Client), ("passive", UpstreamDataMode.Passive), ("active", UpstreamDataMode.Active), ("pasv", UpstreamDataMode.Pasv),
        ("epsv", UpstreamDataMode.Epsv), ("port", UpstreamDataMode.Port), ("eprt", UpstreamDataMode.Eprt),
    ];

    public void SetDataMode(ConfigNode node)
    {
        var word = node.Arguments[0];
        var index = Array.FindIndex(DataModes, m => m.Word == word.Text);
        if (index >= 0)
            Scope.UpstreamMode = DataModes[index].Mode;
        else
            findings.Error(word,
                $"\"{node.Name.Text}\" cannot be {ConfigFindings.Show(word.Text)}; it is one of {Choice(DataModes.Select(m => m.Word), word.Text)}");
    }

    public void SetUpstreamPorts(ConfigNode node)
    {
        var word = node.Arguments[0];
        if (PortRange(word.Text, '-', out var first, out var last))
            Scope.UpstreamPorts = new PortRangeConfig(first, last);
        else
            findings.Error(word, $"\"{node.Name.Text}\" needs ports such as 20000-20099, from 1 to {ConfigValue.MaxPort}, not {ConfigFindings.Show(word.Text)}");
    }

    public void SetActiveSourcePort(ConfigNode node)
    {
        var word = node.Arguments[0];
        if (word.Text == "auto")
            Scope.ActiveSourcePort = new Setting<int?>(null);
        else if (word.Text == "any")
            Scope.ActiveSourcePort = 0;
        else if (ConfigValue.TryPort(word.Text, out var port))
            Scope.ActiveSourcePort = port;
        else
            findings.Error(word,
                $"\"{node.Name.Text}\" is \"auto\", \"any\" or a port from 1 to {ConfigValue.MaxPort}, not {ConfigFindings.Show(word.Text)}");
    }

    public void SetActivePeer(ConfigNode node) =>
        Scope.ActivePeer = node.Arguments is [{ Text: "control" or "any" } word]
            ? new ActivePeerConfig(word.Text == "any" ? ActivePeerPolicy.Any : ActivePeerPolicy.Control, [])
            : new ActivePeerConfig(ActivePeerPolicy.Networks, Networks(node, "control", "any"));

    public void SetProxyAddress(ConfigNode node)
    {
        var word = node.Arguments[0];
        if (!Network(node, word, out var network) | !ProxyAddress(node.Name.Text, node.Arguments[1], out var address))
            return;
        if (Scope.ProxyAddresses.Exists(l => l.Clients.PrefixLength <= network.PrefixLength && l.Clients.Contains(network.BaseAddress)))
            findings.Warning(word, $"this has no effect: a line above speaks of all clients in {network} already, and the first that matches decides");
        else if (Scope.ProxyAddresses.Count == MostProxyAddresses)
            findings.Error(node.Name, $"more than {MostProxyAddresses} lines of \"{node.Name.Text}\"");
        else
            Scope.ProxyAddresses.Add(new ClientProxyAddressConfig(network, address));
    }

    /// <summary>Each session looks through them.</summary>
    private const int MostProxyAddresses = 1000;

    private bool ProxyAddress(string what, ConfigToken word, out ProxyAddressConfig address)
    {
        address = ProxyAddressConfig.Auto;
        if (word.Source is null)
            return false;
        if (word.Text == "auto")
            return true;
        if (!ConfigValue.TryAddress(word.Text, out var written))
        {
            address = new ProxyAddressConfig(null, word.Text) { Position = word.Position, SourceLine = word.Source.LineAt(word.Start) };
            if (ConfigValue.IsHostName(word.Text))
                return true;
            findings.Error(word,
                $"\"{what}\" needs an IP address or a host name, which clients are told to connect to, or \"auto\", not {ConfigFindings.Show(word.Text)}");
            return false;
        }
        if (ConfigValue.IsWildcard(written))
        {
            findings.Error(word, $"{written} is no address that a client could connect to");
            return false;
        }
        address = written.IsIPv4MappedToIPv6 ? written.MapToIPv4() : written;
        if (address.Address!.AddressFamily == AddressFamily.InterNetworkV6)
            findings.Warning(word, "the reply to PASV can name an IPv4 address only: with this one, clients need EPSV");
        return true;
    }
}
