using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.Config;

namespace Ferry.Upstreams;

/// <summary>The addresses of <c>server</c> lines. As in NGINX, every address of a name is a server of its own with the line's parameters.</summary>
internal static class ServerAddresses
{
    /// <summary>A resolver of the system gives up by itself after some seconds a name server; one that hangs must not hang a reload.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>Each question holds a thread of the system's resolver.</summary>
    private const int QuestionsAtATime = 8;

    /// <summary>Resolves each name once. Lines whose name has no address are added to <paramref name="errors"/> and left out.</summary>
    public static async Task<List<ServerPlace>> ResolveAsync(
        ImmutableArray<UpstreamServerConfig> servers,
        Func<string, CancellationToken, Task<IPAddress[]>> resolve,
        TimeProvider time,
        List<ConfigDiagnostic> errors,
        CancellationToken ct)
    {
        var answers = await AskAsync(servers.Select(s => s.Host).Where(h => !IPAddress.TryParse(h, out _)), resolve, time, ct).ConfigureAwait(false);
        var places = new List<ServerPlace>(servers.Length);
        foreach (var server in servers)
        {
            if (!answers.TryGetValue(server.Host, out var answer))
            {
                places.Add(new ServerPlace(server, new IPEndPoint(Plain(IPAddress.Parse(server.Host)), server.Port), false));
                continue;
            }
            if (answer.Why is not null)
                errors.Add(new ConfigDiagnostic(ConfigSeverity.Error, server.Position, Math.Max(1, KetamaRing.TextOf(server).Length), NotFound(server.Host, answer.Why), server.SourceLine));
            foreach (var address in answer.Addresses)
                places.Add(new ServerPlace(server, new IPEndPoint(address, server.Port), true));
        }
        return places;
    }

    /// <summary>Asks for each name once. A name without an address comes with the reason.</summary>
    public static async Task<IReadOnlyDictionary<string, (IPAddress[] Addresses, string? Why)>> AskAsync(
        IEnumerable<string> names, Func<string, CancellationToken, Task<IPAddress[]>> resolve, TimeProvider time, CancellationToken ct)
    {
        var answers = new ConcurrentDictionary<string, (IPAddress[] Addresses, string? Why)>(StringComparer.OrdinalIgnoreCase);
        var options = new ParallelOptions { MaxDegreeOfParallelism = QuestionsAtATime, CancellationToken = ct };
        await Parallel.ForEachAsync(names.Distinct(StringComparer.OrdinalIgnoreCase), options, async (name, token) =>
            answers[name] = await AskAsync(name, resolve, time, token).ConfigureAwait(false)).ConfigureAwait(false);
        return answers;
    }

    private static async Task<(IPAddress[] Addresses, string? Why)> AskAsync(
        string name, Func<string, CancellationToken, Task<IPAddress[]>> resolve, TimeProvider time, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            // The system's resolver does not hear of a token once it has begun; its answer is then left to itself.
            var found = await resolve(name, both.Token).WaitAsync(both.Token).ConfigureAwait(false);
            IPAddress[] addresses = [.. found.Where(a => a.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6).Select(Plain).Distinct()];
            return (addresses, addresses.Length > 0 ? null : "it has no address");
        }
        catch (SocketException e)
        {
            return ([], e.Message);
        }
        catch (ArgumentException)
        {
            // .NET's word for a name that is too long or has characters that no name has.
            return ([], "it is not a name");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return ([], $"no answer within {Limit.TotalSeconds:0} s");
        }
    }

    private static string NotFound(string name, string why) => $"the server name \"{name}\" cannot be resolved: {why}; correct the name, or write the address";

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
