using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Ferry.Protocol;

namespace Ferry.Tests.Protocol;

/// <summary>
/// A conversation with the engine's decision beside each line.
/// <code>
///   # text                      a remark
///   client: IPv6                the client's family, IPv4 unless said
///   tls: Offered Match Private  the rules: ClientTlsOffer, UpstreamTlsMode, UpstreamDataRule, and ClearDataRefused where it is so; no TLS unless said
///   C: command   -> decision    the client's line; one that was told to wait, or had a command inserted ahead of it, is shown again as it stands
///   S: reply     -> decision    the server's line
///   F: reply                    an answer of Ferry's own whose turn has come
///   (event)      -> decision    lent, connected, refused, delivered, replaced, expired, client tls, client clear, server tls, server tls by ssl, server clear;
///                               or a check: in flight N, logged in, not logged in, must wait, data P/C (the client's, the server's)
///   \xHH, {N}                   a byte; N bytes of filling
/// </code>
/// </summary>
internal sealed partial class Transcript
{
    private readonly List<Line> _lines;

    private Transcript(List<Line> lines, AddressFamily family, TlsRules rules)
    {
        _lines = lines;
        Family = family;
        Rules = rules;
    }

    internal readonly record struct Line(int Number, char Kind, string Text, string Expected);

    public AddressFamily Family { get; }

    public TlsRules Rules { get; }

    public IReadOnlyList<Line> Lines => _lines;

    public static string Folder => Path.Combine(AppContext.BaseDirectory, "Protocol", "Transcripts");

    public static Transcript Read(string name)
    {
        var lines = new List<Line>();
        var family = AddressFamily.InterNetwork;
        var rules = TlsRules.None;
        var number = 0;
        foreach (var raw in File.ReadLines(Path.Combine(Folder, name)))
        {
            number++;
            if (raw.Length == 0 || raw[0] == '#')
                continue;
            if (raw == "client: IPv6")
            {
                family = AddressFamily.InterNetworkV6;
                continue;
            }
            if (raw.StartsWith("tls: ", StringComparison.Ordinal))
            {
                rules = RulesOf(raw.Split(' ')[1..]);
                continue;
            }
            var match = Pattern().Match(raw);
            if (!match.Success)
                throw new FormatException($"{name}:{number}: cannot be read: {raw}");
            var kind = match.Groups["kind"].Value is [var letter, ..] ? letter : 'F';
            lines.Add(new Line(number, kind, match.Groups["text"].Value, match.Groups["expected"].Value));
        }
        return new Transcript(lines, family, rules);
    }

    private static TlsRules RulesOf(string[] words) => new()
    {
        ClientOffer = Enum.Parse<ClientTlsOffer>(words[0]),
        UpstreamMode = Enum.Parse<UpstreamTlsMode>(words[1]),
        Protection = Enum.Parse<UpstreamDataRule>(words[2]),
        ClearDataRefused = words is [.., nameof(TlsRules.ClearDataRefused)],
    };

    /// <summary>The bytes of a line's text, without an end.</summary>
    public static byte[] Bytes(string text)
    {
        text = Filling().Replace(text, static m => new string('x', int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture)));
        text = Escape().Replace(text, static m => ((char)Convert.ToByte(m.Groups[1].Value, 16)).ToString());
        return Encoding.Latin1.GetBytes(text);
    }

    /// <summary>Plays the conversation.</summary>
    /// <returns>What was decided otherwise than written; null when nothing was.</returns>
    public string? Play()
    {
        var engine = new ControlEngine(Family, Rules);
        var verb = FtpVerb.Other;
        var answers = new Queue<string>();
        foreach (var line in _lines)
        {
            if (line.Kind is 'C' or 'S' && answers.TryPeek(out var untold))
                return $"line {line.Number}: before it, Ferry said: {untold}";
            string actual;
            switch (line.Kind)
            {
                case 'C':
                    var clean = new byte[LineScanner.MaxLine];
                    var command = engine.OnCommand(clean.AsSpan(0, TelnetLine.Clean(Bytes(line.Text), clean)));
                    verb = command.Kind == DecisionKind.OpenTransfer ? command.Verb : verb;
                    actual = Describe(command);
                    break;
                case 'S':
                    var reply = Bytes(line.Text);
                    var truncated = reply.Length > LineScanner.MaxLine - 2;
                    var decision = engine.OnReply(truncated ? reply.AsSpan(0, LineScanner.MaxLine - 2) : reply, truncated);
                    actual = Describe(decision);
                    Collect(engine, answers);
                    break;
                case 'F':
                    actual = answers.TryDequeue(out var answer) ? answer : "nothing";
                    if (!actual.StartsWith(line.Text, StringComparison.Ordinal))
                        return $"line {line.Number}: Ferry said {actual} instead of {line.Text}";
                    continue;
                default:
                    actual = Act(engine, line.Text, verb);
                    Collect(engine, answers);
                    break;
            }
            if (actual != line.Expected && !actual.StartsWith(line.Expected + ' ', StringComparison.Ordinal))
                return $"line {line.Number}: {line.Text} -> {actual} instead of {line.Expected}";
        }
        return answers.TryPeek(out var last) ? $"at the end, Ferry said: {last}" : null;
    }

    private static string Act(ControlEngine engine, string happened, FtpVerb verb)
    {
        switch (happened)
        {
            case "lent":
                engine.DataChannelOpened();
                return "";
            case "expired":
                engine.DataChannelClosed();
                return "";
            case "connected":
                return Describe(engine.TransferOpened(verb));
            case "refused":
                return Describe(engine.TransferRefused("Can't open the data connection to the server."));
            case "delivered" or "replaced":
                engine.TransferFinished(happened == "replaced");
                return "";
            case "client tls":
                engine.ClientTlsStarted();
                return "";
            case "client clear":
                engine.ClientTlsStopped();
                return "";
            case "server tls" or "server tls by ssl":
                engine.UpstreamTlsStarted(happened == "server tls by ssl");
                return "";
            case "server clear":
                engine.UpstreamTlsStopped();
                return "";
            case "must wait":
                return engine.MustWait ? "" : "may go on";
            case ['d', 'a', 't', 'a', ' ', ..]:
                var data = $"data {(engine.ClientDataIsPrivate ? 'P' : 'C')}/{(engine.UpstreamDataIsPrivate ? 'P' : 'C')}";
                return happened == data ? "" : data;
            case "logged in" or "not logged in":
                return engine.LoggedIn == (happened == "logged in") ? "" : "otherwise";
            default:
                return happened == $"in flight {engine.InFlight}" ? "" : $"in flight {engine.InFlight}";
        }
    }

    private static void Collect(ControlEngine engine, Queue<string> answers)
    {
        while (engine.TakeAnswer() is { } answer)
            answers.Enqueue(Encoding.ASCII.GetString(answer).TrimEnd());
    }

    private static string Describe(ControlDecision decision)
    {
        var bytes = decision.Bytes is null ? "" : Encoding.ASCII.GetString(decision.Bytes).TrimEnd().Replace("\r\n", " / ", StringComparison.Ordinal);
        var data = decision.ClientIsPrivate || decision.UpstreamIsPrivate ? $" {(decision.ClientIsPrivate ? 'P' : 'C')}/{(decision.UpstreamIsPrivate ? 'P' : 'C')}" : "";
        return decision.Kind switch
        {
            DecisionKind.Answer => $"answer {bytes}",
            DecisionKind.Rewrite => $"rewrite {bytes}",
            DecisionKind.RefuseSetUp => $"refuse {bytes}",
            DecisionKind.OpenPassive => $"open-passive {new IPEndPoint(IPAddress.NetworkToHostOrder((int)decision.Address) & 0xFFFFFFFFL, decision.Port)}",
            DecisionKind.OpenTransfer => "open-transfer" + data,
            DecisionKind.StartTransfer => $"start-transfer {decision.Transfer}{data}",
            DecisionKind.FinishTransfer => $"finish-transfer {decision.Transfer}",
            DecisionKind.Insert => $"insert {bytes}",
            DecisionKind.StartClientTls => $"start-client-tls {bytes}",
            DecisionKind.StopClientTls => $"stop-client-tls {bytes}",
            DecisionKind.StartUpstreamTls => "start-upstream-tls",
            DecisionKind.StopUpstreamTls => "stop-upstream-tls",
            _ => decision.Kind.ToString().ToLowerInvariant(),
        };
    }

    /// <summary>What became of each decision of a kind, in the order in which they were made, by the event that follows it.</summary>
    public Queue<bool> Outcomes(string decision, Func<string, bool> wasDone) =>
        new(_lines.Select((line, i) => (line.Expected, Next: i + 1 < _lines.Count ? _lines[i + 1].Text : ""))
            .Where(pair => pair.Expected.Split(' ')[0] == decision)
            .Select(pair => wasDone(pair.Next)));

    [GeneratedRegex(@"^(?:(?<kind>[CS]): (?<text>.*?)|F: (?<text>.*)|(?<kind>\()(?<text>[^)]*)\))(?:\s+-> (?<expected>.+?))?\s*$", RegexOptions.ExplicitCapture)]
    private static partial Regex Pattern();

    [GeneratedRegex(@"\{(\d+)\}")]
    private static partial Regex Filling();

    [GeneratedRegex(@"\\x([0-9A-F]{2})")]
    private static partial Regex Escape();
}
