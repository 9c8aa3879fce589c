using System.Linq;
using Ferry.Config;

namespace Ferry.Hosting;

/// <summary>Upstreams whose servers are in files of their own.</summary>
internal sealed partial class GenerationBuilder
{
    /// <summary>
    /// The upstream with the servers that its file has now: between the reading of the configuration and this moment, in which nothing else is
    /// changed, there may have been changes. Null where the file is of no use.
    /// </summary>
    private UpstreamConfig? WithState(UpstreamConfig upstream)
    {
        if (upstream.StateFile is not { } path)
            return upstream;
        var (servers, findings) = UpstreamState.Read(path, upstream.Name);
        var errors = findings.Where(f => f.Severity == ConfigSeverity.Error).ToList();
        if (UpstreamState.CheckWrite(path) is { } fault)
            errors.Add(new ConfigDiagnostic(ConfigSeverity.Error, upstream.Position, 1, $"the state of upstream \"{upstream.Name}\" could not be kept: {fault}", null));
        Tell(errors);
        return errors.Count > 0 ? null : upstream with { Servers = servers };
    }
}
