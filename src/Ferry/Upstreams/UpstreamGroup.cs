using System.Collections.Immutable;
using System.Linq;
using System.Net;
using Ferry.Config;
using Ferry.Transport.Dns;
using Microsoft.Extensions.Logging;

namespace Ferry.Upstreams;

/// <summary>The servers of an <c>upstream</c> block at work, and the way to choose among them.</summary>
internal sealed partial class UpstreamGroup
{
    private readonly UpstreamConfig _config;
    private readonly Balancing _balancing;
    private readonly GroupMemory _memory;
    private readonly ChangeLog _changes;
    private readonly ILogger _logger;
    private readonly GroupParts _parts;
    private readonly FindPlaces _find;
    private ImmutableArray<GroupLine> _lines;
    private ServerSet _set;

    private UpstreamGroup(UpstreamConfig config, Balancing balancing, ImmutableArray<GroupLine> lines, FindPlaces find, TimeProvider time, UpstreamGroup? previous, ILogger logger)
    {
        Name = config.Name;
        Time = time;
        HealthCheck = config.HealthCheck;
        Gate = previous?.Gate ?? new Lock();
        Line = previous?.Line ?? new WaitingLine(Gate);
        _config = config;
        _balancing = balancing;
        _memory = GroupMemory.For(config.Sticky, previous?._memory);
        _changes = previous?._changes ?? new ChangeLog();
        _logger = logger;
        _find = find;
        _lines = lines;
        _parts = new GroupParts(Name, Gate, time, Line, logger) { Changes = _changes, Check = config.HealthCheck };
        _set = MakeSet(MakeServers(previous?.Servers ?? [], isSameGroup: false));
    }

    public string Name { get; }

    /// <summary>In the order of the configuration, a name's addresses in the order in which they were resolved.</summary>
    public ImmutableArray<UpstreamServer> Servers => Set.Servers;

    /// <summary>The servers of this moment. Whoever walks over them keeps the set that it began with.</summary>
    internal ServerSet Set => Volatile.Read(ref _set);

    /// <summary>How its servers are checked; null: not at all.</summary>
    public HealthCheckConfig? HealthCheck { get; }

    internal Lock Gate { get; }

    internal TimeProvider Time { get; }

    /// <summary>Begins a session's walk over the group.</summary>
    /// <param name="facts">What is known of the session.</param>
    public UpstreamChoice Choose(ChoiceFacts facts) => new(this, facts);

    /// <summary>Resolves the names of an <c>upstream</c> block and makes its group. What is wrong comes back as errors, all at once.</summary>
    /// <param name="config">The block.</param>
    /// <param name="resolve">Gives the addresses of a name; fails with <see cref="System.Net.Sockets.SocketException"/> when there are none.</param>
    /// <param name="time">The clock of the group; the same as that of <paramref name="previous"/>.</param>
    /// <param name="previous">The group of the generation before: servers with the same name and address keep their counts and failures.</param>
    /// <param name="logger">Where a server's ups and downs are said.</param>
    /// <param name="ct">Gives up.</param>
    public static Task<UpstreamGroupResult> CreateAsync(
        UpstreamConfig config,
        Func<string, CancellationToken, Task<IPAddress[]>> resolve,
        TimeProvider time,
        UpstreamGroup? previous,
        ILogger logger,
        CancellationToken ct) => CreateAsync(config, resolve, new NamePlaces(new DnsResolver(config.Resolver, time)).FindAsync, time, previous, logger, ct);

    /// <summary>As the other, with <paramref name="find"/> in place of name servers for lines with <c>resolve</c>.</summary>
    internal static async Task<UpstreamGroupResult> CreateAsync(
        UpstreamConfig config,
        Func<string, CancellationToken, Task<IPAddress[]>> resolve,
        FindPlaces find,
        TimeProvider time,
        UpstreamGroup? previous,
        ILogger logger,
        CancellationToken ct)
    {
        var errors = new List<ConfigDiagnostic>();
        CheckServers(config, errors);
        var balancing = Balancing.TryCreate(config, errors);
        if (errors.Count > 0)
            return new UpstreamGroupResult(null, [.. errors]);

        var warnings = new List<ConfigDiagnostic>();
        var lines = await MakeLinesAsync(config.Servers, resolve, find, time, previous, errors, warnings, ct).ConfigureAwait(false);
        if (Overweight(config, lines) is { } tooMuch)
            errors.Add(Error(config.Position, tooMuch));
        return errors.Count > 0
            ? new UpstreamGroupResult(null, [.. errors])
            : new UpstreamGroupResult(new UpstreamGroup(config, balancing!, lines, find, time, previous, logger), []) { Warnings = [.. warnings] };
    }

    /// <summary>Whether the weights of all servers are more than a ring holds: what is wrong, or null.</summary>
    private static string? Overweight(UpstreamConfig config, ImmutableArray<GroupLine> lines) =>
        config.Balance == BalanceMethod.ConsistentHash && lines.SelectMany(l => l.Places).Sum(p => (long)p.Config.Weight) > KetamaRing.WeightLimit
            ? $"the weights of upstream \"{config.Name}\" add up to more than {KetamaRing.WeightLimit}, too many for a consistent hash; divide them all by the same number"
            : null;

    /// <summary>What an embedder's own records could have got wrong; the parser says it with more words and earlier.</summary>
    private static void CheckServers(UpstreamConfig config, List<ConfigDiagnostic> errors)
    {
        if (config.StateFile is null ? config.Servers.IsDefaultOrEmpty || config.Servers.All(s => s.Backup) : !config.Servers.IsDefaultOrEmpty && config.Servers.All(s => s.Backup))
            errors.Add(Error(config.Position, $"upstream \"{config.Name}\" has no server that is not \"backup\"; add one"));
        if (config.Servers.IsDefault)
            return;
        if (config.QueueLength < 0 || (config.QueueLength > 0 && config.QueueTimeout <= TimeSpan.Zero))
            errors.Add(Error(config.Position, $"the queue of upstream \"{config.Name}\" has a length or a time below nothing; a length of 0 lets no session wait"));
        if (config.Sorry is { } sorry && !ConfigBinder.IsSorry(sorry))
            errors.Add(Error(config.Position, $"the last word of upstream \"{config.Name}\" to its clients is no reply of one line that begins with a code of 4xx or 5xx"));
        foreach (var server in config.Servers)
        {
            if (server.SlowStart < TimeSpan.Zero || (server.SlowStart > TimeSpan.Zero && !config.Balance.TakesTurns()))
                errors.Add(Error(server.Position, $"the slow start of {server.Host} needs a time, and a method by which servers take turns"));
            if (server.Service is not null && (!server.Resolve || IPAddress.TryParse(server.Host, out _)))
                errors.Add(Error(server.Position, $"the service of {server.Host} needs a name, and that it is resolved while Ferry runs"));
            if (server.Weight < 1)
                errors.Add(Error(server.Position, $"the weight of {server.Host} is {server.Weight}; the least is 1"));
            if (server.Port is < 1 or > IPEndPoint.MaxPort)
                errors.Add(Error(server.Position, $"the port of {server.Host} is {server.Port}; ports are 1-65535"));
            if (server.MaxConnections < 0 || server.MaxFails < 0 || server.FailTimeout < TimeSpan.Zero)
                errors.Add(Error(server.Position, $"a limit of {server.Host} is negative; 0 turns a limit off"));
        }
    }

    private static ConfigDiagnostic Error(ConfigPosition position, string message) => new(ConfigSeverity.Error, position, 1, message, null);
}
