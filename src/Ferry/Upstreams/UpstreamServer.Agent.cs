using Ferry.Config;
using Microsoft.Extensions.Logging;

namespace Ferry.Upstreams;

// What its agent says of the server. It is kept apart from the configuration, from what is changed by hand and from what checks find: new sessions need the
// leave of all four, and each takes back only what it has said itself.
internal sealed partial class UpstreamServer
{
    /// <summary>HAProxy's greatest weight, which an agent cannot go beyond, unless the configuration has.</summary>
    private const int MostAgentWeight = 256;

    private readonly bool _hasAgent;
    private readonly ServerAgent _agent;

    /// <summary>What its agent said last; null where it has none, or that has not answered yet.</summary>
    public string? AgentAnswer => _hasAgent ? Volatile.Read(ref _agent.Answer) : null;

    /// <summary>The weight with the agent's share of it, in hundredths of a unit; never 0.</summary>
    internal long Hundredths => !_hasAgent ? Config.Weight * 100L
        : Math.Min(Config.Weight * (long)_agent.Percent, 100L * Math.Max(MostAgentWeight, Config.Weight));

    /// <summary>What an agent has said of it, where <paramref name="check"/> asks that agent the same; null: nothing that is still of use.</summary>
    internal ServerAgent? SaidTo(AgentCheckConfig? check) =>
        check is not null && _check?.Agent is { } mine && mine with { Interval = check.Interval } == check ? _agent : null;

    /// <summary>Whether its agent wants no new sessions. Under the lock.</summary>
    internal bool IsWithdrawnByAgent => _hasAgent && _agent.IsWithdrawn;

    private bool IsOutByAgent => _hasAgent && _agent.IsOut;

    private bool IsInMaintenance => _hasAgent && _agent.Mode == AgentMode.Maint;

    private int MaxConnections => (_hasAgent ? _agent.MaxConnections : null) ?? Config.MaxConnections;

    /// <summary>Takes the turn to ask its agent, which <see cref="EndAsking"/> gives back.</summary>
    /// <param name="now">A time stamp of the group's clock; up to half a second early is not early.</param>
    public bool TryBeginAsking(long now)
    {
        lock (_gate)
        {
            if (!_hasAgent || Config.Down || _agent.IsBeingAsked || now + _time.TimestampFrequency / 2 < _agent.DueAt)
                return false;
            return _agent.IsBeingAsked = true;
        }
    }

    /// <summary>Its agent has been asked.</summary>
    /// <param name="result">What came of it.</param>
    /// <param name="dueAt">Time stamp of the moment from which it may be asked again.</param>
    public void EndAsking(AgentResult result, long dueAt)
    {
        bool wasSilent, wasStrange, wasOut, isOut, isEmpty, isChanged;
        var agent = _agent;
        lock (_gate)
        {
            agent.IsBeingAsked = false;
            agent.DueAt = dueAt;
            if (result.IsVoid)
                return;
            (wasSilent, wasStrange, wasOut) = (agent.IsSilent, agent.IsStrange, agent.IsOut);
            agent.IsSilent = result.Answer is null;
            agent.IsStrange = result.Answer is { Unknown: not null };
            (isChanged, isEmpty) = result.Answer is { } answer ? Take(agent, answer) : (false, false);
            isOut = agent.IsOut;
        }
        if (isChanged)
            _line.Advance();
        if (result.Answer is { } said)
            Say(said, wasSilent, wasStrange, wasOut, isOut, isChanged);
        else if (!wasSilent)
            Log.AgentSilent(_logger, _group, Name, result.Failure!);
        if (isEmpty)
            SayEmpty();
    }

    /// <summary>Under the lock.</summary>
    /// <returns>Whether anything is another now, and whether the server is out of use and empty from now on.</returns>
    private (bool IsChanged, bool IsEmpty) Take(ServerAgent agent, AgentAnswer answer)
    {
        var before = (agent.Percent, agent.IsAtZero, agent.MaxConnections, agent.Mode, agent.IsDown);
        var (wasOut, wasWithdrawn) = (agent.IsOut, agent.IsWithdrawn);
        agent.Take(answer);
        if (before == (agent.Percent, agent.IsAtZero, agent.MaxConnections, agent.Mode, agent.IsDown))
            return (false, false);
        _changes.Standing++;
        if (before.Percent != agent.Percent)
            _changes.Weights++;
        if (wasOut && !agent.IsOut)
            BeginSlowStart();
        // Of one that is withdrawn by another too, nothing is news.
        if (wasWithdrawn == agent.IsWithdrawn || Config.Down || Config.Drain || _standing.IsWithdrawn)
            return (true, false);
        _tally.IsDraining = agent.IsWithdrawn;
        return (true, agent.IsWithdrawn && _tally.Sessions == 0);
    }

    private void Say(AgentAnswer answer, bool wasSilent, bool wasStrange, bool wasOut, bool isOut, bool isChanged)
    {
        if (wasSilent)
            Log.AgentAnswers(_logger, _group, Name);
        if (answer.Unknown is { } word && !wasStrange)
            Log.AgentStrange(_logger, _group, Name, word);
        if (isOut && !wasOut)
            Log.AgentOut(_logger, _group, Name, answer.Text);
        else if (wasOut && !isOut)
            Log.AgentIn(_logger, _group, Name, answer.Text);
        else if (isChanged)
            Log.AgentSays(_logger, _group, Name, answer.Text);
    }

    private static partial class Log
    {
        [LoggerMessage(348, LogLevel.Warning, "upstream \"{Upstream}\": the agent of server {Server} does not answer, and what it said last stays in force: {Reason}")]
        public static partial void AgentSilent(ILogger logger, string upstream, string server, string reason);

        [LoggerMessage(349, LogLevel.Information, "upstream \"{Upstream}\": the agent of server {Server} answers again")]
        public static partial void AgentAnswers(ILogger logger, string upstream, string server);

        [LoggerMessage(350, LogLevel.Warning, "upstream \"{Upstream}\": the agent of server {Server} has a word that means nothing, and is passed over: {Word}")]
        public static partial void AgentStrange(ILogger logger, string upstream, string server, string word);

        [LoggerMessage(351, LogLevel.Warning, "upstream \"{Upstream}\": server {Server} gets no new sessions by the word of its agent: {Answer}")]
        public static partial void AgentOut(ILogger logger, string upstream, string server, string answer);

        [LoggerMessage(352, LogLevel.Information, "upstream \"{Upstream}\": server {Server} is let in again by its agent: {Answer}")]
        public static partial void AgentIn(ILogger logger, string upstream, string server, string answer);

        [LoggerMessage(353, LogLevel.Debug, "upstream \"{Upstream}\": the agent of server {Server} says: {Answer}")]
        public static partial void AgentSays(ILogger logger, string upstream, string server, string answer);
    }
}
