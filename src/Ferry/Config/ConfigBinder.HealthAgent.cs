using System.Linq;

namespace Ferry.Config;

/// <summary>The agents of servers, which are asked beside the checks.</summary>
internal sealed partial class ConfigBinder
{
    private AgentCheckConfig AgentParameter(AgentCheckConfig agent, ConfigToken word, string key, string value)
    {
        switch (key)
        {
            case "agent_port":
                return Integer("agent_port=", word, 1, ConfigValue.MaxPort, out var port) ? agent with { Port = port } : agent;
            case "agent_addr":
                if (ConfigValue.TryAddress(value.StartsWith('[') && value.EndsWith(']') ? value[1..^1] : value, out var address) && !ConfigValue.IsWildcard(address))
                    return agent with { Address = address };
                findings.Error(word, $"\"agent_addr=\" needs the address of a machine, not {ConfigFindings.Show(value)}");
                return agent;
            case "agent_interval":
                if (ConfigValue.TryTime(value, out var interval) && interval >= TimeSpan.FromSeconds(1))
                    return agent with { Interval = interval };
                findings.Error(word, $"\"agent_interval=\" needs a time of at least 1s, not {ConfigFindings.Show(value)}");
                return agent;
            default:
                if (value.Length is > 0 and <= HealthDraft.LongestText && value.All(c => !char.IsControl(c) || c is '\r' or '\n' or '\t'))
                    return agent with { Send = value };
                findings.Error(word, $"\"agent_send=\" needs a text of 1 to {HealthDraft.LongestText} characters; of control characters it may have \\r, \\n and \\t");
                return agent;
        }
    }

    private void CheckAgent(Dictionary<string, ConfigToken> seen)
    {
        if (seen.ContainsKey("agent_port"))
            return;
        foreach (var key in new[] { "agent_addr", "agent_interval", "agent_send" })
        {
            if (seen.TryGetValue(key, out var argument))
                findings.Error(argument, $"\"{key}=\" needs the port of the agents: add agent_port=");
        }
    }
}
