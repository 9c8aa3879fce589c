namespace Ferry.Config;

/// <summary><c>proxy_protocol</c> and <c>proxy_protocol_data</c>.</summary>
internal sealed partial class ConfigBinder
{
    /// <summary>Their words.</summary>
    public static readonly (string Word, ProxyProtocolVersion Version)[] ProxyProtocols =
        [("on", ProxyProtocolVersion.V1), ("v2", ProxyProtocolVersion.V2), ("off", ProxyProtocolVersion.Off)];

    public void SetProxyProtocol(ConfigNode node, Action<ConfigScope, ProxyProtocolVersion> set)
    {
        var word = node.Arguments[0];
        var index = Array.FindIndex(ProxyProtocols, p => p.Word == word.Text);
        if (index >= 0)
            set(Scope, ProxyProtocols[index].Version);
        else
            findings.Error(word, $"\"{node.Name.Text}\" is \"on\" (version 1), \"v2\" or \"off\", not {ConfigFindings.Show(word.Text)}");
    }
}
