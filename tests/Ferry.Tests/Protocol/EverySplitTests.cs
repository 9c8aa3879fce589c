using System.Linq;
using System.Text;
using Ferry.Protocol;

namespace Ferry.Tests.Protocol;

/// <summary>What transcripts cannot say: both streams in one piece each, and lines that are too long, cut at every byte.</summary>
public sealed class EverySplitTests
{
    private static readonly string TooLong = new('y', LineScanner.MaxLine + 100);

    private static readonly byte[] Commands = Bytes($"USER a\nPASS b\r\n\r\n\u00ff\u00f4\u00ff\u00f2NOOP\r\n{TooLong}\r\nPORT 1\r\nPASV\r\nFEAT\r\nQUIT\r\n");

    private static readonly byte[] Replies = Bytes(
        "331 more\r\n230-one\r\n227 (10,0,0,1,4,1)\r\n230 in\n200 ok\r\n227-Entering\r\n (10,0,0,1,4,2)\r\n227 Mode\r\n211-Features\r\n EPRT\r\n EPSV\r\n211 End\r\n221-" + TooLong + "\r\n221 bye\r\n");

    private static readonly string ToClient =
        "220 ready\r\n331 more\r\n230-one\r\n227 (10,0,0,1,4,1)\r\n230 in\r\n200 ok\r\n"
        + "500 Command line too long.\r\n500 Illegal PORT command.\r\n"
        + "227 Entering Passive Mode (127,0,0,1,39,17)\r\n211-Features\r\n EPRT\r\n EPSV\r\n211 End\r\n"
        + "221-" + TooLong[..(LineScanner.MaxLine - 2 - 4)] + "\r\n221 bye\r\n";

    private const string ToServer = "USER a\r\nPASS b\r\n\u00ff\u00f4\u00ff\u00f2NOOP\r\nPASV\r\nFEAT\r\nQUIT\r\n";

    public static TheoryData<string> Sides => ["commands", "replies"];

    [Theory]
    [MemberData(nameof(Sides))]
    public void Both_streams_come_out_the_same_wherever_they_are_cut(string side)
    {
        var cutsCommands = side == "commands";
        var length = (cutsCommands ? Commands : Replies).Length;
        foreach (var cut in Enumerable.Range(0, length + 1))
        {
            var wire = new ControlWire();
            wire.FromServer("220 ready\r\n"u8);
            Feed(wire.FromClient, Commands, cutsCommands ? cut : 0);
            Feed(wire.FromServer, Replies, cutsCommands ? 0 : cut);

            Assert.Equal((cut, ToClient, ToServer), (cut, wire.ToClient, wire.ToServer));
            Assert.Equal(0, wire.Engine.InFlight);
            Assert.True(wire.Engine.LoggedIn);
        }
    }

    private delegate void Receiver(ReadOnlySpan<byte> bytes);

    private static void Feed(Receiver receiver, byte[] bytes, int cut)
    {
        receiver(bytes.AsSpan(0, cut));
        receiver(bytes.AsSpan(cut));
    }

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);
}
