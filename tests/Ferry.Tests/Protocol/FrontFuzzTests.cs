using System.Linq;
using System.Text;
using Ferry.Protocol;
using FsCheck;
using FsCheck.Fluent;

namespace Ferry.Tests.Protocol;

/// <summary>Commands and replies in any order where the server is chosen by user: what must hold before the login, whatever the two sides say.</summary>
public sealed class FrontFuzzTests
{
    private static readonly string[] Lines =
    [
        "C:USER a", "C:USER a", "C:USER ", "C:PASS b", "C:PASS b", "C:ACCT c", "C:NOOP", "C:FEAT", "C:STAT", "C:STAT x", "C:SYST", "C:HELP", "C:REIN", "C:ABOR", "C:HOST h", "C:CLNT c",
        "C:LANG en", "C:OPTS UTF8 ON", "C:OPTS MLST", "C:AUTH TLS", "C:PBSZ 0", "C:PROT P", "C:CCC", "C:PASV", "C:EPSV", "C:PORT 10,0,0,9,4,1", "C:LIST", "C:RETR x", "C:MODE B", "C:XXXX", "C:",
        "C:CLNT a\rUSER root", "C:USER a\rPASS x", "C:" + new string('y', LineScanner.MaxLine + 10),
        "S:331 more", "S:331-more", "S:331 more", "S:230 in", "S:230 in", "S:230-in", "S:332 account", "S:530 no", "S:530-no", "S:421 bye", "S:421-bye", "S:200 ok", "S:220 ready", "S:150 go", "S:226 done",
        "S:227 (10,0,0,1,4,1)", "S:text", "S:500 what", "S:215 ExampleFTPd", "S:234 go",
    ];

    private static readonly Arbitrary<int[]> Conversations = Gen.Choose(0, (Lines.Length * 4) - 1).ArrayOf().ToArbitrary();

    // What a server may be told before the login, and what it is told again when another one is asked.
    private static readonly string[] Allowed = ["USER a", "PASS b", "ACCT c", "[next]", "HOST h", "CLNT c", "CLNT a", "LANG en", "OPTS UTF8 ON", "USER n"];

    [Fact]
    public void Nothing_that_the_two_sides_say_breaks_the_rules() =>
        Check.One(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(3000).WithEndSize(200), Prop.ForAll(Conversations, HoldsTheRules));

    private static bool HoldsTheRules(int[] conversation)
    {
        var sum = conversation.Sum();
        var wire = new ControlWire(
            rules: new TlsRules { ClientOffer = (ClientTlsOffer)(sum % 4), UpstreamMode = sum % 3 == 0 ? UpstreamTlsMode.Match : UpstreamTlsMode.None },
            greeting: new GreetingRules { ChoosesAtUser = true, HidesServer = sum % 2 == 0, Greeting = "hello" })
        {
            Defers = sum % 5 < 2,
            Lookups = new Queue<string?>(conversation.Select(static n => (n % 5) switch { 0 => null, 1 => "n", _ => "" })),
            Routes = new Queue<string?>(conversation.Select(static n => (n % 5) switch { 0 => null, 1 => "n", _ => "" })),
        };
        foreach (var n in conversation)
        {
            var line = Lines[n % Lines.Length];
            var (isFront, told, said) = (wire.Engine.IsAtFront, wire.ToServer.Length, wire.ToClient.Length);
            var waits = wire.ClientWaits || wire.Engine.InFlight > 0;
            var bytes = Encoding.Latin1.GetBytes(line[2..] + "\r\n");
            if (line[0] == 'C')
                wire.FromClient(bytes);
            else if (wire.Engine.InFlight > 0) // a server that has not been asked is not read
                wire.FromServer(bytes);
            if (wire.Ended || (isFront && wire.Engine.LoggedIn))
                return true; // from here on it is a session like any other
            if (!isFront)
                continue;
            Assert.InRange(wire.Engine.InFlight, 0, 1);
            var toServer = wire.ToServer[told..].Split("\r\n").Where(static l => l.Length > 0);
            Assert.All(toServer, l => Assert.Contains(Allowed, a => l.Replace("[next]", "", StringComparison.Ordinal) is "" || l.EndsWith(a, StringComparison.Ordinal)));
            // Nobody waits for nothing: what no server is asked is answered at once.
            if (line[0] == 'C' && !waits && line.Length > 2 && wire.Engine.InFlight == 0)
                Assert.True(wire.ToClient.Length > said, line);
        }
        return true;
    }
}
