using System.Text;
using Ferry.Sessions;

namespace Ferry.Tests.Sessions;

public sealed class RouteAnswerTests
{
    [Theory]
    [InlineData("{}", null, null, null, null)]
    [InlineData(" { \"upstream\" : \"eu\" } \n", "eu", null, null, null)]
    [InlineData("{\"server\":\"192.0.2.7\"}", "192.0.2.7", "192.0.2.7:21", null, null)]
    [InlineData("{\"server\":\"192.0.2.7:2121\",\"user\":\"anna2\"}", "192.0.2.7:2121", "192.0.2.7:2121", "anna2", null)]
    [InlineData("{\"server\":\"[2001:db8::1]:990\"}", "[2001:db8::1]:990", "[2001:db8::1]:990", null, null)]
    [InlineData("{\"server\":\"[2001:db8::1]\"}", "[2001:db8::1]", "[2001:db8::1]:21", null, null)]
    [InlineData("{\"password\":\"p\\u00e4ss w\",\"user\":\"\\ud83d\\ude00\"}", null, null, "😀", "päss w")]
    [InlineData("{\"upstream\":null,\"more\":{\"upstream\":[1,{\"x\":null}]},\"user\":null,\"Upstream\":\"x\"}", null, null, null, null)]
    public void What_is_said_is_read(string json, string? place, string? server, string? user, string? password)
    {
        Assert.True(RouteAnswer.TryRead(Encoding.UTF8.GetBytes(json), mayHavePassword: true, out var answer, out var fault), fault);
        Assert.Equal((place, server, user, password), (answer.Place, answer.Server?.ToString(), answer.User, answer.Password));
        Assert.False(answer.IsRefused);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\"eu\"")]
    [InlineData("{\"upstream\":\"eu\"")]
    [InlineData("{\"upstream\":\"eu\"} x")]
    [InlineData("{\"upstream\":\"eu\"}{}")]
    [InlineData("{\"upstream\":7}")]
    [InlineData("{\"upstream\":\"\"}")]
    [InlineData("{\"upstream\":[\"eu\"]}")]
    [InlineData("{\"upstream\":\"eu\",\"server\":\"192.0.2.7\"}")]
    [InlineData("{\"server\":\"ftp.example.com\"}")]
    [InlineData("{\"server\":\"192.0.2.7:0\"}")]
    [InlineData("{\"server\":\"192.0.2.7:65536\"}")]
    [InlineData("{\"server\":\"2001:db8::1\"}")]
    [InlineData("{\"server\":\"0.0.0.0\"}")]
    [InlineData("{\"server\":\"3232235521\"}")]
    [InlineData("{\"user\":\"a\\r\\nPASS x\"}")]
    [InlineData("{\"user\":\"\\ud800\"}")]
    [InlineData("{\"password\":\"a\\u0000\"}")]
    [InlineData("{\"a\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}")]
    public void What_is_no_answer_is_none(string json)
    {
        Assert.False(RouteAnswer.TryRead(Encoding.UTF8.GetBytes(json), mayHavePassword: true, out var answer, out var fault));
        Assert.Null(answer);
        Assert.StartsWith(fault[0] == (char)34 ? "\"" : "its answer ", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_and_a_place_have_bounds()
    {
        Assert.True(Reads($$"""{"user":"{{new string('x', 256)}}"}"""));
        Assert.False(Reads($$"""{"user":"{{new string('x', 257)}}"}"""));
        Assert.True(Reads($$"""{"upstream":"{{new string('x', 1024)}}"}"""));
        Assert.False(Reads($$"""{"upstream":"{{new string('x', 1025)}}"}"""));

        static bool Reads(string json) => RouteAnswer.TryRead(Encoding.UTF8.GetBytes(json), mayHavePassword: false, out _, out _);
    }

    [Fact]
    public void A_service_that_was_not_told_the_password_cannot_give_another_one()
    {
        Assert.False(RouteAnswer.TryRead("{\"upstream\":\"eu\",\"password\":\"hidden\"}"u8, mayHavePassword: false, out _, out var fault));
        Assert.Contains("password=on", fault, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_the_service_sends_is_an_answer_or_none()
    {
        var random = new Random(7);
        byte[] alphabet = [.. "{}[]\":,\\ u0dnulltrue\r\n"u8, 0, 0xC3, 0xFF];
        var answers = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var json = "{\"upstream\":\"eu\",\"user\":\"p\\u00e4\",\"x\":[1,{\"y\":true}]}"u8.ToArray();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
                json[random.Next(json.Length)] = alphabet[random.Next(alphabet.Length)];
            if (!RouteAnswer.TryRead(json, mayHavePassword: false, out var answer, out _))
                continue;
            answers++;
            Assert.DoesNotContain(answer.User ?? "", char.IsControl);
        }
        Assert.InRange(answers, 1, 19_999);
    }

    [Fact]
    public void Any_cut_of_an_answer_is_no_answer()
    {
        var whole = "{\"upstream\":\"eu\",\"user\":\"p\\u00e4\",\"x\":[1,{\"y\":true}]}"u8.ToArray();
        for (var i = 0; i < whole.Length; i++)
            Assert.False(RouteAnswer.TryRead(whole.AsSpan(0, i), mayHavePassword: false, out _, out _), $"at {i}");
        Assert.True(RouteAnswer.TryRead(whole, mayHavePassword: false, out _, out _));
    }
}
