using System.Text;
using Ferry.Protocol;
using FsCheck.Fluent;
using static FsCheck.Check;

namespace Ferry.Tests.Protocol;

public sealed class ReplyLineTests
{
    [Theory]
    [InlineData("220 ready", 220, false, "ready")]
    [InlineData("220-more", 220, true, "more")]
    [InlineData("220", 220, false, "")]
    [InlineData("220 ", 220, false, "")]
    [InlineData("220-", 220, true, "")]
    [InlineData("100 low", 100, false, "low")]
    [InlineData("599 high", 599, false, "high")]
    [InlineData("099 x", 0, false, "099 x")]
    [InlineData("600 x", 0, false, "600 x")]
    [InlineData(" 220 x", 0, false, " 220 x")]
    [InlineData("2201 x", 0, false, "2201 x")]
    [InlineData("227(1)", 0, false, "227(1)")]
    [InlineData("22", 0, false, "22")]
    [InlineData("", 0, false, "")]
    [InlineData("2\u00b90 x", 0, false, "2\u00b90 x")]
    public void A_line_has_a_code_and_perhaps_a_hyphen(string line, int code, bool continues, string text)
    {
        var reply = ReplyLine.Parse(Encoding.Latin1.GetBytes(line));

        Assert.Equal((code, continues, text), (reply.Code, reply.Continues, Encoding.Latin1.GetString(reply.Text)));
    }

    [Theory]
    [InlineData("227 (1)", 227, false, "(1)")]
    [InlineData("227-(1)", 227, true, "(1)")]
    [InlineData("227(1)", 227, false, "(1)")]
    [InlineData("227\t(1)", 227, false, "\t(1)")]
    [InlineData("2271", 227, false, "1")]
    [InlineData("22x", 0, false, "22x")]
    public void A_first_line_has_a_code_whatever_follows_it(string line, int code, bool continues, string text)
    {
        var reply = ReplyLine.ParseFirst(Encoding.Latin1.GetBytes(line));

        Assert.Equal((code, continues, text), (reply.Code, reply.Continues, Encoding.Latin1.GetString(reply.Text)));
    }

    [Fact]
    public void What_Ferry_says_is_read_back() => QuickThrowOnFailure(Prop.ForAll(Gen.Choose(100, 599).ToArbitrary(), code =>
    {
        var line = ReplyWriter.Line(code, "the text").AsSpan();
        var reply = ReplyLine.Parse(line[..^2]);
        return line.EndsWith("\r\n"u8) && reply.Code == code && !reply.Continues && reply.Text.SequenceEqual("the text"u8);
    }));

    [Fact]
    public void Any_bytes_have_a_code_in_range_or_none() => QuickThrowOnFailure(Prop.ForAll<byte[], bool>((noise, coded) =>
    {
        byte[] line = coded ? [.. "22"u8, .. noise] : noise;
        var strict = ReplyLine.Parse(line);
        var lax = ReplyLine.ParseFirst(line);
        return strict.Code is 0 or (>= 100 and <= 599) && lax.Code is 0 or (>= 100 and <= 599)
            && (strict.Code == 0 || strict.Code == lax.Code)
            && strict.Text.Length <= line.Length;
    }));
}
