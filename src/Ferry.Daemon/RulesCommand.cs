using System.Linq;
using Ferry.Config;
using Ferry.Hosting;

namespace Ferry.Daemon;

/// <summary><c>ferryd rules</c>: what <c>range_method none</c> and <c>proxy_bind … transparent</c> leave to the operator.</summary>
internal static class RulesCommand
{
    public const string Both = "both";
    private const string Routes = "routes";
    private const string Reminder = """
        # With proxy_bind ... transparent, what servers send to clients has to come through this machine: give each server a route to the clients' networks, or
        # its default route, by way of this machine. What comes back passes the input chains of this machine's firewall.

        """;

    private static readonly (string Name, RangeMethod Method)[] Methods = [("nft", RangeMethod.Nft), ("iptables", RangeMethod.Iptables), ("tproxy", RangeMethod.Tproxy)];

    /// <summary>The words of <c>--format</c>.</summary>
    public static string[] Formats => [Both, .. Methods.Select(static m => m.Name), Routes];

    public static int Run(RunArguments arguments, string format)
    {
        var file = ConfigFile.Load(arguments.File, arguments.Prefix);
        Report.Diagnostics(file.Diagnostics, ConfigSeverity.Error);
        if (file.Config is not { } config)
            return ExitCode.Failure;
        var routes = FerryProxy.DescribeRoutes(config);
        if (FerryProxy.DescribeRules(config, RangeMethod.Nft).Length == 0)
        {
            if (!arguments.Quiet)
                Report.Error($"{arguments.File} has no range that a data server with \"njtmesh_dest\" or \"mesh\" listens for and no \"proxy_bind\" with \"transparent\", and needs no rules");
            return ExitCode.Ok;
        }
        if (format == Routes)
        {
            if (routes.Length > 0)
                Console.Out.Write(Reminder + routes);
            else if (!arguments.Quiet)
                Report.Error($"{arguments.File} has no \"proxy_bind\" with \"transparent\", and needs no routes");
            return ExitCode.Ok;
        }
        if (format != Both)
        {
            Console.Out.Write(FerryProxy.DescribeRules(config, Methods.Single(m => m.Name == format).Method));
            return ExitCode.Ok;
        }
        Console.Out.Write("# Install one of the two, not both.\n\n# With nftables: ferryd rules --format nft | nft -f -\n");
        Console.Out.Write(FerryProxy.DescribeRules(config, RangeMethod.Nft));
        Console.Out.Write("\n# With iptables: ferryd rules --format iptables | sh\n");
        Console.Out.Write(FerryProxy.DescribeRules(config, RangeMethod.Iptables));
        if (routes.Length > 0)
            Console.Out.Write($"\n# With either, the routes: ferryd rules --format routes | sh\n{Reminder}{routes}");
        return ExitCode.Ok;
    }
}
