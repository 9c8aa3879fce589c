using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.Config;

namespace Ferry.Transport.Dns;

/// <summary>
/// Asks name servers that do the walking themselves (a stub resolver, RFC 1034 §5.3.1), because the system's own resolver tells neither how long
/// an answer may be used nor of services. Nothing is kept: who asks knows when to ask again. Whatever a server says, the work is bounded.
/// </summary>
internal sealed class DnsResolver(ResolverConfig config, TimeProvider time, SystemNames? system = null)
{
    /// <summary>Addresses of one name, and targets of one service; what is beyond is not used.</summary>
    public const int MaxAddresses = 64;

    /// <summary>Other names that one name leads to, one behind the other.</summary>
    private const int MaxAliases = 8;

    /// <summary>How often each name server is asked.</summary>
    private const int Rounds = 2;

    private const int QuestionsAtATime = 8;

    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    /// <summary>The hosts file says nothing of time; it is as quickly read as a server is asked.</summary>
    private static readonly TimeSpan HostsLifetime = TimeSpan.FromSeconds(10);

    /// <summary>One server's time for one question; glibc has 5 s and asks twice too.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly SystemNames _system = system ?? new SystemNames();

    /// <summary>The addresses of a name.</summary>
    /// <param name="name">A name; without a <c>resolver</c> the system's search list is followed.</param>
    /// <param name="ct">Gives up.</param>
    /// <exception cref="OperationCanceledException">It was given up by <paramref name="ct"/>.</exception>
    public async Task<NameAnswer> ResolveAsync(string name, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(config.Timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        return await ResolveWithinAsync(name, both.Token, ct).ConfigureAwait(false);
    }

    /// <summary>Who offers a service.</summary>
    /// <param name="service">As nginx writes it: <c>ftp</c> stands for <c>_ftp._tcp</c>; with a dot in it, it stands for itself.</param>
    /// <param name="host">The name behind it.</param>
    /// <param name="ct">Gives up.</param>
    /// <exception cref="OperationCanceledException">It was given up by <paramref name="ct"/>.</exception>
    public async Task<ServiceAnswer> ResolveServiceAsync(string service, string host, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(config.Timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        var name = service.Contains('.') ? $"{service}.{host}" : $"_{service}._tcp.{host}";
        var found = await AskAsync(name, DnsType.Srv, both.Token, ct).ConfigureAwait(false);
        if (found.Failure is not null)
            return new ServiceAnswer([], Lifetime(found.Lifetime), found.Failure);
        // The root as target means that the service is not offered (RFC 2782).
        var records = found.Records.Where(r => r.Port > 0 && ConfigValue.IsHostName(r.Target)).DistinctBy(r => (r.Target, r.Port)).Take(MaxAddresses).ToList();
        var answers = new ConcurrentDictionary<string, NameAnswer>(StringComparer.Ordinal);
        var options = new ParallelOptions { MaxDegreeOfParallelism = QuestionsAtATime, CancellationToken = ct };
        await Parallel.ForEachAsync(records.Select(r => r.Target).Distinct(), options, async (target, _) =>
            answers[target] = await ResolveWithinAsync(target, both.Token, ct).ConfigureAwait(false)).ConfigureAwait(false);
        var lifetime = answers.Values.Select(a => a.Lifetime).Append(Lifetime(found.Lifetime)).Min();
        return new ServiceAnswer([.. records.Select(r => new ServiceTarget(r.Target, r.Port, r.Priority, r.Weight, answers[r.Target]))], lifetime, null);
    }

    private async Task<NameAnswer> ResolveWithinAsync(string name, CancellationToken limit, CancellationToken ct)
    {
        if (config.Servers.IsDefaultOrEmpty && _system.Lookup(name) is { IsEmpty: false } known)
            return new NameAnswer([.. known.Where(Wanted)], config.Valid ?? HostsLifetime, null);
        var four = config.IPv4 ? AskAsync(name, DnsType.A, limit, ct) : Task.FromResult(Found.Nothing);
        var six = config.IPv6 ? AskAsync(name, DnsType.Aaaa, limit, ct) : Task.FromResult(Found.Nothing);
        var (a, aaaa) = (await four.ConfigureAwait(false), await six.ConfigureAwait(false));
        var addresses = a.Records.Concat(aaaa.Records).Select(r => r.Address!).Distinct().Take(MaxAddresses).ToImmutableArray();
        // A family that is not wanted has no say in how long the answer lives, nor one that has nothing beside one that has.
        var lifetimes = new[] { a, aaaa }.Where(f => f.Records.Count > 0).Select(f => f.Lifetime).DefaultIfEmpty(TimeSpan.Zero);
        var isAsked = (config.IPv4 && a.Failure is null) || (config.IPv6 && aaaa.Failure is null);
        return new NameAnswer(addresses, Lifetime(lifetimes.Min()), isAsked ? null : a.Failure ?? aaaa.Failure)
        {
            Unanswered = a.Failure is not null ? AddressFamily.InterNetwork : aaaa.Failure is not null ? AddressFamily.InterNetworkV6 : null,
        };
    }

    /// <summary>Asks for a name and, where it may stand for several, for the next one while one does not exist.</summary>
    private async Task<Found> AskAsync(string name, DnsType type, CancellationToken limit, CancellationToken ct)
    {
        var isOwn = !config.Servers.IsDefaultOrEmpty;
        var found = Found.Nothing;
        try
        {
            foreach (var candidate in isOwn ? [name] : _system.Candidates(name))
            {
                found = await FollowAsync(isOwn ? config.Servers : _system.Servers(), candidate, type, limit).ConfigureAwait(false);
                if (found.Failure is not null || found.Records.Count > 0)
                    break;
            }
            return found;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new Found([], TimeSpan.Zero, $"no answer within {config.Timeout.TotalSeconds:0.###} s");
        }
    }

    /// <summary>Follows aliases (RFC 1034 §3.6.2), within an answer and beyond it.</summary>
    private async Task<Found> FollowAsync(ImmutableArray<IPEndPoint> servers, string name, DnsType type, CancellationToken ct)
    {
        var lifetime = TimeSpan.MaxValue;
        var owner = name.TrimEnd('.').ToLowerInvariant();
        for (var aliases = 0; aliases <= MaxAliases;)
        {
            var asked = owner;
            var (reply, failure) = await AskServersAsync(servers, asked, type, ct).ConfigureAwait(false);
            if (reply is null)
                return new Found([], TimeSpan.Zero, failure);
            while (aliases <= MaxAliases && reply.Records.FirstOrDefault(r => r.Type == DnsType.Cname && r.Owner == owner) is { } alias)
            {
                owner = alias.Target;
                lifetime = alias.Lifetime < lifetime ? alias.Lifetime : lifetime;
                aliases++;
            }
            var records = reply.Records.Where(r => r.Type == type && r.Owner == owner).ToList();
            if (records.Count > 0)
                return new Found(records, records.Min(r => r.Lifetime) is var least && least < lifetime ? least : lifetime, null);
            if (aliases > MaxAliases)
                break;
            if (owner == asked || reply.Code == DnsCode.NameError)
                return Found.Nothing;
            if (!ConfigValue.IsHostName(owner))
                return new Found([], TimeSpan.Zero, "it is an alias of what is no name of a host");
        }
        return new Found([], TimeSpan.Zero, $"it is an alias of an alias more than {MaxAliases} times");
    }

    private async Task<(DnsReply? Reply, string Failure)> AskServersAsync(ImmutableArray<IPEndPoint> servers, string name, DnsType type, CancellationToken ct)
    {
        var failure = "no name server answered";
        for (var i = 0; i < servers.Length * Rounds; i++)
        {
            var server = servers[i % servers.Length];
            using var patience = new CancellationTokenSource(Patience, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, ct);
            try
            {
                var reply = await DnsExchange.AskAsync(server, name, type, both.Token).ConfigureAwait(false);
                if (reply is { Code: DnsCode.NoError or DnsCode.NameError })
                    return (reply, "");
                if (reply is not null)
                    failure = $"name server {server} answered {Word(reply.Code)}";
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                // The next one may be faster.
            }
        }
        return (null, failure);
    }

    private bool Wanted(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork ? config.IPv4 : config.IPv6;

    private TimeSpan Lifetime(TimeSpan told) => config.Valid ?? (told > Shortest ? told : Shortest);

    private static string Word(DnsCode code) => code switch
    {
        DnsCode.FormatError => "that it does not understand the question",
        DnsCode.ServerFailure => "that it has failed (SERVFAIL)",
        DnsCode.NotImplemented => "that it cannot do that",
        DnsCode.Refused => "that it refuses (REFUSED)",
        _ => $"with code {(int)code}",
    };

    private sealed record Found(IReadOnlyList<DnsRecord> Records, TimeSpan Lifetime, string? Failure)
    {
        public static Found Nothing { get; } = new([], TimeSpan.Zero, null);
    }
}
