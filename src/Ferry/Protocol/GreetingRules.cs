namespace Ferry.Protocol;

/// <summary>What a <see cref="ControlEngine"/> says in place of a server.</summary>
internal sealed record GreetingRules
{
    /// <summary>The server greets, and says of itself what it likes.</summary>
    public static GreetingRules None { get; } = new();

    /// <summary>There is no server until the client has said USER, nor after REIN.</summary>
    public bool ChoosesAtUser { get; init; }

    /// <summary>The text of the 220; null: the server's, or a plain one where there is none to be shown.</summary>
    public string? Greeting { get; init; }

    /// <summary>What tells the server's software is replaced.</summary>
    public bool HidesServer { get; init; }
}
