using System.Text;
using System.Text.RegularExpressions;
using Ferry.Config;

namespace Ferry.Upstreams;

/// <summary>A <c>match</c> block, ready for use.</summary>
internal sealed class MatchExpectation
{
    /// <summary>So much is looked at, and again with each piece that comes: enough for any greeting, and no work worth speaking of where a server sends it byte by byte.</summary>
    public const int MostBytes = 4096;

    private readonly byte[]? _text;
    private readonly Regex? _regex;

    private MatchExpectation(HealthMatchConfig match, byte[] send, byte[]? text, Regex? regex) => (Name, Send, _text, _regex) = ($"match {match.Name}", send, text, regex);

    /// <summary>What it is called in messages.</summary>
    public string Name { get; }

    /// <summary>What is sent.</summary>
    public byte[] Send { get; }

    /// <summary>Makes it.</summary>
    /// <returns>Null where the record has a mistake that the parser would have found.</returns>
    public static MatchExpectation? TryCreate(HealthMatchConfig match)
    {
        var send = MatchText.Decode(match.Send ?? "");
        byte[]? text = null;
        Regex? regex = null;
        if (match.Expect is not null && match.Kind == HealthExpectation.Text)
            text = MatchText.Decode(match.Expect);
        else if (match.Expect is not null)
            regex = MapRegex.TryCreate(MatchText.OverBytes(match.Expect), match.Kind == HealthExpectation.RegexIgnoreCase, out _);
        return send is null || (match.Expect is not null && text is null && regex is null) ? null : new MatchExpectation(match, send, text, regex);
    }

    /// <summary>Whether what has come so far is enough.</summary>
    public bool IsMet(ReadOnlySpan<byte> received)
    {
        if (received.Length > MostBytes)
            received = received[..MostBytes];
        return _text is not null ? received.IndexOf(_text) >= 0
            : _regex is null || (!received.IsEmpty && _regex.IsMatch(Encoding.Latin1.GetString(received)));
    }
}
