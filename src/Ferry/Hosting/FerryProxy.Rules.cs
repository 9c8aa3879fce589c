using Ferry.Config;

namespace Ferry.Hosting;

public sealed partial class FerryProxy
{
    /// <summary>The kernel's rules that a configuration needs, as text for <c>nft -f -</c> or for a shell that calls iptables: those that redirect its ranges, and for <c>proxy_bind … transparent</c> the marks.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="method"><see cref="RangeMethod.Nft"/>, <see cref="RangeMethod.Tproxy"/> or <see cref="RangeMethod.Iptables"/>.</param>
    /// <returns>The text; empty where the configuration needs none.</returns>
    public static string DescribeRules(FerryConfig config, RangeMethod method)
    {
        ArgumentNullException.ThrowIfNull(config);
        if (method is not (RangeMethod.Nft or RangeMethod.Tproxy or RangeMethod.Iptables))
            throw new ArgumentOutOfRangeException(nameof(method), method, "Rules are written for nft, tproxy or iptables.");
        return RedirectPlan.Text(config, method) + TransparentPlan.Rules(config, method);
    }

    /// <summary>The routing that a configuration needs beside its rules, as text for a shell that calls ip: with <c>proxy_bind … transparent</c>, that marked packets stay on this machine.</summary>
    /// <param name="config">The configuration.</param>
    /// <returns>The text; empty where the configuration needs none.</returns>
    public static string DescribeRoutes(FerryConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return TransparentPlan.Routes(config);
    }
}
