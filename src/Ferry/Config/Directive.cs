namespace Ferry.Config;

/// <summary>The blocks that a directive may stand in.</summary>
[Flags]
internal enum ConfigContexts
{
    None = 0,
    Main = 1,
    Events = 2,
    Stream = 4,
    Server = 8,
    Upstream = 16,

    /// <summary>The lines of <c>map</c>, <c>split_clients</c> and <c>geo</c>, which are no directives.</summary>
    Lines = 32,

    Match = 64,
}

/// <summary>What Ferry does with a directive.</summary>
internal enum DirectiveStatus
{
    /// <summary>It does what its section says.</summary>
    Supported,

    /// <summary>Accepted with one note, because files of nginx and OpenNJet have it.</summary>
    NoMeaning,

    /// <summary>An error, so that nobody believes that it works.</summary>
    NotYet,
}

/// <summary>A row of the <see cref="DirectiveTable"/>.</summary>
internal sealed record Directive(string Name, ConfigContexts Contexts, string Syntax, string Default, string Summary)
{
    public const int Many = int.MaxValue;

    public DirectiveStatus Status { get; init; }

    public int MinArguments { get; init; } = 1;

    public int MaxArguments { get; init; } = 1;

    /// <summary>Whether braces follow.</summary>
    public bool IsBlock { get; init; }

    /// <summary>The context inside its braces; none: what is inside is not looked at.</summary>
    public ConfigContexts Opens { get; init; }

    /// <summary>Whether it may stand in one block more than once.</summary>
    public bool Repeats { get; init; }

    /// <summary>Whether only the <c>ftp_ctrl</c> server heeds it; in an <c>ftp_data</c> server it gets a note.</summary>
    public bool ControlOnly { get; init; }

    /// <summary>Whether it speaks of TLS, so that the checks of TLS look at it.</summary>
    public bool IsTls { get; init; }

    /// <summary>Why it has no meaning here, or what to do until it is supported; null where there is nothing to add.</summary>
    public string? Reason { get; init; }

    /// <summary>What is said instead of "not supported yet" where it never will be.</summary>
    public string? Refusal { get; init; }

    /// <summary>An argument with which a directive that is not supported yet asks for nothing, and is accepted.</summary>
    public string? Neutral { get; init; }

    /// <summary>Takes the values over; null where there is nothing to take.</summary>
    public Action<ConfigBinder, ConfigNode>? Set { get; init; }

    /// <summary>The contexts as people write them.</summary>
    public string ContextNames => Names(Contexts);

    public static string Names(ConfigContexts contexts)
    {
        List<string> names = [];
        foreach (var context in new[] { ConfigContexts.Main, ConfigContexts.Events, ConfigContexts.Stream, ConfigContexts.Server, ConfigContexts.Upstream, ConfigContexts.Match })
        {
            if (contexts.HasFlag(context))
                names.Add(NameOf(context));
        }
        return string.Join(", ", names);
    }

    public static string NameOf(ConfigContexts context) => context switch
    {
        ConfigContexts.Main => "main",
        ConfigContexts.Events => "events",
        ConfigContexts.Stream => "stream",
        ConfigContexts.Server => "server",
        ConfigContexts.Upstream => "upstream",
        ConfigContexts.Match => "match",
        _ => "nowhere",
    };
}
