using System.Collections.Immutable;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.Config;
using Ferry.Transport.Dns;

namespace Ferry.Upstreams;

/// <summary>The addresses of lines with <c>resolve</c>, as name servers know them.</summary>
internal sealed class NamePlaces(DnsResolver resolver)
{
    /// <summary>As <see cref="FindPlaces"/>.</summary>
    public Task<LineAnswer> FindAsync(UpstreamServerConfig line, CancellationToken ct) =>
        line.Service is { } service ? FindServiceAsync(line, service, ct) : FindHostAsync(line, ct);

    private async Task<LineAnswer> FindHostAsync(UpstreamServerConfig line, CancellationToken ct)
    {
        var answer = await resolver.ResolveAsync(line.Host, ct).ConfigureAwait(false);
        return new LineAnswer([.. PlacesOf(line, answer)], answer.Lifetime, answer.Failure) { Unanswered = [.. UnansweredOf(line.Host, answer)] };
    }

    /// <summary>As nginx: the targets of the highest priority are the servers, the others are backups; of a <c>backup</c> line the first are backups and the others nothing.</summary>
    private async Task<LineAnswer> FindServiceAsync(UpstreamServerConfig line, string service, CancellationToken ct)
    {
        var answer = await resolver.ResolveServiceAsync(service, line.Host, ct).ConfigureAwait(false);
        var first = answer.Targets.Select(t => t.Priority).DefaultIfEmpty().Min();
        var places = ImmutableArray.CreateBuilder<ServerPlace>();
        foreach (var target in answer.Targets)
        {
            if (target.Priority != first && line.Backup)
                continue;
            var server = line with
            {
                Host = target.Host,
                Port = target.Port,
                Text = null,
                Backup = line.Backup || target.Priority != first,
                Weight = line.Weight != 1 ? line.Weight : Math.Max(1, target.Weight),
            };
            places.AddRange(PlacesOf(server, target.Answer));
        }
        return new LineAnswer(places.ToImmutable(), answer.Lifetime, answer.Failure)
        {
            Unanswered = [.. answer.Targets.SelectMany(t => UnansweredOf(t.Host, t.Answer))],
        };
    }

    private static IEnumerable<ServerPlace> PlacesOf(UpstreamServerConfig server, NameAnswer answer) =>
        answer.Addresses.Select(a => new ServerPlace(server, new IPEndPoint(a, server.Port), true));

    private static IEnumerable<(string, AddressFamily?)> UnansweredOf(string host, NameAnswer answer) =>
        answer.Failure is not null ? [(host, null)] : answer.Unanswered is { } family ? [(host, family)] : [];
}
