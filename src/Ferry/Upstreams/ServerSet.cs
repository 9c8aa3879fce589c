using System.Collections.Immutable;

namespace Ferry.Upstreams;

/// <summary>The servers of a group at one moment, and the way to choose among them. A change makes another set; a session's walk keeps the one that it began with.</summary>
/// <param name="Servers">Each at the place that its <see cref="UpstreamServer.Index"/> says.</param>
/// <param name="Balancer">Chooses among these.</param>
internal sealed record ServerSet(ImmutableArray<UpstreamServer> Servers, IBalancer Balancer);
