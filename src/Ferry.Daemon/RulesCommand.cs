using System.Linq;
using Ferry.Config;
using Ferry.Hosting;

namespace Ferry.Daemon;

/// <summary><c>ferryd rules</c>: what <c>range_method none</c> leaves to the operator.</summary>
internal static class RulesCommand
{
    public const string Both = "both";
    private static readonly (string Name, RangeMethod Method)[] Methods = [("nft", RangeMethod.Nft), ("iptables", RangeMethod.Iptables), ("tproxy", RangeMethod.Tproxy)];

    /// <summary>The words of <c>--format</c>.</summary>
    public static string[] Formats => [Both, .. Methods.Select(static m => m.Name)];

    public static int Run(RunArguments arguments, string format)
    {
        var file = ConfigFile.Load(arguments.File, arguments.Prefix);
        Report.Diagnostics(file.Diagnostics, ConfigSeverity.Error);
        if (file.Config is not { } config)
            return ExitCode.Failure;
        if (FerryProxy.DescribeRules(config, RangeMethod.Nft).Length == 0)
        {
            if (!arguments.Quiet)
                Report.Error($"{arguments.File} has no range that a data server with \"njtmesh_dest\" or \"mesh\" listens for, and needs no rules");
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
        return ExitCode.Ok;
    }
}
