using System.Linq;
using Microsoft.Extensions.Logging;

namespace Ferry.Upstreams;

/// <summary>What changes while the group is at work.</summary>
internal sealed partial class UpstreamGroup
{
    /// <summary>Most sessions that wait for a place; 0: none does.</summary>
    public int QueueLength => _config.QueueLength;

    /// <summary>How long each waits at most.</summary>
    public TimeSpan QueueTimeout => _config.QueueTimeout;

    /// <summary>What a client is told when no server can be had; null: what the server block says.</summary>
    public string? Sorry => _config.Sorry;

    /// <summary>Where its servers are kept; null: nowhere.</summary>
    public string? StateFile => _config.StateFile;

    internal WaitingLine Line { get; }

    private volatile UpstreamGroup? _successor;

    /// <summary>The group as the configuration in force has it. Sessions of older generations that wait for a place wait for its servers.</summary>
    internal UpstreamGroup Newest
    {
        get
        {
            var group = this;
            while (group._successor is { } successor)
                group = successor;
            return group;
        }
    }

    /// <summary>The group's generation is in force: from now on its word counts for the servers that it shares with the one before.</summary>
    public void EnterForce(UpstreamGroup? previous)
    {
        List<UpstreamServer> empty = [];
        lock (Gate)
        {
            var here = Servers.Select(s => s.Tally).ToHashSet();
            foreach (var server in Servers)
                NoteUse(server, server.Config is not { Down: false, Drain: false } || server.IsWithdrawnByAgent, empty);
            previous?._successor = this;
            foreach (var gone in previous?.Servers.Where(s => !here.Contains(s.Tally)) ?? [])
                NoteUse(gone, true, empty);
        }
        // Of a server that was never used nobody waits to hear.
        foreach (var server in empty.Where(s => s.TotalSessions > 0))
            server.SayEmpty();
        if (previous is { _isChanged: true })
            Log.ChangesLost(_logger, Name);
        Line.Advance();
    }

    /// <summary>Does what is due with time alone: servers that have failed are tried again, names are resolved anew. About once a second.</summary>
    public void Sweep(long now)
    {
        Line.Advance();
        RenewNames(now);
        RenewWeights();
    }

    internal void SayQueueFull() => Log.QueueFull(_logger, Name, QueueLength);

    /// <summary>Notes whether a server is being emptied. Under the lock.</summary>
    private static void NoteUse(UpstreamServer server, bool isDraining, List<UpstreamServer> empty)
    {
        if (server.Tally.IsDraining == isDraining)
            return;
        server.Tally.IsDraining = isDraining;
        if (!isDraining)
            server.BeginSlowStart();
        else if (server.Sessions == 0)
            empty.Add(server);
    }

    private static partial class Log
    {
        [LoggerMessage(321, LogLevel.Warning, "upstream \"{Upstream}\": {Sessions} sessions wait for a place already, as many as its queue holds; a client is turned away")]
        public static partial void QueueFull(ILogger logger, string upstream, int sessions);
    }
}
