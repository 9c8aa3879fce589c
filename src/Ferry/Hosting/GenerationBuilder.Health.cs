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
                if (place.Group.HealthCheck is not { } check || !done.Add(place.Group) || Plan(check, server, place) is not { } plan)
                    continue;
                var time = _parts.Time;
                monitors.Add(new HealthMonitor(
                    place.Group, check, (s, ct) => HealthProbe.RunAsync(plan, s.EndPoint, time, ct), _parts.Metrics, Random.Shared, _parts.Logger));
            }
        }
        _made.Monitors = monitors.ToImmutable();
    }

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
            // They have no client whose address they could come from.
            BindAddress = config.Bind is { Address: { } address } ? new SourceAddress(address) { IsTransparent = config.Bind.IsTransparent } : null,
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
        };
    }
}
