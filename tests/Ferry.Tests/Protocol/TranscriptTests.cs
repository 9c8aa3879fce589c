using System.IO;
using System.Linq;
using System.Text;
using Ferry.Protocol;

namespace Ferry.Tests.Protocol;

public sealed class TranscriptTests
{
    public static TheoryData<string> Names => [.. Directory.GetFiles(Transcript.Folder, "*.txt").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_conversation_goes_as_it_is_written(string name)
    {
        var wrong = Transcript.Read(name).Play();
        Assert.True(wrong is null, wrong);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_conversation_cut_at_any_byte_or_run_together_comes_out_the_same(string name)
    {
        var transcript = Transcript.Read(name);
        var steps = Steps(transcript).ToList();
        var whole = Run(transcript, steps, static bytes => [bytes]);
        Assert.NotEmpty(whole.ToClient);

        Assert.Equal(whole, Run(transcript, steps, static bytes => bytes.Select(static b => new[] { b })));
        Assert.Equal(whole, Run(transcript, Together(steps), static bytes => [bytes]));
        foreach (var cut in Cuts(steps))
            Assert.Equal(whole, Run(transcript, steps, bytes => cut < bytes.Length ? [bytes[..cut], bytes[cut..]] : [bytes]));
    }

    private static IEnumerable<int> Cuts(List<(char Side, byte[] Bytes)> steps)
    {
        // Only an over-long line is longer than this, and of one such the ends and the bound are what matters.
        var longest = steps.Max(static step => step.Bytes.Length);
        return Enumerable.Range(1, longest).Where(cut => cut < 200 || cut is > 8180 and < 8200 || cut > longest - 30);
    }

    private static IEnumerable<(char Side, byte[] Bytes)> Steps(Transcript transcript)
    {
        var waiting = "";
        foreach (var line in transcript.Lines)
        {
            if (line.Kind == '(' && (line.Text == "expired" || line.Text.EndsWith("tls", StringComparison.Ordinal) || line.Text.EndsWith("clear", StringComparison.Ordinal) || line.Text.EndsWith("ssl", StringComparison.Ordinal)))
                yield return ('(', Transcript.Bytes(line.Text));
            if (line.Kind is not ('C' or 'S'))
                continue;
            var isAgain = line.Kind == 'C' && line.Text == waiting;
            // A server answers what it is asked when it is asked, so its replies before and after that never run together.
            if (isAgain)
                yield return ('(', []);
            if (line.Kind == 'C')
                waiting = line.Expected == "wait" || line.Expected.StartsWith("insert", StringComparison.Ordinal) ? (waiting.Length == 0 ? line.Text : waiting) : "";
            if (!isAgain)
                yield return (line.Kind, [.. Transcript.Bytes(line.Text), (byte)'\r', (byte)'\n']);
        }
    }

    private static List<(char Side, byte[] Bytes)> Together(List<(char Side, byte[] Bytes)> steps)
    {
        var joined = new List<(char Side, byte[] Bytes)>();
        foreach (var step in steps)
        {
            if (joined.Count > 0 && joined[^1].Side == step.Side && step.Side != '(')
                joined[^1] = (step.Side, [.. joined[^1].Bytes, .. step.Bytes]);
            else
                joined.Add(step);
        }
        return joined;
    }

    private static (string ToClient, string ToServer) Run(Transcript transcript, List<(char Side, byte[] Bytes)> steps, Func<byte[], IEnumerable<byte[]>> cut)
    {
        var wire = new ControlWire(transcript.Family, transcript.Rules, transcript.Data, transcript.Greeting)
        {
            Listeners = transcript.Listeners,
            Routes = transcript.Routes,
            Defers = transcript.Defers,
            Lookups = transcript.Lookups,
            Lends = transcript.Outcomes("open-passive", static next => next == "lent"),
            Connects = transcript.Outcomes("open-transfer", static next => next == "connected"),
            Deliveries = transcript.Outcomes("finish-transfer", static next => next != "replaced"),
        };
        wire.Engine.UpstreamFamily = transcript.UpstreamFamily;
        foreach (var (side, bytes) in steps)
        {
            if (side == '(')
            {
                Happen(wire.Engine, Encoding.ASCII.GetString(bytes));
                continue;
            }
            foreach (var part in cut(bytes))
            {
                if (side == 'C')
                    wire.FromClient(part);
                else
                    wire.FromServer(part);
            }
        }
        return (wire.ToClient, wire.ToServer);
    }

    // The wire shakes hands by itself where the engine says so; the session does where the server's channel is TLS before the greeting.
    private static void Happen(ControlEngine engine, string happened)
    {
        if (happened == "expired")
            engine.DataChannelClosed();
        else if (happened.StartsWith("server tls", StringComparison.Ordinal) && !engine.UpstreamIsTls)
            engine.UpstreamTlsStarted(happened.EndsWith("ssl", StringComparison.Ordinal));
    }

    [Fact]
    public void A_wrong_decision_is_told_with_its_line()
    {
        var folder = Directory.CreateTempSubdirectory("ferry").FullName;
        try
        {
            var file = Path.Combine(folder, "wrong.txt");
            File.WriteAllText(file, "# wrong\nS: 220 ready -> forward\nC: PORT 1 -> forward\n", Encoding.ASCII);
            Assert.Equal("line 3: PORT 1 -> answer 500 Illegal PORT command. instead of forward", Transcript.Read(file).Play());
            File.WriteAllText(file, "S: 220 ready -> forward\nC: PWD -> forward\nC: PORT 1 -> queued\nS: 257 / -> forward\n", Encoding.ASCII);
            Assert.StartsWith("at the end, Ferry said: 500", Transcript.Read(file).Play(), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
