using System.Text;
using Ferry.Upstreams;

namespace Ferry.Tests.Upstreams;

/// <summary>The words of agents.</summary>
public sealed class AgentAnswerTests
{
    private static AgentAnswer Parse(string line) => AgentAnswer.Parse(Encoding.Latin1.GetBytes(line));

    [Theory]
    [InlineData("75%", 75, null, null, null)]
    [InlineData("0%", 0, null, null, null)]
    [InlineData("256%", 256, null, null, null)]
    [InlineData("99999999999999999999%", AgentAnswer.MostPercent, null, null, null)]
    [InlineData("maxconn:30", null, 30, null, null)]
    [InlineData("maxconn:0", null, 0, null, null)]
    [InlineData("ready", null, null, "Ready", null)]
    [InlineData("drain", null, null, "Drain", null)]
    [InlineData("maint", null, null, "Maint", null)]
    [InlineData("up", null, null, null, true)]
    [InlineData("down", null, null, null, false)]
    [InlineData("fail", null, null, null, false)]
    [InlineData("stopped", null, null, null, false)]
    [InlineData("", null, null, null, null)]
    [InlineData(" \t,, ,", null, null, null, null)]
    [InlineData("Ready,UP\t75% , MAXCONN:30", 75, 30, "Ready", true)]
    [InlineData("maxconn:7 5% up down", 5, 7, null, false)]
    [InlineData("down#the disk is 100% full, ready", null, null, null, false)]
    [InlineData("down # ready", null, null, null, false)]
    [InlineData("#drain", null, null, null, null)]
    public void Words_come_in_any_order(string line, int? percent, int? most, string? mode, bool? isUp)
    {
        var answer = Parse(line);
        Assert.Equal((percent, most, mode, isUp, null), (answer.Percent, answer.MaxConnections, answer.Mode?.ToString(), answer.IsUp, answer.Unknown));
    }

    [Theory]
    [InlineData("%")]
    [InlineData("-5%")]
    [InlineData("75.5%")]
    [InlineData("maxconn:")]
    [InlineData("maxconn:-1")]
    [InlineData("maxconn:x")]
    [InlineData("75")]
    [InlineData("uptime")]
    [InlineData("\u0001\u00ff", "??")]
    public void A_word_that_means_nothing_is_told_and_the_others_count(string word, string? shown = null)
    {
        var answer = Parse($"drain {word} other 50%");
        Assert.Equal((50, null, AgentMode.Drain, null, shown ?? word), (answer.Percent, answer.MaxConnections, answer.Mode, answer.IsUp, answer.Unknown));
    }

    [Fact]
    public void What_is_shown_of_a_line_is_short_and_can_be_printed()
    {
        Assert.Equal("down#so it is?[31m", Parse("down#so it is\u001b[31m").Text);
        Assert.Equal(new string('a', 100) + "...", Parse(new string('a', 900)).Text);
    }

    [Fact]
    public void Any_bytes_are_an_answer()
    {
        var random = new Random(1);
        var bytes = new byte[AgentAnswer.MostBytes];
        for (var i = 0; i < 2000; i++)
        {
            random.NextBytes(bytes);
            var answer = AgentAnswer.Parse(bytes.AsSpan(0, random.Next(bytes.Length)));
            Assert.All(answer.Text + answer.Unknown, c => Assert.InRange(c, ' ', '~'));
        }
    }
}
