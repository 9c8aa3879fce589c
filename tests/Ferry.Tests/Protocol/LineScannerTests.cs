using System.Buffers;
using System.Linq;
using System.Text;
using Ferry.Protocol;
using FsCheck.Fluent;
using static FsCheck.Check;

namespace Ferry.Tests.Protocol;

public sealed class LineScannerTests
{
    [Theory]
    [InlineData("NOOP\r\nUSER", "NOOP", 6)]
    [InlineData("NOOP\n", "NOOP", 5)]
    [InlineData("\r\n", "", 2)]
    [InlineData("\n", "", 1)]
    [InlineData("a\rb\r\r\n", "a\rb\r", 6)]
    public void A_line_ends_with_CRLF_or_a_bare_LF(string input, string line, int consumed)
    {
        Assert.Equal((OperationStatus.Done, line, consumed), Read(Encoding.Latin1.GetBytes(input)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(LineScanner.MaxLine - 1)]
    public void Without_an_end_nothing_is_consumed(int length)
    {
        Assert.Equal((OperationStatus.NeedMoreData, "", 0), Read(Fill(length)));
    }

    [Fact]
    public void The_longest_line_has_its_end_as_its_last_byte()
    {
        var longest = Fill(LineScanner.MaxLine);
        longest[^1] = (byte)'\n';

        Assert.Equal((OperationStatus.Done, new string('x', LineScanner.MaxLine - 1), LineScanner.MaxLine), Read(longest));
        Assert.Equal((OperationStatus.InvalidData, "", 0), Read(Fill(LineScanner.MaxLine)));
        Assert.Equal((OperationStatus.InvalidData, "", 0), Read([.. Fill(LineScanner.MaxLine), (byte)'\n']));
    }

    [Fact]
    public void Lines_and_their_ends_add_up_to_the_input() => QuickThrowOnFailure(Prop.ForAll<byte[]>(input =>
    {
        var rest = input.AsSpan();
        var seen = new List<byte>();
        while (LineScanner.TryRead(rest, out var line, out var consumed) == OperationStatus.Done)
        {
            if (line.Contains((byte)'\n') || consumed - line.Length is not (1 or 2))
                return false;
            seen.AddRange(rest[..consumed]);
            rest = rest[consumed..];
        }
        seen.AddRange(rest);
        return !rest.Contains((byte)'\n') && seen.SequenceEqual(input);
    }));

    private static byte[] Fill(int length) => [.. Enumerable.Repeat((byte)'x', length)];

    private static (OperationStatus Status, string Line, int Consumed) Read(byte[] input)
    {
        var status = LineScanner.TryRead(input, out var line, out var consumed);
        return (status, Encoding.Latin1.GetString(line), consumed);
    }
}
