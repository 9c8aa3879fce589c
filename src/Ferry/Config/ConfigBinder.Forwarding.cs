namespace Ferry.Config;

/// <summary>What is made of the PROXY headers of clients.</summary>
internal sealed partial class ConfigBinder
{
    public void SetRealIpFrom(ConfigNode node)
    {
        var word = node.Arguments[0];
        if (word.Text == "unix:")
        {
            findings.Note(word, "set_real_ip_from unix:", "\"unix:\" of \"set_real_ip_from\" trusts nobody: FTP clients connect over TCP");
            Scope.RealIpFrom.Add((word, null)); // it takes the place of what stream says all the same
        }
        else if (Network(node, word, out var network))
        {
            if (network.PrefixLength == 0)
                findings.Warning(word, $"\"set_real_ip_from {word.Text}\" lets every client say that it is another: name the addresses of the balancers in front");
            Scope.RealIpFrom.Add((word, network));
        }
    }

    public void SetProxyProtocolTimeout(ConfigNode node)
    {
        if (Time(node, node.Arguments[0], zero: false, out var time))
            Scope.ProxyProtocolTimeout = time;
    }
}
