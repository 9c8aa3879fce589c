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
///   upstream: IPv6              the server's, in the same way
///   data: Active both scope=3   the rules: DataMode, and where it is so BothFamilies and ClientScopeId; Client unless said
///   peers: 10.0.0.9 fe80::9%3   the addresses that MayDial allows, none unless said
///   tls: Offered Match Private  the rules: ClientTlsOffer, UpstreamTlsMode, UpstreamDataRule, and ClearDataRefused where it is so; no TLS unless said
///   greeting: user hide text=X  what is said in place of a server: ChoosesAtUser, HidesServer, the text to the end of the line; nothing unless said
///   C: command   -> decision    the client's line; one that was told to wait, or had a command inserted ahead of it, is shown again as it stands
///   S: reply     -> decision    the server's line
///   F: reply                    an answer of Ferry's own whose turn has come
///   (event)      -> decision    lent, told, listening ADDRESS:PORT, not listening, connected, refused, delivered, replaced, expired,
///                               routed, routed NAME, unknown, deferred, looked up, looked up NAME, nobody, password sent, not wanted, left, client tls, client clear, server tls, server tls by ssl, server clear; or a check:
///                               in flight N, logged in, not logged in, must wait, may go on, setting up, settled, data P/C (the client's, the server's)
///   \xHH, {N}                   a byte; N bytes of filling
/// </code>
/// </summary>
internal sealed partial class Transcript
{
    private readonly List<Line> _lines = [];

    private Transcript()
    {
    }

    internal readonly record struct Line(int Number, char Kind, string Text, string Expected);

    public AddressFamily Family { get; private set; } = AddressFamily.InterNetwork;

    public AddressFamily UpstreamFamily { get; private set; } = AddressFamily.InterNetwork;

    public TlsRules Rules { get; private set; } = TlsRules.None;

    public DataRules Data { get; private set; } = DataRules.Default;

    public GreetingRules Greeting { get; private set; } = GreetingRules.None;

    public IReadOnlyList<Line> Lines => _lines;

    public static string Folder => Path.Combine(AppContext.BaseDirectory, "Protocol", "Transcripts");

    public static Transcript Read(string name)
    {
        var transcript = new Transcript();
        var number = 0;
        foreach (var raw in File.ReadLines(Path.Combine(Folder, name)))
        {
            number++;
            if (raw.Length == 0 || raw[0] == '#' || transcript.TryReadHeader(raw))
                continue;
            var match = Pattern().Match(raw);
            if (!match.Success)
                throw new FormatException($"{name}:{number}: cannot be read: {raw}");
            var kind = match.Groups["kind"].Value is [var letter, ..] ? letter : 'F';
            transcript._lines.Add(new Line(number, kind, match.Groups["text"].Value, match.Groups["expected"].Value));
        }
        return transcript;
    }

    private bool TryReadHeader(string raw)
    {
        var words = raw.Split(' ');
        switch (words[0])
        {
            case "client:":
                Family = words[1] == "IPv6" ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;
                return true;
            case "upstream:":
                UpstreamFamily = words[1] == "IPv6" ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;
                return true;
            case "tls:":
                Rules = RulesOf(words[1..]);
                return true;
            case "data:":
                var scope = words.FirstOrDefault(static word => word.StartsWith("scope=", StringComparison.Ordinal));
                Data = Data with
                {
                    Mode = Enum.Parse<DataMode>(words[1]),
                    BothFamilies = words.Contains("both"),
                    ClientScopeId = scope is null ? 0 : long.Parse(scope["scope=".Length..], CultureInfo.InvariantCulture),
                };
                return true;
            case "greeting:":
                var text = raw.IndexOf("text=", StringComparison.Ordinal);
                Greeting = new GreetingRules { ChoosesAtUser = words.Contains("user"), HidesServer = words.Contains("hide"), Greeting = text < 0 ? null : raw[(text + 5)..] };
                return true;
            case "peers:":
                var peers = words[1..].Select(IPAddress.Parse).ToList();
                Data = Data with { MayDial = peer => peers.Contains(peer.Address) };
                return true;
            default:
                return false;
        }
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
        var engine = new ControlEngine(Family, Rules, Data, Greeting) { UpstreamFamily = UpstreamFamily };
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
            case "lent" or "told":
                engine.DataChannelOpened();
                return "";
            case "expired":
                engine.DataChannelClosed();
                return "";
            case ['l', 'i', 's', 't', 'e', 'n', 'i', 'n', 'g', ' ', ..]:
                return Describe(engine.ListenerOpened(Listener(happened)!));
            case "not listening":
                return Describe(engine.ListenerRefused());
            case "routed" or "unknown":
                return Describe(happened == "routed" ? engine.Routed(null) : engine.Unrouted());
            case ['r', 'o', 'u', 't', 'e', 'd', ' ', .. var name]:
                return Describe(engine.Routed(name));
            case "deferred" or "looked up" or "nobody" or "password sent" or "not wanted":
                return ActOnLookup(engine, happened);
            case ['l', 'o', 'o', 'k', 'e', 'd', ' ', 'u', 'p', ' ', .. var looked]:
                return Describe(engine.LookedUp(looked));
            case "left":
                engine.UpstreamLeft();
                return "";
            case "setting up" or "settled":
                return engine.IsSettingUp == (happened == "setting up") ? "" : "otherwise";
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
            case "may go on":
                return engine.MustWait ? "must wait" : "";
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
        var peer = decision.RefusedPeer is { } refused ? $" ({refused})" : "";
        var upstream = decision.UpstreamIsActive ? "listener" : new IPEndPoint(IPAddress.NetworkToHostOrder((int)decision.Address) & 0xFFFFFFFFL, decision.Port).ToString();
        return decision.Kind switch
        {
            DecisionKind.Answer => $"answer {bytes}{peer}",
            DecisionKind.Queued => $"queued{peer}",
            DecisionKind.Rewrite => $"rewrite {bytes}",
            DecisionKind.Retry => $"retry {bytes}",
            DecisionKind.RefuseSetUp => $"refuse {bytes}",
            DecisionKind.OpenListener => "open-listener",
            DecisionKind.OpenPassive => $"open-passive {upstream}",
            DecisionKind.OpenActive => $"open-active {decision.Client} {upstream} {bytes}",
            DecisionKind.OpenTransfer => "open-transfer" + data,
            DecisionKind.StartTransfer => $"start-transfer {decision.Transfer}{data}",
            DecisionKind.FinishTransfer => $"finish-transfer {decision.Transfer}",
            DecisionKind.Insert => $"insert {bytes}",
            DecisionKind.StartClientTls => $"start-client-tls {bytes}",
            DecisionKind.StopClientTls => $"stop-client-tls {bytes}",
            DecisionKind.StartUpstreamTls => "start-upstream-tls",
            DecisionKind.StopUpstreamTls => "stop-upstream-tls",
            DecisionKind.Route or DecisionKind.LogIn or DecisionKind.Deny or DecisionKind.Farewell or DecisionKind.Release or DecisionKind.NextServer =>
                $"{decision.Kind.ToString().ToLowerInvariant()} {bytes}".TrimEnd(),
            _ => decision.Kind.ToString().ToLowerInvariant(),
        };
    }

    /// <summary>What became of each decision of a kind, in the order in which they were made, by the event that follows it.</summary>
    public Queue<bool> Outcomes(string decision, Func<string, bool> wasDone) =>
        new(_lines.Select((line, i) => (line.Expected, Next: i + 1 < _lines.Count ? _lines[i + 1].Text : ""))
            .Where(pair => pair.Expected.Split(' ')[0] == decision)
            .Select(pair => wasDone(pair.Next)));

    /// <summary>The ports that are opened for the server, null for one that cannot be, in their order.</summary>
    public Queue<IPEndPoint?> Listeners => new(_lines.Where(static line => line.Text == "not listening" || line.Text.StartsWith("listening ", StringComparison.Ordinal))
        .Select(static line => Listener(line.Text)));

    /// <summary>What becomes of each Route: the name for the server, empty for the client's own, null for an unknown user.</summary>
    public Queue<string?> Routes => new(_lines.Where(static line => line.Kind == '(' && (line.Text == "unknown" || line.Text.StartsWith("routed", StringComparison.Ordinal)))
        .Select(static line => line.Text == "unknown" ? null : line.Text["routed".Length..].TrimStart()));

    private static IPEndPoint? Listener(string happened) => happened == "not listening" ? null : IPEndPoint.Parse(happened["listening ".Length..]);

    [GeneratedRegex(@"^(?:(?<kind>[CS]): (?<text>.*?)|F: (?<text>.*)|(?<kind>\()(?<text>[^)]*)\))(?:\s+-> (?<expected>.+?))?\s*$", RegexOptions.ExplicitCapture)]
    private static partial Regex Pattern();

    [GeneratedRegex(@"\{(\d+)\}")]
    private static partial Regex Filling();

    [GeneratedRegex(@"\\x([0-9A-F]{2})")]
    private static partial Regex Escape();
}
