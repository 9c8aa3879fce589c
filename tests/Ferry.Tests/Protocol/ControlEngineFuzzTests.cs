using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ferry.Protocol;
using FsCheck;
using FsCheck.Fluent;

namespace Ferry.Tests.Protocol;

/// <summary>Commands and replies in any order and in any pieces: what must hold whatever the two sides say.</summary>
public sealed class ControlEngineFuzzTests
{
    private static readonly string[] Lines =
    [
        "C:USER a", "C:PASS b", "C:NOOP", "C:FOO", "C:FEAT", "C:STAT", "C:REIN", "C:ABOR", "C:\u00ff\u00f4\u00ff\u00f2ABOR",
        "C:PASV", "C:EPSV", "C:EPSV 1", "C:EPSV 2", "C:EPSV ALL", "C:PORT 10,0,0,9,4,1", "C:PORT 10,0,0,9,4,1", "C:PORT 10,0,0,7,4,1", "C:PORT 10,0,0,9,3,1", "C:EPRT |1|10.0.0.9|1025|", "C:EPRT |2|2001:db8::9|1025|",
        "C:EPRT |1|10.0.0.9|1|", "C:AUTH TLS", "C:AUTH SSL", "C:AUTH X", "C:MODE B",
        "C:PBSZ 0", "C:PROT P", "C:PROT C", "C:PROT E", "C:CCC", "C:SSCN ON",
        "C:RETR x", "C:STOR x", "C:LIST", "C:XLST", "C:", "C:" + new string('y', LineScanner.MaxLine + 10),
        "S:120 soon", "S:220 ready", "S:200 ok", "S:230 in", "S:331 more", "S:500 what", "S:550 no", "S:421 bye", "S:502 no", "S:522 no", "S:504-no", "S:504 no", "S:250 ok", "S:234 go", "S:234-go", "S:334 go", "S:431 no", "S:534 no", "S:211 none",
        "S:150 go", "S:125 go", "S:150-go", "S:110 mark", "S:226 done", "S:250 done", "S:225 none", "S:426 cut", "S:226-done", "S:211-Features", "S: EPRT", "S:211 End", "S:text",
        "S:227 (10,0,0,1,4,1)", "S:227(10,0,0,1,4,1)", "S:227-Passive", "S: (10,0,0,1,4,1)", "S:229 (|||1025|)", "S:229-x", "S:228 (10,0,0,1,4,1)", "S:227", "S:229 " + new string('z', LineScanner.MaxLine),
    ];

    private static readonly Arbitrary<int[]> Conversations = Gen.Choose(0, (Lines.Length * 4) - 1).ArrayOf().ToArbitrary();

    [Fact]
    public void Nothing_that_the_two_sides_say_breaks_the_rules() =>
        Check.One(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(2000).WithEndSize(300), Prop.ForAll(Conversations, HoldsTheRules));

    [Fact]
    public void Any_bytes_from_either_side_are_taken() => Check.QuickThrowOnFailure(Prop.ForAll<byte[][], bool>((pieces, ipv6) =>
    {
        var wire = new ControlWire(ipv6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork);
        for (var i = 0; i < pieces.Length; i++)
        {
            if (i % 2 == 0)
                wire.FromClient(pieces[i]);
            else
                wire.FromServer(pieces[i]);
        }
        return wire.Engine.InFlight <= ControlEngine.MaxInFlight;
    }));

    [Fact]
    public void Commands_without_end_are_bounded_before_any_reply_has_come()
    {
        var wire = new ControlWire();
        for (var i = 0; i < 200; i++)
        {
            wire.FromClient(Encoding.Latin1.GetBytes(i % 2 == 0 ? "PORT 1\r\n" : new string('y', LineScanner.MaxLine + 10) + "\r\n"));
            Assert.InRange(wire.Engine.InFlight, 1, ControlEngine.MaxInFlight);
        }
        Assert.Empty(wire.ToClient);
        wire.FromServer("220 ready\r\n"u8);
        Assert.Equal(1 + 200, wire.ToClient.Count(c => c == '\n'));
        Assert.Equal(0, wire.Engine.InFlight);
    }

    [Fact]
    public void A_reply_that_does_not_end_is_noticed()
    {
        var engine = new ControlEngine(AddressFamily.InterNetwork);
        engine.OnReply("211-a"u8);
        for (var i = 1; i < ControlEngine.MaxReplyLines; i++)
            engine.OnReply("211-a"u8);
        Assert.False(engine.ReplyIsEndless);
        engine.OnReply("x"u8);
        Assert.True(engine.ReplyIsEndless);
        engine.OnReply("211 a"u8);
        Assert.False(engine.ReplyIsEndless);
    }

    private static bool HoldsTheRules(int[] conversation)
    {
        var told = new List<string>();
        var inFlight = 0;
        ControlWire wire = null!;
        var sum = conversation.Sum();
        var data = new DataRules
        {
            Mode = (DataMode)(sum % 7),
            MayDial = static peer => peer.Address.ToString() is "10.0.0.9" or "2001:db8::9",
            BothFamilies = sum / 7 % 2 == 0,
        };
        wire = new ControlWire(sum / 14 % 4 == 0 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork, RulesOf(conversation), data)
        {
            Listeners = new Queue<IPEndPoint?>(conversation.Select(n => n % 11 == 0 ? null : new IPEndPoint(IPAddress.Parse(sum / 56 % 2 == 0 ? "192.0.2.1" : "2001:db8::1"), 20_000))),
            Lends = new Queue<bool>(conversation.Select(n => n % 5 != 0)),
            Connects = new Queue<bool>(conversation.Select(n => n % 7 != 0)),
            Deliveries = new Queue<bool>(conversation.Select(n => n % 3 != 0)),
            Decided = (decision, line) =>
            {
                inFlight = Math.Max(inFlight, wire.Engine.InFlight);
                if (decision.Kind == DecisionKind.Wait && !wire.Engine.MustWait)
                    told.Add("was told to wait for nothing: " + Encoding.Latin1.GetString(line));
                if (decision.Kind == DecisionKind.Retry && (!wire.Engine.IsSettingUp || !wire.Engine.MustWait))
                    told.Add("the server is asked again, and nobody waits");
                if (decision.Kind is DecisionKind.OpenPassive or DecisionKind.OpenActive && wire.Engine.IsSettingUp)
                    told.Add("a set-up goes on that has ended");
                if (decision.Client is { } client && (client.Port < 1024 || !data.MayDial(client)))
                    told.Add($"would connect to {client}");
                if (decision.Kind == DecisionKind.Insert && !wire.Engine.MustWait)
                    told.Add("a command was inserted that nobody waits for");
                if (decision.Kind is DecisionKind.StartClientTls or DecisionKind.StopClientTls && wire.Engine.InFlight > 0)
                    told.Add("the client's channel changed while a reply was outstanding");
            },
        };
        wire.Engine.UpstreamFamily = sum / 56 % 2 == 0 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;
        if (wire.Engine.ClientIsTls)
            wire.Engine.UpstreamTlsStarted();
        foreach (var n in conversation)
        {
            var line = Lines[n % Lines.Length];
            var bytes = Encoding.Latin1.GetBytes(line[2..] + "\r\n");
            if (line[0] == 'C')
                wire.FromClient(bytes);
            else
                wire.FromServer(bytes);
            inFlight = Math.Max(inFlight, wire.Engine.InFlight);
        }
        told.AddRange(Broken(wire.ToClient));
        if (wire.ToServer.Contains("10,0,0,9,", StringComparison.Ordinal) || wire.ToServer.Contains("10.0.0.9", StringComparison.Ordinal) || wire.ToServer.Contains(":9|", StringComparison.Ordinal))
            told.Add("the server sees the client's address");
        if (sum / 56 % 2 != 0 && (wire.ToServer.Contains("PORT", StringComparison.Ordinal) || wire.ToServer.Contains("PASV", StringComparison.Ordinal)))
            told.Add("a server that is reached by IPv6 was asked for IPv4");
        if (inFlight > ControlEngine.MaxInFlight)
            told.Add($"{inFlight} in flight");
        if (told.Count > 0)
            Assert.Fail(string.Join('\n', told.Distinct()));
        return true;
    }

    private static TlsRules RulesOf(int[] conversation)
    {
        var n = conversation.Sum();
        return new TlsRules
        {
            ClientOffer = (ClientTlsOffer)(n % 4),
            UpstreamMode = n % 4 == 3 ? (UpstreamTlsMode)(1 + (n / 4 % 3)) : n % 2 == 0 ? UpstreamTlsMode.None : UpstreamTlsMode.Match,
            Protection = (UpstreamDataRule)(n / 12 % 3),
            ClearDataRefused = n / 36 % 5 == 0,
        };
    }

    /// <summary>Reads what the client got as a client does.</summary>
    private static IEnumerable<string> Broken(string toClient)
    {
        var inside = 0;
        foreach (var line in toClient.Replace("[TLS]", "", StringComparison.Ordinal).Replace("[clear]", "", StringComparison.Ordinal).Split("\r\n")[..^1])
        {
            var isOurs = line.StartsWith("502 ", StringComparison.Ordinal) && line.Contains("here", StringComparison.Ordinal);
            var (code, continues) = Read(line, first: inside == 0);
            if (inside != 0)
            {
                if (isOurs)
                    yield return "an answer of Ferry's stands inside a reply: " + line;
                inside = code == inside && !continues ? 0 : inside;
                continue;
            }
            if (code is 227 or 228 or 229 && !line.StartsWith("227 Entering Passive Mode (127,0,0,1,", StringComparison.Ordinal) && !line.StartsWith("229 Entering Extended Passive Mode (|||1", StringComparison.Ordinal))
                yield return "the client sees " + line;
            if (code is 227 or 228 or 229 && line.Contains("10,0,0,1", StringComparison.Ordinal))
                yield return "the client sees the server's address: " + line;
            inside = continues ? code : 0;
        }
    }

    private static (int Code, bool Continues) Read(string line, bool first)
    {
        var bytes = Encoding.Latin1.GetBytes(line);
        var reply = first ? ReplyLine.ParseFirst(bytes) : ReplyLine.Parse(bytes);
        return (reply.Code, reply.Continues);
    }
}
