using System.Linq;
using System.Text;

namespace Ferry.Config;

/// <summary>What becomes of sessions while servers are full, gone, or on their way back.</summary>
internal sealed partial class ConfigBinder
{
    /// <summary>Each holds two sockets' worth of memory while it waits; more than this are a flood, not a queue.</summary>
    private const int MostWaiting = 1_000_000;

    /// <summary>RFC 959 has no bound; clients read lines of 512 bytes at least.</summary>
    private const int LongestSorry = 500;

    private static readonly TimeSpan DefaultQueueTimeout = TimeSpan.FromSeconds(60);

    public void SetQueue(ConfigNode node)
    {
        if (_upstream is null)
            return;
        if (Integer("queue", node.Arguments[0], 1, MostWaiting, out var length))
            _upstream.QueueLength = length;
        if (node.Arguments is not [_, var word])
            return;
        var (key, value) = Cut(word.Text);
        if (key != "timeout" || value is null)
            findings.Error(word, $"unknown parameter {ConfigFindings.Show(word.Text)} of \"queue\"{Spelling.DidYouMean(key, ["timeout"])}");
        else if (Time(node, word.Part(key.Length + 1), zero: false, out var time))
            _upstream.QueueTimeout = time;
    }

    public void SetSorry(ConfigNode node)
    {
        var word = node.Arguments[0];
        if (!IsSorry(word.Text))
            findings.Error(word, $"\"ftp_sorry\" needs a reply that turns clients away, in quotes: a code of 4xx or 5xx, a space and a text on one line, {LongestSorry} bytes at most, such as \"421 Come back later.\"");
        else if (_upstream is not null)
            _upstream.Sorry = word.Text;
        else
            Scope.Sorry = word.Text;
    }

    private UpstreamServerConfig SlowStart(UpstreamServerConfig server, ConfigToken argument, ConfigToken word)
    {
        if (!ConfigValue.TryTime(word.Text, out var time))
        {
            findings.Error(word, $"\"slow_start=\" needs a time such as 30s, not {ConfigFindings.Show(word.Text)}");
            return server;
        }
        if (time > TimeSpan.Zero)
            _upstream?.SlowStartWords.Add(argument);
        return server with { SlowStart = time };
    }

    /// <summary>Whether a text is one whole reply of RFC 959 that ends a session's hopes.</summary>
    internal static bool IsSorry(string text) =>
        text.Length > 4 && text[0] is '4' or '5' && text[1] is >= '0' and <= '5' && char.IsAsciiDigit(text[2]) && text[3] == ' '
        && !text.Any(char.IsControl) && Encoding.UTF8.GetByteCount(text) <= LongestSorry;
}
