using System.Linq;
using Ferry.Protocol;
using FsCheck.Fluent;
using static FsCheck.Check;

namespace Ferry.Tests.Protocol;

public sealed class TelnetLineTests
{
    [Theory]
    [InlineData("41424F52", "41424F52")]
    [InlineData("FFF4FFF241424F52", "41424F52")] // IP, DM, ABOR
    [InlineData("41FFFB0142", "4142")] // WILL ECHO in the middle
    [InlineData("FFFDFF41", "41")] // an option of value 255
    [InlineData("FFFB", "")]
    [InlineData("FFFB01", "")]
    [InlineData("41FFFF42", "41FF42")]
    [InlineData("FFFFFFFF", "FFFF")]
    [InlineData("41FF", "41FF")]
    [InlineData("FF", "FF")]
    [InlineData("FF41", "FF41")] // 'ÿA' of an eight-bit name
    [InlineData("", "")]
    public void Telnet_commands_are_taken_out_and_doubled_bytes_undone(string line, string expected)
    {
        Assert.Equal(expected, Convert.ToHexString(Clean(Convert.FromHexString(line))));
    }

    [Fact]
    public void A_line_without_IAC_stays_as_it_is() => QuickThrowOnFailure(Prop.ForAll<byte[]>(line =>
        TelnetLine.HasTelnet(line) ? line.Contains((byte)0xFF) : !line.Contains((byte)0xFF) && Clean(line).SequenceEqual(line)));

    [Fact]
    public void Doubling_is_undone() => QuickThrowOnFailure(Prop.ForAll<byte[]>(line =>
        Clean([.. line.SelectMany(b => b == 0xFF ? new byte[] { 0xFF, 0xFF } : [b])]).SequenceEqual(line)));

    [Fact]
    public void No_line_grows() => QuickThrowOnFailure(Prop.ForAll<byte[]>(line =>
    {
        var telnet = line.Select(b => b % 3 == 0 ? (byte)(0xF0 + (b % 16)) : b).ToArray();
        return Clean(telnet).Length <= telnet.Length;
    }));

    private static byte[] Clean(byte[] line)
    {
        var clean = new byte[line.Length];
        return clean[..TelnetLine.Clean(line, clean)];
    }
}
