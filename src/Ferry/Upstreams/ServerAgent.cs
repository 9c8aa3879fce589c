namespace Ferry.Upstreams;

/// <summary>What its agent has said of a server, over reloads that leave the agent what it was. Written under the lock of its group.</summary>
/// <param name="now">When it is to be asked first.</param>
internal sealed class ServerAgent(long now)
{
    /// <summary>The share of the server's own weight; the last one that was not 0, so that balancers have a weight for a server that is away.</summary>
    public int Percent = 100;

    /// <summary>The share is 0.</summary>
    public bool IsAtZero;

    /// <summary>The most sessions; null: as the server's line says.</summary>
    public int? MaxConnections;

    public AgentMode Mode;

    public bool IsDown;

    /// <summary>What it said last, for people; null: nothing yet.</summary>
    public string? Answer;

    /// <summary>Time stamp of the moment from which it may be asked again.</summary>
    public long DueAt = now;

    /// <summary>It is being asked, by whichever generation.</summary>
    public bool IsBeingAsked;

    /// <summary>It did not answer when it was asked last, which has been told.</summary>
    public bool IsSilent;

    /// <summary>It said what nobody understands, which has been told.</summary>
    public bool IsStrange;

    /// <summary>It wants no new sessions.</summary>
    public bool IsWithdrawn => Mode != AgentMode.Ready || IsAtZero;

    /// <summary>It is to get none.</summary>
    public bool IsOut => IsWithdrawn || IsDown;

    /// <summary>Takes an answer over.</summary>
    public void Take(AgentAnswer answer)
    {
        if (answer.Percent is { } percent)
        {
            IsAtZero = percent == 0;
            Percent = IsAtZero ? Percent : percent;
        }
        MaxConnections = answer.MaxConnections ?? MaxConnections;
        Mode = answer.Mode ?? Mode;
        IsDown = answer.IsUp is { } isUp ? !isUp : IsDown;
        Answer = answer.Text;
    }
}
