using System.Linq;
using System.Net;

namespace Ferry.Config;

/// <summary><c>proxy_bind</c>.</summary>
internal sealed partial class ConfigBinder
{
    public const string Transparent = "transparent";

    public void SetBind(ConfigNode node)
    {
        var word = node.Arguments[0];
        var isTransparent = node.Arguments is [_, { Text: Transparent }];
        if (node.Arguments is [_, var second] && !isTransparent)
        {
            findings.Error(second,
                $"unknown parameter {ConfigFindings.Show(second.Text)} of \"{node.Name.Text}\"{Spelling.DidYouMean(second.Text, [Transparent])}");
        }
        if (word.Text == "off" && node.Arguments.Count == 1)
            Scope.Bind = new Setting<BindConfig?>(null);
        else if (word.Text == "off")
            findings.Error(node.Arguments[1], $"\"off\" of \"{node.Name.Text}\" stands alone");
        else if (word.Text.Contains('$'))
            BindToText(node, word, isTransparent);
        else if (BindAddress(node, word) is { } address)
            Scope.Bind = new BindConfig(address, null, isTransparent) { Position = node.Position };
    }

    /// <summary>Reads an address, which as in nginx may have a port; but each connection needs one of its own.</summary>
    private IPAddress? BindAddress(ConfigNode node, ConfigToken word)
    {
        if (ConfigValue.TryAddress(word.Text, out var address))
            return address;
        ConfigValue.SplitHostPort(word.Text, out var host, out var port);
        if (!ConfigValue.TryAddress(host, out address))
        {
            findings.Error(word,
                $"\"{node.Name.Text}\" needs an address of this machine, $remote_addr or another variable, or \"off\", not {ConfigFindings.Show(word.Text)}");
            return null;
        }
        return IsAnyPort(word, host.Length, port) ? address : null;
    }

    private void BindToText(ConfigNode node, ConfigToken word, bool isTransparent)
    {
        // The port of the client would be that of one connection; behind an IPv6 address without brackets it would not even be one.
        if (ConfigVariables.ParseRoute(word.Text, word, OwnNames, [], findings) is not { } text)
            return;
        if (text.Parts.Any(p => p is { IsVariable: true, Text: "remote_port" }))
        {
            findings.Error(word, $"\"{node.Name.Text}\" takes no port: each connection to a server needs one of its own, which the kernel chooses");
            return;
        }
        if (text.Parts[^1] is { IsVariable: false, Text: [':', .. var port] } && ConfigValue.TryInt(port, 0, int.MaxValue, out _))
        {
            if (!IsAnyPort(word, word.Text.Length - port.Length - 1, port))
                return;
            text = new TextTemplate(word.Text[..^(port.Length + 1)], text.Parts[..^1]);
        }
        Scope.Bind = new BindConfig(null, text, isTransparent) { Position = node.Position };
    }

    private bool IsAnyPort(ConfigToken word, int colon, string? port)
    {
        if (ConfigValue.TryInt(port, 0, 0, out _))
            return true;
        findings.Error(word.Part(colon + 1), "each connection to a server needs a port of its own, which the kernel chooses: leave the port out, or write 0");
        return false;
    }

    /// <summary>Whether the address that a control server connects from depends on what the client says with USER or HOST.</summary>
    private bool BindsByUser(ServerDraft server) =>
        server.Scope.Bind.Or(Main.Stream.Bind).Else(null) is { Text: { } text } && NeedsUser(text);
}
