using System.Text;
using Ferry.Config;
using Ferry.Upstreams;

namespace Ferry.Tests.Upstreams;

public sealed class ExpectedDataTests
{
    [Fact]
    public void A_text_is_found_wherever_the_pieces_are_cut()
    {
        var data = Encoding.UTF8.GetBytes("drwxr-xr-x pub\r\n-rw-r--r-- README\r\n");
        for (var cut = 0; cut <= data.Length; cut++)
        {
            var expected = new ExpectedData("README", null);
            Assert.True(expected.TryTake(data.AsSpan(0, cut)) && expected.TryTake(data.AsSpan(cut)));
            Assert.Null(expected.Missing);
        }
    }

    [Theory]
    [InlineData("REAMDE")]
    [InlineData("README\r\n-")]
    public void A_text_that_is_not_there_is_missing(string text)
    {
        var expected = new ExpectedData(text, null);
        foreach (var letter in "drwxr-xr-x pub\r\n-rw-r--r-- README\r\n"u8)
            expected.TryTake([letter]);
        Assert.NotNull(expected.Missing);
    }

    [Theory]
    [InlineData(9, "it sent 10 bytes, and 9 were expected")]
    [InlineData(10, null)]
    [InlineData(11, "it sent 10 bytes, and 11 were expected")]
    public void A_size_is_that_of_all_pieces(long size, string? missing)
    {
        var expected = new ExpectedData(null, size);
        expected.TryTake(new byte[7]);
        expected.TryTake(new byte[3]);
        Assert.Equal(missing, expected.Missing);
    }

    [Fact]
    public void More_than_a_check_reads_is_not_taken()
    {
        var expected = new ExpectedData(null, null);
        Assert.True(expected.TryTake(new byte[HealthDraft.MostData]));
        Assert.False(expected.TryTake(new byte[1]));
    }
}
