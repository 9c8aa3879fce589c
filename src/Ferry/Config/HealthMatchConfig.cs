namespace Ferry.Config;

/// <summary>A conversation of a check's own (<c>match</c>): what is sent, and what has to come.</summary>
/// <param name="Name">Its name.</param>
public sealed record HealthMatchConfig(string Name)
{
    /// <summary>What is sent (<c>send</c>), in UTF-8, with <c>\xHH</c> for a byte; null: nothing.</summary>
    public string? Send { get; init; }

    /// <summary>What has to come (<c>expect</c>); null: nothing.</summary>
    public string? Expect { get; init; }

    /// <summary>How it has to come.</summary>
    public HealthExpectation Kind { get; init; }

    /// <summary>Where the block begins, for messages.</summary>
    public ConfigPosition Position { get; init; } = new("(code)", 0, 0);
}

/// <summary>How an <see cref="HealthMatchConfig.Expect"/> is held against what comes.</summary>
public enum HealthExpectation
{
    /// <summary>As a text within it, in UTF-8, with <c>\xHH</c> for a byte.</summary>
    Text,

    /// <summary>As a regular expression (<c>~</c>), over bytes: a character outside of ASCII is those of its UTF-8.</summary>
    Regex,

    /// <summary>The same without regard to case (<c>~*</c>).</summary>
    RegexIgnoreCase,
}
