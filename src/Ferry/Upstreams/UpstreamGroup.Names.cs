using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Linq;
using System.Net;
using Ferry.Config;
using Microsoft.Extensions.Logging;

namespace Ferry.Upstreams;

/// <summary>Names that are resolved while the group is at work.</summary>
internal sealed partial class UpstreamGroup
{
    private const int QuestionsAtATime = 8;

    /// <summary>A name that cannot be resolved, or has no address, is asked for again after this.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _questions = new(QuestionsAtATime);
    private readonly CancellationTokenSource _retired = new();

    /// <summary>The group's last session has ended: names are resolved no more.</summary>
    public void Retire() => _retired.Cancel();

    /// <summary>Makes the lines of a block. A name with <c>resolve</c> that cannot be resolved keeps what the group before knew of it, or begins with nothing.</summary>
    private static async Task<ImmutableArray<GroupLine>> MakeLinesAsync(
        ImmutableArray<UpstreamServerConfig> servers,
        Func<string, CancellationToken, Task<IPAddress[]>> resolve,
        FindPlaces find,
        TimeProvider time,
        UpstreamGroup? previous,
        List<ConfigDiagnostic> errors,
        List<ConfigDiagnostic> warnings,
        CancellationToken ct)
    {
        var known = new Dictionary<UpstreamServerConfig, List<ServerPlace>>(ReferenceEqualityComparer.Instance);
        foreach (var place in await ServerAddresses.ResolveAsync([.. servers.Where(s => !IsWatched(s))], resolve, time, errors, ct).ConfigureAwait(false))
        {
            if (!known.TryGetValue(place.Config, out var places))
                known.Add(place.Config, places = []);
            places.Add(place);
        }
        var answers = new ConcurrentDictionary<int, LineAnswer>();
        var options = new ParallelOptions { MaxDegreeOfParallelism = QuestionsAtATime, CancellationToken = ct };
        await Parallel.ForEachAsync(Enumerable.Range(0, servers.Length).Where(i => IsWatched(servers[i])), options, async (i, token) =>
            answers[i] = await find(servers[i], token).ConfigureAwait(false)).ConfigureAwait(false);
        var lines = ImmutableArray.CreateBuilder<GroupLine>(servers.Length);
        for (var i = 0; i < servers.Length; i++)
        {
            var line = new GroupLine(servers[i], known.TryGetValue(servers[i], out var places) ? [.. places] : []);
            lines.Add(answers.TryGetValue(i, out var answer) ? Begin(line, answer, time, previous, warnings) : line);
        }
        return lines.MoveToImmutable();

        static bool IsWatched(UpstreamServerConfig server) => new GroupLine(server, []).IsWatched;
    }

    private static GroupLine Begin(GroupLine line, LineAnswer answer, TimeProvider time, UpstreamGroup? previous, List<ConfigDiagnostic> warnings)
    {
        var before = previous?._lines.FirstOrDefault(l => GroupLine.AskAlike(l.Config, line.Config))?.With(line.Config).Places ?? [];
        var begun = line.With(answer.Failure is null ? answer.After(before) : before);
        begun.DueAt = time.GetTimestamp() + Wait(answer, begun, time);
        begun.HasFailed = begun.Places.IsEmpty;
        if (begun.Places.IsEmpty)
            warnings.Add(new ConfigDiagnostic(ConfigSeverity.Warning, line.Config.Position, Math.Max(1, KetamaRing.TextOf(line.Config).Length),
                $"{NameOf(line.Config)} cannot be resolved yet: {answer.Failure ?? "it has no address"}; it is asked for again while Ferry runs", line.Config.SourceLine));
        return begun;
    }

    private void RenewNames(long now)
    {
        foreach (var line in _lines)
        {
            if (!line.IsWatched || line.IsAsking || now < line.DueAt)
                continue;
            line.IsAsking = true;
            _ = RenewAsync(line);
        }
    }

    private async Task RenewAsync(GroupLine line)
    {
        try
        {
            await _questions.WaitAsync(_retired.Token).ConfigureAwait(false);
            try
            {
                Renew(line, await _find(line.Config, _retired.Token).ConfigureAwait(false));
            }
            finally
            {
                _questions.Release();
            }
        }
        catch (OperationCanceledException)
        {
            // The group is retired; nobody looks at the line any more.
        }
        catch (Exception e)
        {
            Log.RenewFailed(_logger, e, Name, NameOf(line.Config));
            line.DueAt = Time.GetTimestamp() + Ticks(RetryAfter, Time);
            line.IsAsking = false;
        }
    }

    private void Renew(GroupLine line, LineAnswer answer)
    {
        List<UpstreamServer> empty = [];
        var (before, after) = (line.Places, line.Places);
        string? failure;
        lock (_changing)
        {
            // A change of its line in the meantime has made another one of it, which asks for itself.
            if (_lines.IndexOf(line) is var at && at < 0)
                return;
            failure = answer.Failure;
            var renewed = failure is null ? line.With(answer.After(before)) : line;
            if (!LineAnswer.AreSame(renewed.Places, before))
            {
                var lines = _lines.SetItem(at, renewed);
                failure = Overweight(_config, lines);
                if (failure is null)
                {
                    (after, _lines) = (renewed.Places, lines);
                    empty = Rebuild();
                }
            }
            line = _lines[at];
            (line.DueAt, line.IsAsking) = (Time.GetTimestamp() + Wait(answer, line, Time), false);
        }
        SayRenewed(line, before, after, failure);
        empty.ForEach(static s => s.SayEmpty());
        Line.Advance();
    }

    /// <summary>A failure is told once, and then its end.</summary>
    private void SayRenewed(GroupLine line, ImmutableArray<ServerPlace> before, ImmutableArray<ServerPlace> after, string? failure)
    {
        var name = NameOf(line.Config);
        if (failure is not null && !line.HasFailed)
            Log.NotResolved(_logger, Name, name, failure, after.Length);
        else if (failure is null && after.IsEmpty && !before.IsEmpty)
            Log.NameGone(_logger, Name, name);
        else if (!LineAnswer.AreSame(before, after))
            Log.Resolved(_logger, Name, name, string.Join(", ", after.Select(p => p.EndPoint)));
        line.HasFailed = failure is not null;
    }

    private static long Wait(LineAnswer answer, GroupLine line, TimeProvider time) =>
        Ticks(answer.Failure is not null || (line.Places.IsEmpty && answer.Lifetime < RetryAfter) ? RetryAfter : answer.Lifetime, time);

    private static long Ticks(TimeSpan wait, TimeProvider time) => (long)(Math.Min(wait.TotalSeconds, TimeSpan.FromDays(1).TotalSeconds) * time.TimestampFrequency);

    private static string NameOf(UpstreamServerConfig line) => line.Service is { } service ? $"service {service} of {line.Host}" : $"name {line.Host}";

    private static partial class Log
    {
        [LoggerMessage(322, LogLevel.Information, "upstream \"{Upstream}\": {Name} has other addresses now: {Addresses}")]
        public static partial void Resolved(ILogger logger, string upstream, string name, string addresses);

        [LoggerMessage(323, LogLevel.Warning, "upstream \"{Upstream}\": {Name} cannot be resolved: {Reason}; its {Count} known address(es) stay in use")]
        public static partial void NotResolved(ILogger logger, string upstream, string name, string reason, int count);

        [LoggerMessage(324, LogLevel.Warning, "upstream \"{Upstream}\": {Name} does not exist any more, or has no address; its servers get no new sessions")]
        public static partial void NameGone(ILogger logger, string upstream, string name);

        [LoggerMessage(325, LogLevel.Error, "upstream \"{Upstream}\": resolving {Name} failed; this is a fault of Ferry's")]
        public static partial void RenewFailed(ILogger logger, Exception exception, string upstream, string name);
    }
}
