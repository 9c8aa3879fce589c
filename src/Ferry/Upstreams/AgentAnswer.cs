using System.Text;

namespace Ferry.Upstreams;

/// <summary>What an agent says of its server, in the words of HAProxy's agent-check. What it says nothing of stays as it is.</summary>
/// <remarks>
/// <code>
/// ready up 75% maxconn:30 # a reason, to the end of the line
/// </code>
/// Words in any order, in upper or lower case, with spaces, tabs and commas between them; of two that contradict each other the later counts.
/// </remarks>
internal readonly record struct AgentAnswer
{
    /// <summary>The longest line, with its end.</summary>
    public const int MostBytes = 1024;

    /// <summary>As HAProxy: whatever is beyond is taken for this.</summary>
    public const int MostPercent = 25_600;

    private const int LongestShown = 100;

    /// <summary>The share of the server's own weight, 0 to <see cref="MostPercent"/>.</summary>
    public int? Percent { get; init; }

    /// <summary>The most sessions; 0 is no limit.</summary>
    public int? MaxConnections { get; init; }

    /// <summary>What its administrator wants.</summary>
    public AgentMode? Mode { get; init; }

    /// <summary>Whether it works.</summary>
    public bool? IsUp { get; init; }

    /// <summary>The line as people may see it.</summary>
    public string Text { get; init; }

    /// <summary>A word that means nothing; null: all do.</summary>
    public string? Unknown { get; init; }

    /// <summary>Reads a line, without its end.</summary>
    public static AgentAnswer Parse(ReadOnlySpan<byte> line)
    {
        var text = Encoding.Latin1.GetString(line);
        var answer = new AgentAnswer { Text = Show(text) };
        if (text.IndexOf('#', StringComparison.Ordinal) is >= 0 and var reason)
            text = text[..reason];
        foreach (var word in text.Split([' ', '\t', ','], StringSplitOptions.RemoveEmptyEntries))
            answer = answer.With(word);
        return answer;
    }

    private AgentAnswer With(string word)
    {
        const string OfMaxConnections = "maxconn:";
        if (word.EndsWith('%') && Number(word.AsSpan(0, word.Length - 1)) is { } percent)
            return this with { Percent = Math.Min(percent, MostPercent) };
        if (word.StartsWith(OfMaxConnections, StringComparison.OrdinalIgnoreCase) && Number(word.AsSpan(OfMaxConnections.Length)) is { } most)
            return this with { MaxConnections = most };
        return word.ToLowerInvariant() switch
        {
            "ready" => this with { Mode = AgentMode.Ready },
            "drain" => this with { Mode = AgentMode.Drain },
            "maint" => this with { Mode = AgentMode.Maint },
            "up" => this with { IsUp = true },
            "down" or "fail" or "stopped" => this with { IsUp = false },
            _ => this with { Unknown = Unknown ?? Show(word) },
        };
    }

    /// <summary>Digits; a number that is too large is the largest.</summary>
    private static int? Number(ReadOnlySpan<char> digits)
    {
        if (digits.IsEmpty || digits.ContainsAnyExceptInRange('0', '9'))
            return null;
        return int.TryParse(digits, out var number) ? number : int.MaxValue;
    }

    private static string Show(string text)
    {
        var shown = new StringBuilder(Math.Min(text.Length, LongestShown));
        foreach (var c in text.AsSpan(0, Math.Min(text.Length, LongestShown)))
            shown.Append(c is >= ' ' and <= '~' ? c : '?');
        return shown.Append(text.Length > LongestShown ? "..." : "").ToString().Trim();
    }
}

/// <summary>What the administrator of a server wants.</summary>
internal enum AgentMode
{
    /// <summary>It is to be used.</summary>
    Ready,

    /// <summary>It gets no new sessions.</summary>
    Drain,

    /// <summary>It gets no new sessions, and is not checked.</summary>
    Maint,
}
