using System.Collections.Immutable;

namespace Ferry.Config;

/// <summary>Servers in a file of their own (<c>state</c>).</summary>
internal sealed partial class ConfigBinder
{
    public void SetState(ConfigNode node)
    {
        if (_upstream is null)
            return;
        _upstream.State = node;
        if (!FilePath(node, node.Arguments[0], out var path))
            return;
        foreach (var other in Main.Upstreams)
        {
            if (other.StateFile == path)
                findings.Error(node.Arguments[0], $"upstream {ConfigFindings.Show(other.Name)} has the same \"state\": each writes its own file");
        }
        _upstream.StateFile = path;
        var (servers, found) = UpstreamState.Read(path, _upstream.Name);
        findings.Adopt(found);
        _upstream.StateServers = servers;
    }

    /// <summary>The servers of lines that stand in no block.</summary>
    public ImmutableArray<UpstreamServerConfig> BindServers(List<ConfigNode> nodes, ConfigSource source, string upstream)
    {
        var name = new ConfigToken(ConfigTokenKind.Word, source, 0, 0, upstream);
        _upstream = new UpstreamDraft(new ConfigNode(name, [], null), upstream);
        foreach (var node in nodes)
        {
            if (node.Name.Text != "server" || node.Block is not null || node.Arguments.Count == 0)
                findings.Error(node.Name, $"the state of upstream {ConfigFindings.Show(upstream)} has lines \"server ADDR[:PORT] ...;\" only");
            else
                SetUpstreamServer(node);
        }
        return [.. _upstream.Servers];
    }
}
