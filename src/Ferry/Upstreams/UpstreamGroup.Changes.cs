using System.Linq;
using System.Net;
using Ferry.Config;
using Microsoft.Extensions.Logging;

namespace Ferry.Upstreams;

/// <summary>A change of a group's lines, in place.</summary>
internal delegate UpstreamChangeResult LinesChange(UpstreamGroup group, List<GroupLine> lines);

/// <summary>Servers that are added, removed, or changed by hand while the group is at work.</summary>
internal sealed partial class UpstreamGroup
{
    /// <summary>Lines that a group has at most when more are added; far beyond what is run.</summary>
    private const int MostLines = 10_000;

    private const int MostWeight = 65_535;

    private bool _isChanged;

    /// <summary>Adds a server.</summary>
    public static LinesChange Add(UpstreamServerConfig server, LineAnswer? answer) => (group, lines) =>
    {
        if (lines.Exists(l => IsCalled(l.Config, server.Text ?? server.Host) || GroupLine.AskAlike(l.Config, server)))
            return new(UpstreamChangeStatus.Duplicate, $"upstream \"{group.Name}\" has the server {NameOfLine(server)} already");
        if (lines.Count >= MostLines)
            return new(UpstreamChangeStatus.Invalid, $"upstream \"{group.Name}\" has {MostLines} servers, and no more are added");
        var line = new GroupLine(server, answer?.Places ?? [new ServerPlace(server, new IPEndPoint(IPAddress.Parse(server.Host), server.Port), false)]);
        if (answer is not null)
            line.DueAt = group.Time.GetTimestamp() + Wait(answer, line, group.Time);
        lines.Add(line);
        return new(UpstreamChangeStatus.Done, $"server {NameOfLine(server)} is added");
    };

    /// <summary>Removes a server; its sessions go on.</summary>
    public static LinesChange Remove(string server) => (group, lines) =>
    {
        var left = lines.Where(l => !IsCalled(l.Config, server)).ToList();
        if (left.Count == lines.Count)
            return Unknown(group, server);
        if (left.TrueForAll(l => l.Config.Backup))
            return new(UpstreamChangeStatus.LastServer, $"{server} is the last server of upstream \"{group.Name}\" that is no backup; add another first, or drain it");
        lines.Clear();
        lines.AddRange(left);
        return new(UpstreamChangeStatus.Done, $"server {server} is removed");
    };

    /// <summary>Changes a server.</summary>
    public static LinesChange Change(string server, UpstreamServerChange change) => (group, lines) =>
    {
        var isFound = false;
        for (var i = 0; i < lines.Count; i++)
        {
            if (!IsCalled(lines[i].Config, server))
                continue;
            isFound = true;
            var config = lines[i].Config;
            lines[i] = lines[i].With(config with
            {
                Down = change.Mode is { } mode ? mode == UpstreamServerMode.Down : config.Down,
                Drain = change.Mode is { } other ? other == UpstreamServerMode.Drain : config.Drain,
                Weight = change.Weight ?? config.Weight,
                MaxConnections = change.MaxConnections ?? config.MaxConnections,
            });
        }
        return isFound ? new(UpstreamChangeStatus.Done, $"server {server} is changed: {Words(change)}") : Unknown(group, server);
    };

    /// <summary>What is wrong with a change in itself; null where nothing is.</summary>
    public static string? Fault(UpstreamServerChange change) =>
        change is { Mode: null, Weight: null, MaxConnections: null } ? "nothing is to be changed"
        : change.Mode is not (null or UpstreamServerMode.Up or UpstreamServerMode.Drain or UpstreamServerMode.Down) ? "a server is up, drain or down"
        : change.Weight is < 1 or > MostWeight ? $"the weight is a number from 1 to {MostWeight}"
        : change.MaxConnections < 0 ? "the most sessions are a number of at least 0; 0 is no limit"
        : null;

    /// <summary>The addresses of a server that is to be added; null for one that is written as an address.</summary>
    public async Task<LineAnswer?> FindAsync(UpstreamServerConfig server, Func<string, CancellationToken, Task<IPAddress[]>> resolve, CancellationToken ct)
    {
        if (IPAddress.TryParse(server.Host, out _))
            return null;
        if (server.Resolve)
            return await _find(server, ct).ConfigureAwait(false);
        List<ConfigDiagnostic> errors = [];
        var places = await ServerAddresses.ResolveAsync([server], resolve, Time, errors, ct).ConfigureAwait(false);
        return new LineAnswer([.. places], TimeSpan.Zero, errors.FirstOrDefault()?.Message);
    }

    /// <summary>Changes the lines.</summary>
    /// <param name="change">The change.</param>
    /// <param name="save">Keeps the lines; tells why it cannot. Null: they are not kept.</param>
    public UpstreamChangeResult TryChange(LinesChange change, Func<IEnumerable<UpstreamServerConfig>, string?>? save)
    {
        List<UpstreamServer> empty;
        UpstreamChangeResult result;
        lock (_changing)
        {
            var lines = _lines.ToList();
            result = change(this, lines);
            if (result.Status != UpstreamChangeStatus.Done)
                return result;
            List<ConfigDiagnostic> errors = [];
            var config = _config with { Servers = [.. lines.Select(l => l.Config)] };
            CheckServers(config, errors);
            if (_config.Balance is BalanceMethod.Hash or BalanceMethod.ConsistentHash && config.Servers.Any(s => s.Backup))
                return new(UpstreamChangeStatus.Invalid, $"upstream \"{Name}\" chooses by a hash, which does not support \"backup\"");
            if (errors.Select(e => e.Message).Append(Overweight(config, [.. lines])).FirstOrDefault(m => m is not null) is { } wrong)
                return new(UpstreamChangeStatus.Invalid, wrong);
            if (save?.Invoke(config.Servers) is { } unsaved)
                return new(UpstreamChangeStatus.NotSaved, unsaved);
            _lines = [.. lines];
            _isChanged |= StateFile is null;
            empty = Rebuild();
        }
        empty.ForEach(static s => s.SayEmpty());
        Line.Advance();
        return result;
    }

    public void SayChanged(string what) => Log.Changed(_logger, Name, what);

    private static UpstreamChangeResult Unknown(UpstreamGroup group, string server) =>
        new(UpstreamChangeStatus.UnknownServer, $"upstream \"{group.Name}\" has no server {server}{Spelling.DidYouMean(server, group._lines.Select(l => NameOfLine(l.Config)))}");

    /// <summary>By what was written, or by address and port.</summary>
    private static bool IsCalled(UpstreamServerConfig line, string server) =>
        server.Equals(line.Text, StringComparison.OrdinalIgnoreCase) || server.Equals(KetamaRing.TextOf(line with { Text = null }), StringComparison.OrdinalIgnoreCase);

    private static string NameOfLine(UpstreamServerConfig line) => KetamaRing.TextOf(line);

    private static string Words(UpstreamServerChange change)
    {
        List<string> words = [];
        if (change.Mode is { } mode)
            words.Add(mode switch { UpstreamServerMode.Drain => "drain", UpstreamServerMode.Down => "down", _ => "up" });
        if (change.Weight is { } weight)
            words.Add($"weight={weight}");
        if (change.MaxConnections is { } most)
            words.Add($"max_conns={most}");
        return string.Join(", ", words);
    }

    private static partial class Log
    {
        [LoggerMessage(326, LogLevel.Information, "upstream \"{Upstream}\": {What}")]
        public static partial void Changed(ILogger logger, string upstream, string what);

        [LoggerMessage(327, LogLevel.Warning, "upstream \"{Upstream}\": the reload takes back what was changed while Ferry ran; a \"state\" file would keep it")]
        public static partial void ChangesLost(ILogger logger, string upstream);
    }
}
