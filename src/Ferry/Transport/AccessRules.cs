using System.Collections.Immutable;
using System.Net;
using Ferry.Config;

namespace Ferry.Transport;

/// <summary>The <c>allow</c> and <c>deny</c> lines of a server: the first that matches decides, none means yes, as nginx.</summary>
internal static class AccessRules
{
    public static bool Allow(ImmutableArray<AccessRuleConfig> rules, IPAddress client)
    {
        foreach (var rule in rules)
        {
            if (rule.Network is not { } network || network.Contains(client))
                return rule.Allow;
        }
        return true;
    }
}
