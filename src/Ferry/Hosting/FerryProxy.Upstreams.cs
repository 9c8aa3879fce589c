using System.Collections.Immutable;
using System.Linq;
using Ferry.Config;
using Ferry.Upstreams;

namespace Ferry.Hosting;

/// <summary>Servers that are changed without a reload.</summary>
public sealed partial class FerryProxy
{
    /// <summary>The upstreams and their servers at this moment; a change of them is seen at once.</summary>
    public ImmutableArray<UpstreamStatus> Upstreams
    {
        get
        {
            var now = _parts.Time.GetTimestamp();
            return [.. (_current?.Groups ?? []).Select(g => new UpstreamStatus(g.Name, [.. g.Servers.Select(s => StatusOf(s, now))], g.Line.Count))];
        }
    }

    /// <summary>Adds a server to an upstream. It begins slowly where it has a <c>slow_start</c>.</summary>
    /// <param name="upstream">The upstream's name.</param>
    /// <param name="server">The server as a <c>server</c> line of the configuration has it, without that word: <c>192.0.2.1:21 weight=2</c>.</param>
    /// <param name="ct">Gives up; nothing has changed then.</param>
    public async Task<UpstreamChangeResult> AddUpstreamServerAsync(string upstream, string server, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(upstream);
        ArgumentNullException.ThrowIfNull(server);
        var (config, fault) = UpstreamState.ParseLine(server, upstream);
        if (config is null)
            return new(UpstreamChangeStatus.Invalid, fault!);
        if (FindGroup(upstream) is not { } group)
            return NoGroup(upstream);
        // Before anything is held: names may take their time.
        var answer = await group.FindAsync(config, GenerationBuilder.Resolve, ct).ConfigureAwait(false);
        if (answer is { Failure: { } failure } && !config.Resolve)
            return new(UpstreamChangeStatus.Invalid, failure);
        return await ChangeUpstreamAsync(upstream, UpstreamGroup.Add(config, answer), ct).ConfigureAwait(false);
    }

    /// <summary>Removes a server from an upstream. Its sessions go on to their end.</summary>
    /// <param name="upstream">The upstream's name.</param>
    /// <param name="server">The server, as it is written in its line or by address and port.</param>
    /// <param name="ct">Gives up; nothing has changed then.</param>
    public Task<UpstreamChangeResult> RemoveUpstreamServerAsync(string upstream, string server, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(upstream);
        ArgumentNullException.ThrowIfNull(server);
        return ChangeUpstreamAsync(upstream, UpstreamGroup.Remove(server), ct);
    }

    /// <summary>Changes a server of an upstream: puts it up, drains it or puts it down, and sets its weight and its limit. Its sessions go on.</summary>
    /// <param name="upstream">The upstream's name.</param>
    /// <param name="server">The server, as it is written in its line or by address and port. All addresses of a name are changed.</param>
    /// <param name="change">What is to become of it.</param>
    /// <param name="ct">Gives up; nothing has changed then.</param>
    public async Task<UpstreamChangeResult> ChangeUpstreamServerAsync(string upstream, string server, UpstreamServerChange change, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(upstream);
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(change);
        return UpstreamGroup.Fault(change) is { } fault
            ? new(UpstreamChangeStatus.Invalid, fault)
            : await ChangeUpstreamAsync(upstream, UpstreamGroup.Change(server, change), ct).ConfigureAwait(false);
    }

    private async Task<UpstreamChangeResult> ChangeUpstreamAsync(string upstream, LinesChange change, CancellationToken ct)
    {
        await _changing.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_stopping || FindGroup(upstream) is not { } group)
                return NoGroup(upstream);
            var path = group.StateFile;
            var result = group.TryChange(change, path is null ? null : servers => UpstreamState.TryWrite(path, servers));
            if (result.Status != UpstreamChangeStatus.Done)
                return result;
            // Sessions that are still to choose belong to older generations too; these may not have such a server.
            foreach (var other in _living.SelectMany(g => g.Groups).Where(g => g.Name == upstream && g != group))
                other.TryChange(change, null);
            group.SayChanged(result.Message);
            return result;
        }
        finally
        {
            _changing.Release();
        }
    }

    private UpstreamGroup? FindGroup(string upstream) => _current?.Groups.FirstOrDefault(g => g.Name == upstream);

    private UpstreamChangeResult NoGroup(string upstream) => _stopping || _current is not { } current
        ? new(UpstreamChangeStatus.NotRunning, "the proxy is not running")
        : new(UpstreamChangeStatus.UnknownUpstream, $"there is no upstream {ConfigFindings.Show(upstream)}{Spelling.DidYouMean(upstream, current.Groups.Select(g => g.Name))}");

    private static UpstreamServerStatus StatusOf(UpstreamServer server, long now) =>
        new(server.Name, server.IsAvailable(now), server.Sessions, server.TotalSessions, server.Failures)
        {
            State = server.StateAt(now),
            Config = server.Config,
            EndPoint = server.EndPoint,
            Checks = StatusOf(server.Health),
            CheckFailure = server.HealthFailure,
            AgentAnswer = server.AgentAnswer,
        };

    private static ServerCheckStatus StatusOf(HealthStatus? health) => health switch
    {
        null => ServerCheckStatus.Off,
        HealthStatus.Up => ServerCheckStatus.Up,
        HealthStatus.Down => ServerCheckStatus.Down,
        _ => ServerCheckStatus.Unknown,
    };
}
