using System.Collections.Immutable;
using System.Linq;
using Ferry.Config;
using Ferry.Sessions;
using Ferry.Transport;
using Ferry.Transport.Tls;
using Ferry.Upstreams;

namespace Ferry.Hosting;

internal sealed partial class GenerationBuilder
{
    /// <summary>Makes the monitors of the groups that are checked; a group that several servers share is checked as the first of them speaks to it.</summary>
    private void BuildMonitors()
    {
        var monitors = ImmutableArray.CreateBuilder<HealthMonitor>();
        var done = new HashSet<UpstreamGroup>();
        foreach (var server in _made.Servers)
        {
            foreach (var place in server.Places.Values.Append(new RoutePlace(server.Upstreams, server.PeerName)))
            {
                if (place.Group.HealthCheck is not { } check || !done.Add(place.Group) || Probe(check, server, place) is not { } probe)
                    continue;
                monitors.Add(new HealthMonitor(place.Group, check, probe, _parts.Metrics, Random.Shared, _parts.Logger)
                {
                    Agents = Agents(check, server, place.Group),
                });
            }
        }
        _made.Monitors = monitors.ToImmutable();
    }

    /// <summary>What checks a server; null where something stands against it, which is told.</summary>
    private Func<UpstreamServer, CancellationToken, Task<HealthProbeResult>>? Probe(HealthCheckConfig check, ControlServer server, RoutePlace place)
    {
        if (Plan(check, server, place) is not { } plan)
            return null;
        var time = _parts.Time;
        if (check.Program is not null)
            return new HealthProgram(place.Group.Name, check, _parts.HealthPrograms, time, _parts.Logger).RunAsync;
        return (s, ct) => HealthProbe.RunAsync(plan, s.EndPoint, time, ct);
    }

    private AgentMonitor? Agents(HealthCheckConfig check, ControlServer server, UpstreamGroup group)
    {
        if (check.Agent is not { } agent)
            return null;
        var asking = new AgentCheck(agent, check.Timeout, SourceOf(server.Config));
        var time = _parts.Time;
        return new AgentMonitor(group, agent.Interval, (s, ct) => asking.RunAsync(s.EndPoint.Address, time, ct), _parts.Logger);
    }

    /// <summary>Where checks come from. They have no client whose address that could be.</summary>
    private static SourceAddress? SourceOf(ServerConfig config) =>
        config.Bind is { Address: { } address } ? new SourceAddress(address) { IsTransparent = config.Bind.IsTransparent } : null;

    /// <summary>How servers are checked; null where something stands against it, which is told.</summary>
    private HealthProbePlan? Plan(HealthCheckConfig check, ControlServer server, RoutePlace place)
    {
        if (HealthProbePlan.MistakeIn(check) is { } mistake)
        {
            _errors.Add($"{check.Position}: the health check of upstream \"{place.Group.Name}\" cannot be used: {mistake}");
            return null;
        }
        var config = server.Config;
        var mode = check.Tls ?? (config.UpstreamTls.Mode == UpstreamTls.Match ? UpstreamTls.Off : config.UpstreamTls.Mode);
        ReloadingTlsContext? tls = null;
        if (mode != UpstreamTls.Off)
            tls = server.UpstreamTls ?? Tls(found => ReloadingTlsContext.TryCreate(config.UpstreamTls with { Mode = mode }, found, _parts.Time, _parts.Logger));
        var found = new List<ConfigDiagnostic>();
        var password = check.PasswordFile is { } file ? HealthPassword.TryRead(file, found) : HealthPassword.Anonymous;
        Take(found);
        if (password is null || (mode != UpstreamTls.Off && tls is null))
            return null;
        return new HealthProbePlan
        {
            Check = check,
            BindAddress = SourceOf(config),
            // A port of the check's own is one where no proxy is expected.
            Header = check.Port is null ? config.ProxyProtocol : ProxyProtocolVersion.Off,
            DataHeader = check.Port is null ? config.Data.ProxyProtocol : ProxyProtocolVersion.Off,
            TlsMode = mode,
            Tls = tls is null ? null : () => tls.Current,
            PeerName = place.PeerName,
            DataIsPrivate = config.UpstreamTls.Protection != UpstreamProtection.Clear,
            SessionReuse = config.UpstreamTls.SessionReuse,
            AllowTruncation = config.Data.Truncation == TlsTruncation.Allow,
            PassiveAddress = config.Data.PassiveAddress,
            Password = password,
            Match = check.Match is { } match ? MatchExpectation.TryCreate(match) : null,
        };
    }
}
